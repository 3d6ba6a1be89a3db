"""Torch modules that are plain perceptrons of ReLUs, for which there is a `closed_form`."""

import re

from jaxtyping import Shaped
from torch import Tensor, nn

LETTERS = {nn.Flatten: "F", nn.Linear: "L", nn.ReLU: "R", nn.Dropout: "D"}

PERCEPTRON = re.compile("F?(LRD?)+L")
"""What these modules follow each other in."""


def hidden_layers(model: nn.Module, images: Shaped[Tensor, "batch ..."]) -> dict[str, int]:
    """The hidden layers of a perceptron, counted from 1, by the names of the modules that put them out.

    These are its ReLUs and, since models are analysed in eval mode, the dropouts after them. A perceptron is an
    nn.Sequential of Linear, ReLU and Dropout, after a Flatten if images have several axes, without hooks. Other modules
    have none.
    """
    modules = {name: module for name, module in model.named_modules(remove_duplicate=False) if name}
    letters = "".join(LETTERS.get(type(module), "?") for module in modules.values())
    hooked = any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    flat = images.ndim == 2 or letters.startswith("F")
    if type(model) is not nn.Sequential or not PERCEPTRON.fullmatch(letters) or hooked or not flat:
        return {}
    return {
        name: letters[:place].count("L")
        for place, (name, letter) in enumerate(zip(modules, letters, strict=True))
        if letter in "RD"
    }


def parameters(model: nn.Sequential) -> tuple[list[Tensor], list[Tensor]]:
    """The weights and the biases of a perceptron's linear layers, on the processor; no bias is one of zeros."""
    linear = [module for module in model if isinstance(module, nn.Linear)]
    weights = [module.weight.detach().cpu() for module in linear]
    biases = [
        weight.new_zeros(len(weight)) if module.bias is None else module.bias.detach().cpu()
        for module, weight in zip(linear, weights, strict=True)
    ]
    return weights, biases
