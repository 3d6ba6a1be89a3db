"""How similar the units of any layer of any torch module are: equations (1) to (4) by automatic differentiation.

This is the definition; `closed_form` is faster for ReLU perceptrons. With x the input, h_p a
layer's activity at position p, y the outputs and L the loss, all of one image:

- cov and i_sens, |E[J J^T]| with J = dh_p/dx, are taken at some random positions of each image, or at all;
- o_sens, |E[J^T J]| with J = dy/dh_p, and hess, |E[d^2 L / dh_p dh_p]|, are taken at all.

E is the mean over images and positions. The Hessian is exact. By the chain rule it is J^T (d^2 L / dy^2) J, the
Gauss-Newton matrix, plus the sum over outputs of dL/dy times their own second derivatives by h. Where those vanish, as
between the kinks of piecewise linear networks, the first term is all, and J is at hand; elsewhere every column of the
Hessian takes a second backward pass.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.func import vmap

from unit_clusters.similarity.layers import Units, as_units, units_problem
from unit_clusters.similarity.options import CHUNK, MOST_OUTPUTS, Options
from unit_clusters.similarity.outputs import curvature, explained, flat, losses, output_vectors, unit_vectors
from unit_clusters.similarity.passes import Pass, only_output
from unit_clusters.similarity.sums import InHalves, Sums
from unit_clusters.streams import stream

Run = Callable[[Tensor], Pass]
"""Shows a batch to a model: what `passes.passes` yields."""

CACHE = 2**23
"""Bytes: on a processor, derivatives by the largest tensor are about twice as fast if no more are taken together."""


class Positions:
    """Random positions of each image, the same whatever images come together.

    Args:
        count: positions that an image has.
        wanted: how many are taken; None: all.
        identity: names the random stream.
    """

    def __init__(self, count: int, wanted: int | None, *identity: str | int):
        self.count, self.wanted, self.random = count, min(wanted or count, count), stream(*identity)

    def draw(self, images: int) -> Int[Tensor, "images wanted"]:
        if self.wanted == self.count:
            return torch.arange(self.count).expand(images, -1)
        return torch.from_numpy(self.random.random((images, self.count)).argsort(axis=1)[:, : self.wanted])


class Automatic(InHalves):
    """Equations (1) to (4) for some layers of any module.

    Args:
        run: shows a batch to the model.
        images: two of those to come, to see what the layers put out and how much memory that takes.
        names: the layers.
        options: of the analysis.

    Attributes:
        most: how many images `add` may take at once.

    Raises:
        ValueError: a layer, or what the model returns, cannot be analysed, or there is too little memory.
    """

    def __init__(self, run: Run, images: Shaped[Tensor, "2 ..."], names: Sequence[str], options: Options):
        self.run, self.options = run, options
        self.shapes = examine(run, images, names, options)
        super().__init__({name: units for name, (units, _) in self.shapes.items()})
        self.upstream, self.second = (
            [
                {
                    name: Positions(many, wanted, purpose, name, options.seed, half)
                    for name, (_, many) in self.shapes.items()
                }
                for half in range(2)
            ]
            for purpose, wanted in (("positions", options.positions), ("hess positions", options.hess_positions))
        )
        self.budget = Budget(run, images, options)
        self.units = max(units for units, _ in self.shapes.values())
        self.most = 2 * self.budget.images(self.units)

    def _positions(self, wanted: int | None, *identity: str | int) -> dict[str, Positions]:
        return {
            name: Positions(count, wanted, *identity, name, self.options.seed)
            for name, (_, count) in self.shapes.items()
        }

    def _add(self, images: Float[Tensor, "batch ..."], labels: Tensor | None, half: int) -> None:
        shown, layers = self.run(images), self.sums[half]
        hidden = {name: only_output(name, shown.kept.get(name, ())) for name in layers}
        together = self.budget.products(len(images), self.units)
        for name, sums in layers.items():
            sums.images += len(images)
            values = as_units(hidden[name], self.options.units)
            if values.shape[1:] != self.shapes[name]:
                raise ValueError(
                    f"layer {name!r}: images must all be of one size, but the units and positions of the first are "
                    f"{tuple(self.shapes[name])}, and of later ones {tuple(values.shape[1:])}"
                )
            activity = at(values, self.upstream[half][name].draw(len(images)))
            sums.covariance.add(activity.detach().movedim(1, 2).flatten(0, 1).cpu())
            sums.i_sens += in_full(input_sensitivity(activity, shown.inputs, together)) / activity.shape[2]
        simple = self._add_first(layers, hidden, shown.returned, labels, together)
        others = {name: values for name, values in hidden.items() if name not in simple}
        if self.options.loss and others:
            self._add_second(half, others, losses(self.options.loss, shown.returned, labels).sum(), together)

    def _add_first(
        self,
        layers: Mapping[str, Sums],
        hidden: Mapping[str, Tensor],
        returned: Tensor,
        labels: Tensor | None,
        together: int,
    ) -> set[str]:
        """Add o_sens; and hess, where outputs have no second derivatives, by the same products: of the layers returned.

        Any orthonormal basis stands for all outputs in o_sens. That of the eigenvectors of d^2 L / dy^2, weighted by
        the eigenvalues, gives J^T (d^2 L / dy^2) J as well.
        """
        outputs = flat(returned)
        simple, basis = set(), None
        if self.options.loss and self.options.all_outputs and outputs.shape[1] <= MOST_OUTPUTS:
            weights, basis = curvature(self.options.loss, returned, labels)
            simple = piecewise_linear(outputs, hidden)
        for some in torch.arange(self.options.rows(outputs)).split(together):
            rows = output_vectors(outputs.detach(), self.options, some) if basis is None else basis[some]
            jacobians = products(outputs, list(hidden.values()), rows)
            for (name, sums), jacobian in zip(layers.items(), jacobians, strict=True):
                factor = by_unit(jacobian, self.options.units)
                sums.o_sens += in_full(factor.flatten(1) @ factor.flatten(1).T) / factor.shape[3]
                if name in simple:
                    weighted = factor * weights[some, :, None]
                    sums.hess += in_full(weighted.flatten(1) @ factor.flatten(1).T) / factor.shape[3]
        return simple

    def _add_second(self, half: int, hidden: Mapping[str, Tensor], loss: Float[Tensor, ""], together: int) -> None:
        """Add hess by second derivatives of the loss, column by column; each takes twice the memory of a first one."""
        gradients = gradient(loss, list(hidden.values()), create_graph=True)
        for (name, values), by_hidden in zip(hidden.items(), gradients, strict=True):
            places = self.second[half][name].draw(len(values)).to(values.device)
            if by_hidden.requires_grad:
                with explained(TWICE.format(name)):
                    total = second_derivatives(by_hidden, values, places, self.options.units, max(1, together // 2))
                self.sums[half][name].hess += in_full(total) / places.shape[1]


TWICE = "layer {!r}: hess needs second derivatives of what follows it; without a loss, it is left out"


def in_full(matrix: Float[Tensor, "units units"]) -> Float[Tensor, "units units"]:
    """In float64 on the processor, where sums over images are kept."""
    return matrix.cpu().double()


def at(
    values: Float[Tensor, "batch units positions"], places: Int[Tensor, "batch some"]
) -> Float[Tensor, "batch units some"]:
    """The values at some positions of each image."""
    if places.shape[1] == values.shape[2]:
        return values
    return values.gather(2, places.to(values.device)[:, None].expand(-1, values.shape[1], -1))


def by_unit(jacobian: Float[Tensor, "rows batch ..."], units: Units) -> Float[Tensor, "units rows batch positions"]:
    """Derivatives by what a layer puts out, unit by unit."""
    return as_units(jacobian.flatten(0, 1), units).unflatten(0, jacobian.shape[:2]).permute(2, 0, 1, 3)


def gradient(
    outputs: Tensor, inputs: Sequence[Tensor], vector: Tensor | None = None, *, create_graph: bool = False
) -> Sequence[Tensor]:
    """The vector-Jacobian product by each input, zero by those that the outputs do not depend on.

    The vector may be left out for a scalar.
    """
    found = torch.autograd.grad(outputs, inputs, vector, True, create_graph, allow_unused=True)
    return [torch.zeros_like(x) if by_x is None else by_x for x, by_x in zip(inputs, found, strict=True)]


def products(
    outputs: Float[Tensor, "batch ..."], inputs: Sequence[Tensor], rows: Float[Tensor, "rows batch ..."]
) -> Sequence[Float[Tensor, "rows batch ..."]]:
    """The `gradient` for each of many vectors."""
    return vmap(lambda row: gradient(outputs, inputs, row))(rows)


def input_sensitivity(
    activity: Float[Tensor, "batch units positions"], inputs: Float[Tensor, "batch ..."], together: int
) -> Float[Tensor, "units units"]:
    """The sum of J J^T over images and positions, eq. (2), with so many products with J together.

    J is taken by columns where an image has fewer inputs than units at all these positions together, else by rows; by
    rows also where columns would take derivatives that PyTorch lacks.
    """
    columns = _by_columns(activity, inputs, together) if inputs[0].numel() < activity[0].numel() else None
    return _by_rows(activity, inputs, together) if columns is None else columns


def _by_columns(
    activity: Float[Tensor, "batch units positions"], inputs: Float[Tensor, "batch ..."], together: int
) -> Float[Tensor, "units units"] | None:
    """J^T u is linear in u, so its derivatives by u are J; None if not, as of functions that can be derived once."""
    total = activity.new_zeros(activity.shape[1], activity.shape[1])
    vector = torch.randn_like(activity, requires_grad=True)
    (by_input,) = gradient(activity, [inputs], vector, create_graph=True)
    linear = torch.finfo(total.dtype).eps ** 0.5 * by_input.abs().max()
    for some in torch.arange(inputs[0].numel()).split(together):
        try:
            (columns,) = products(by_input, [vector], unit_vectors(some, by_input))
        except RuntimeError:
            return None
        again = (columns * vector).sum((2, 3)).T  # J^T u, if J is whole
        if (again - by_input.flatten(1)[:, some.to(again.device)]).abs().max() > linear:
            return None
        factor = columns.detach().movedim(2, 0).flatten(1)
        total += factor @ factor.T
    return total


def _by_rows(
    activity: Float[Tensor, "batch units positions"], inputs: Float[Tensor, "batch ..."], together: int
) -> Float[Tensor, "units units"]:
    """One vector-Jacobian product a unit and position. Where not all units fit together, pairs of blocks do."""
    units = activity.shape[1]
    total = activity.new_zeros(units, units)
    for some in activity.split(max(1, together // units), dim=2):
        blocks = torch.arange(units).split(max(1, min(units, together // some.shape[2])))
        for number, rows in enumerate(blocks):
            left = _jacobian(some, inputs, rows)
            total[rows[:, None], rows] += left @ left.T
            for columns in blocks[:number]:
                product = left @ _jacobian(some, inputs, columns).T
                total[rows[:, None], columns] += product
                total[columns[:, None], rows] += product.T
    return total


def _jacobian(
    activity: Float[Tensor, "batch units positions"], inputs: Tensor, rows: Int[Tensor, " some"]
) -> Float[Tensor, "some entries"]:
    """All derivatives of some units, for all positions and images one after another."""
    positions = activity.shape[2]
    which = (rows[:, None] * positions + torch.arange(positions)).flatten()
    (found,) = products(activity, [inputs], unit_vectors(which, activity))
    return found.reshape(len(rows), -1)


def second_derivatives(
    by_hidden: Float[Tensor, "batch ..."],
    hidden: Float[Tensor, "batch ..."],
    places: Int[Tensor, "batch some"],
    units: Units,
    together: int,
) -> Float[Tensor, "units units"]:
    """The sum over images and some positions of the second derivatives at the same position, eq. (4)."""
    derivatives = at(as_units(by_hidden, units), places)
    number, some = derivatives.shape[1:]
    total = derivatives.new_zeros(number, number)
    for which in torch.arange(number * some, device=hidden.device).split(together):
        (second,) = products(derivatives, [hidden], unit_vectors(which, derivatives))
        columns = by_unit(second, units)  # units, rows, batch, positions
        same = places[:, which % some].T[None, :, :, None].expand(number, -1, -1, 1)
        total.index_add_(1, which // some, columns.gather(3, same).sum((2, 3)).detach())
    return total


def piecewise_linear(outputs: Float[Tensor, "batch outputs"], hidden: Mapping[str, Tensor]) -> set[str]:
    """The layers by which all second derivatives of the outputs vanish, for all these images.

    What a random mixture of outputs has for second derivatives, times a random vector, is zero only if all are zero.
    """
    first = gradient((outputs * torch.randn_like(outputs)).sum(), list(hidden.values()), create_graph=True)
    simple = set()
    for (name, values), by_hidden in zip(hidden.items(), first, strict=True):
        mixed = (by_hidden * torch.randn_like(by_hidden)).sum()
        with explained(TWICE.format(name)):
            if not (mixed.requires_grad and gradient(mixed, [values])[0].any()):
                simple.add(name)
    return simple


def examine(
    run: Run, images: Shaped[Tensor, "2 ..."], names: Sequence[str], options: Options
) -> dict[str, tuple[int, int]]:
    """How many units and positions layers have.

    Raises:
        ValueError: a layer, or what the model returns, cannot be analysed; the message says which and what to do.
    """
    shown = run(images)
    hidden = {name: only_output(name, shown.kept.get(name, ())) for name in names}
    _check_returned(shown, options)
    shapes = {}
    for name, values in hidden.items():
        if found := units_problem(values, options.units, len(images)):
            raise ValueError(
                f"layer {name!r}: {found}. The images' axis must be the first; units= tells where the units are, by an "
                "axis, or by a function that reshapes to (images, units, positions)"
            )
        _check_derivatives(f"layer {name!r}", values, shown.inputs)
        if options.loss and (function := _differentiable_once(shown.returned, values)):
            raise ValueError(f"{TWICE.format(name)}. {function} is marked with once_differentiable")
        shapes[name] = tuple(as_units(values, options.units).shape[1:])
    return shapes


def _check_returned(shown: Pass, options: Options) -> None:
    returned, images = shown.returned, len(shown.inputs)
    if not isinstance(returned, Tensor):
        raise ValueError(
            f"the model returns a {type(returned).__name__}: output=lambda result: result[0], say, picks a tensor of it"
        )
    if not returned.ndim or len(returned) != images:
        raise ValueError(f"the model returns the shape {tuple(returned.shape)} for {images} images, not a row for each")
    options.check_outputs(flat(returned).shape[1])
    _check_derivatives("the model", returned, shown.inputs)


def _check_derivatives(what: str, values: Float[Tensor, "batch ..."], inputs: Float[Tensor, "batch ..."]) -> None:
    """That values of images depend on these images, each on its own."""
    if not values.isfinite().all():
        raise ValueError(f"{what} puts out NaN or infinity for these images")
    if not values.requires_grad:
        raise ValueError(
            f"{what}: what it puts out has no derivatives by the images. Somewhere before, the model leaves PyTorch's "
            "graph (no_grad, detach, NumPy, rounding), or does not use the images"
        )
    if (gradient(values[0].square().sum(), [inputs])[0][1:].abs() > 0).any():
        raise ValueError(
            f"{what}: what it puts out for one image depends on the others in the batch. Their axis must be the first "
            "everywhere (batch_first=True), and no module may take means over a batch in eval mode "
            "(track_running_stats=True)"
        )


def _differentiable_once(outputs: Tensor, values: Tensor) -> str | None:
    """A function between a layer and the outputs that is so marked: PyTorch takes its second derivatives for zero."""
    seen, waiting = {None, values.grad_fn}, [outputs.grad_fn]
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            waiting += [before for before, _ in node.next_functions]
            backward = getattr(getattr(node, "_forward_cls", None), "backward", None)
            if "once_differentiable" in getattr(getattr(backward, "__code__", None), "co_qualname", ""):
                return node._forward_cls.__qualname__
    return None


WORK = 24
"""So many tensors as large as the largest of a forward pass may a product take: up to 15 measured, and some reserve."""


class Budget:
    """How much fits into memory, estimated from what two images leave behind in a forward pass.

    Args:
        run: shows a batch to the model.
        images: two.
        options: of the analysis.

    Raises:
        ValueError: not even one derivative of one image fits.
    """

    def __init__(self, run: Run, images: Float[Tensor, "2 ..."], options: Options):
        # What is saved for both passes is the model's: tensors of one pass live while the other is under way.
        (alone, shown), (both, _) = _saved(run, images[:1]), _saved(run, images)
        sizes = [size / len(images) for place, size in both.items() if place not in alone]
        self.memory = options.memory
        self.graph = 3 * sum(sizes)  # derivatives that will be differentiated leave behind twice as much again
        if options.loss:  # and its second derivatives are matrices
            returned = flat(shown.returned)[0]
            self.graph += 6 * min(len(returned), MOST_OUTPUTS) ** 2 * returned.element_size()
        self.product = WORK * max(sizes)
        self.fast = CACHE / max(sizes) if shown.inputs.device.type == "cpu" else float("inf")
        if options.memory < self.graph + self.product:
            raise ValueError(
                f"memory={options.memory} is too little: one derivative of one image takes about "
                f"{self.graph + self.product:.0f} bytes"
            )

    def images(self, units: int) -> int:
        """How many images to take together, so that derivatives of so many units at one position fit."""
        fit = int(self.memory / (self.graph + units * self.product))
        return max(1, min(CHUNK, fit, int(self.fast / units)))

    def products(self, images: int, units: int) -> int:
        """How many vector-Jacobian products to take together, each of so many images: of all units, if they fit."""
        fit = int((self.memory / images - self.graph) / self.product)
        return max(1, min(fit, max(units, int(self.fast / images))))


def _saved(run: Run, images: Float[Tensor, "batch ..."]) -> tuple[dict[int, int], Any]:
    """The sizes in bytes of what a pass saves and returns, by place in memory; and the pass, to keep them there."""
    sizes = {}

    def note(tensor: Tensor) -> Tensor:
        sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with saved_tensors_hooks(note, lambda tensor: tensor):
        shown = run(images)
    for tensor in (shown.inputs, shown.returned, *(calls[0].output for calls in shown.kept.values())):
        note(tensor)
    return sizes, shown
