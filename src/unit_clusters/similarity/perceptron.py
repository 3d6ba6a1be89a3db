"""Torch modules that are plain ReLU perceptrons, and equations (1) to (4) for them in closed form; see `similarity`."""

import re
from collections.abc import Mapping

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from unit_clusters.similarity.automatic import Options, Sums, curvature, output_vectors
from unit_clusters.similarity.closed_form import CHUNK, InputSensitivity, output_jacobians

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


class ClosedForm:
    """Equations (1) to (4) for hidden layers of a perceptron, on the processor.

    Args:
        model: the perceptron.
        layers: some of its `hidden_layers`.
        options: of the analysis.

    Attributes:
        sums: of each layer.
        most: how many images `add` may take at once.
    """

    def __init__(self, model: nn.Sequential, layers: Mapping[str, int], options: Options):
        linear = [module for module in model if isinstance(module, nn.Linear)]
        self.weights = [module.weight.detach().cpu() for module in linear]
        self.biases = [0 if module.bias is None else module.bias.detach().cpu() for module in linear]
        self.layers, self.options = layers, options
        self.sums = {name: Sums(len(self.weights[number - 1])) for name, number in layers.items()}
        self.i_sens = InputSensitivity(self.weights[: max(layers.values())])
        outputs, widest = len(self.weights[-1]), max(map(len, self.weights))
        an_image = 6 * outputs * (widest + outputs) * self.weights[0].element_size()
        self.most = max(1, min(CHUNK, options.memory // an_image))

    def add(self, images: Float[Tensor, "batch ..."], labels: Tensor | None) -> None:
        """Add images to the sums."""
        activity, hidden = images.detach().flatten(1).to(self.weights[0]), []
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            activity = (activity @ weight.T + bias).relu()
            hidden.append(activity)
        outputs = activity @ self.weights[-1].T + self.biases[-1]
        self.i_sens.add(hidden)
        jacobians = output_jacobians(self.weights, hidden)
        second = curvature(self.options.loss, outputs, labels) if self.options.loss else None
        for name, number in self.layers.items():
            sums = self.sums[name]
            sums.images += len(images)
            sums.covariance.add(hidden[number - 1])
            sums.i_sens = torch.from_numpy(self.i_sens.sums[number - 1])
            jacobian = jacobians[number - 1]
            sums.o_sens += gram(jacobian if self.options.all_outputs else self._chosen(outputs) @ jacobian)
            if second:
                weights, basis = second
                sums.hess += gram(basis.movedim(0, 1) @ jacobian, weights.T[:, :, None])

    def _chosen(self, outputs: Float[Tensor, "batch outputs"]) -> Float[Tensor, "batch rows outputs"]:
        return output_vectors(outputs, self.options, torch.arange(self.options.rows(outputs))).movedim(0, 1)


def gram(
    factor: Float[Tensor, "batch rows units"], weights: Float[Tensor, "batch rows 1"] | int = 1
) -> Float[Tensor, "units units"]:
    """The sum of w v v^T over all vectors v of units."""
    return (weights * factor).flatten(0, 1).T @ factor.flatten(0, 1)
