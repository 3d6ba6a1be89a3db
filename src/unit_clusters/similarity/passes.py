"""Passes of images through any torch module: in eval mode, its parameters constants, its layers' outputs kept."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

Pick = Callable[[Any], Tensor]
"""Picks the tensor that is meant from all that a module returns."""

MODEL = ""
"""The model itself among the names of its modules, as torch names it."""

PRECISIONS = (torch.float32, torch.float64)


class Kept(NamedTuple):
    """What a layer put out in one call."""

    output: Any
    writes: int | None
    """How often the tensor had been written to by then; None if it is no tensor."""


class Pass(NamedTuple):
    """One pass of a batch."""

    inputs: Float[Tensor, "batch ..."]
    """What the model was shown, a leaf of the graph that requires gradients."""
    kept: Mapping[str, Sequence[Kept]]
    """What each layer put out, call by call."""
    returned: Any
    """What the model returned, or what `output` picked of it."""


@contextmanager
def passes(
    model: nn.Module,
    names: Sequence[str],
    output: Pick | Mapping[str, Pick] | None = None,
    device: str | torch.device | None = None,
) -> Iterator[Callable[[Tensor], Pass]]:
    """Within the context, a function that shows a batch to the model.

    The model comes back as it was. It runs on copies of its buffers, and of its parameters where the device is another;
    at the end each submodule has its mode again, the hooks are gone, and random numbers go on as if nothing had
    happened. Attention takes the kernel of plain products, since the others cannot be differentiated twice.

    Args:
        model: any module that takes one tensor.
        names: the layers whose outputs are kept. What follows them is handed copies, so that it may work in place.
        output: picks the tensor where the model returns more than one; or, by name, where layers do.
        device: where to work; None: where the model's parameters are.

    Raises:
        ValueError: parameters or images are neither in float32 nor in float64, or `output` does not pick one of the
            tensors that a layer returns.
    """
    choose = {MODEL: output} if callable(output) else output or {}
    parameters = {name: tensor.detach() for name, tensor in model.named_parameters()}
    state = parameters | {name: tensor.detach().clone() for name, tensor in model.named_buffers()}
    device = torch.device(device or next((tensor.device for tensor in state.values()), "cpu"))
    state = {name: tensor.to(device) for name, tensor in state.items()}
    dtype = next((tensor.dtype for tensor in state.values() if tensor.is_floating_point()), None)
    kept = defaultdict(list)

    def run(images: Tensor) -> Pass:
        kept.clear()
        inputs = images.detach().to(device, _precision(images, dtype), copy=True).requires_grad_()
        returned = functional_call(model, state, (inputs.clone(),))
        return Pass(inputs, dict(kept), choose[MODEL](returned) if MODEL in choose else returned)

    modes = {module: module.training for module in model.modules()}
    hooks = []
    try:
        with _own_random_numbers(device), torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):
            model.eval()
            for name in names:
                keep = _keep(name, kept, choose.get(name))
                hooks.append(model.get_submodule(name).register_forward_hook(keep))
            yield run
    finally:
        for hook in hooks:
            hook.remove()
        for module, mode in modes.items():
            module.training = mode


def _precision(images: Tensor, dtype: torch.dtype | None) -> torch.dtype:
    """The precision of the model, or without parameters, of the images."""
    if not images.is_floating_point():
        raise ValueError(
            f"the images are of {images.dtype}, and derivatives by them need floating point: give what the model was "
            "trained on, such as images.float() / 255; for tokens, their embeddings, to the part of the model after it"
        )
    if (dtype or images.dtype) not in PRECISIONS:
        raise ValueError(f"the model is in {dtype or images.dtype}: analyse model.float() or model.double()")
    return dtype or images.dtype


@contextmanager
def _own_random_numbers(device: torch.device) -> Iterator[None]:
    """The same random numbers each time for a model that draws some even in eval mode, and none taken from others."""
    cuda = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(cuda):
        torch.default_generator.manual_seed(0)
        if cuda:
            torch.cuda.manual_seed(0)
        yield


def _keep(name: str, kept: Mapping[str, list[Kept]], pick: Pick | None) -> Callable[..., Any]:
    """A forward hook that keeps the output, or what is picked of it, and hands on a copy of that."""

    def hook(_module: nn.Module, _arguments: tuple, result: Any) -> Any:
        picked = pick(result) if pick else result
        if not isinstance(picked, Tensor):
            kept[name].append(Kept(picked, None))
            return result
        if not _holds(result, picked):
            raise ValueError(
                f"output={{{name!r}: ...}} must pick one of the tensors in what the layer returns, as it is"
            )
        kept[name].append(Kept(picked, picked._version))
        return _replaced(result, picked, picked.clone())

    return hook


def _parts(result: Any) -> Sequence[Any]:
    return tuple(result.values()) if type(result) is dict else result if type(result) in (tuple, list) else ()


def _holds(result: Any, tensor: Tensor) -> bool:
    return result is tensor or any(_holds(part, tensor) for part in _parts(result))


def _replaced(result: Any, old: Tensor, new: Tensor) -> Any:
    """The same tuples, lists and dicts with another tensor."""
    if type(result) is dict:
        return {key: _replaced(value, old, new) for key, value in result.items()}
    if type(result) in (tuple, list):
        return type(result)(_replaced(part, old, new) for part in result)
    return new if result is old else result


def problem(calls: Sequence[Kept]) -> str | None:
    """Why these calls do not give a layer's units, in a few words; None if they do."""
    if len(calls) != 1:
        return f"called {len(calls)} times" if calls else "not called"
    (call,) = calls
    if not isinstance(call.output, Tensor):
        return f"returns a {type(call.output).__name__}"
    if call.output._version != call.writes:
        return "overwritten in place"
    return None


REMEDIES = {
    "called": "Give each call a module of its own, or name a module around it that is called once.",
    "not": "Name a module around it: of some, such as MultiheadAttention's out_proj, only the weights are used.",
    "returns": "Pick a tensor of it: output={{{name!r}: lambda result: result[0]}}.",
    "overwritten": "Let the model go on with what the layer returns, as in x = layer(x), not with what it was given.",
}
"""What to do about a `problem`, by its first word."""


def only_output(name: str, calls: Sequence[Kept]) -> Tensor:
    """The tensor that a layer put out in a pass.

    Raises:
        ValueError: there is a `problem`; the message names the layer and says what to do.
    """
    if found := problem(calls):
        raise ValueError(f"layer {name!r}: {found}. {REMEDIES[found.split()[0]].format(name=name)}")
    return calls[0].output
