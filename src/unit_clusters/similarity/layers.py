"""The layers of any torch module: their names, and the units that they put out."""

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Literal

import pandas as pd
import torch
from jaxtyping import Shaped
from torch import Tensor, nn

from unit_clusters.similarity.passes import Pick, passes, problem

Units = Literal["auto"] | int | Callable[[Tensor], Tensor]
"""Where the units are in what a layer puts out; see `analysis.analyze`."""

UNIT_AXES = {2: 1, 3: 2, 4: 1}
"""The axis of units by the number of axes: (batch, units), (batch, tokens, units) or (batch, units, height, width)."""


def layers(
    model: nn.Module, images: Tensor, *, units: Units = "auto", output: Pick | Mapping[str, Pick] | None = None
) -> pd.DataFrame:
    """The modules in a model that `analyze` can be given the names of, in the order in which they are defined.

    Args:
        model: any module that takes one tensor.
        images: a batch; two of its images are shown to the model.
        units: as for `analyze`.
        output: as for `analyze`.

    Returns:
        One row a module: its name; its type; the shape of its output for one image, and how many units that has, if it
        can be analysed; and a note of why not, if it cannot.
    """
    modules = {name: module for name, module in model.named_modules(remove_duplicate=False) if name}
    with passes(model, list(modules), output) as run:
        kept = run(images[:2]).kept
    rows = []
    for name, module in modules.items():
        note = problem(kept.get(name, ())) or units_problem(kept[name][0].output, units, len(images[:2]))
        values = None if note else kept[name][0].output
        rows.append(
            {
                "name": name,
                "type": type(module).__name__,
                "shape": None if note else tuple(values.shape[1:]),
                "units": None if note else as_units(values, units).shape[1],
                "note": note or "",
            }
        )
    return pd.DataFrame(rows, columns=["name", "type", "shape", "units", "note"]).astype({"units": "Int64"})


def resolve(model: nn.Module, patterns: str | Sequence[str]) -> list[str]:
    """The names of the modules that names and globs stand for, each once. A glob's * takes in dots, too.

    Raises:
        ValueError: a pattern fits no module, or there are none; the message lists the closest names.
    """
    names = [name for name, _ in model.named_modules(remove_duplicate=False) if name]
    patterns = [patterns] if isinstance(patterns, str) else patterns
    found = {}
    for pattern in patterns:
        fit = [name for name in names if fnmatchcase(name, pattern)]
        if not fit:
            raise ValueError(f"no layer {pattern!r}. {closest(pattern, names)} unit_clusters.layers lists all.")
        found |= dict.fromkeys(fit)
    if not found:
        raise ValueError("layers must name at least one module; unit_clusters.layers lists all")
    return list(found)


def closest(name: str, names: Sequence[str]) -> str:
    """A sentence that lists the three names that are most like another."""
    return f"The closest are {', '.join(map(repr, get_close_matches(name, names, cutoff=0))) or 'none'}."


def as_units(values: Shaped[Tensor, "batch ..."], units: Units = "auto") -> Shaped[Tensor, "batch units positions"]:
    """A layer's output, or derivatives by it, by unit and position."""
    if callable(units):
        return units(values)
    axis = UNIT_AXES[values.ndim] if units == "auto" else units
    return values.movedim(axis, 1).reshape(len(values), values.shape[axis], -1)


def units_problem(values: Shaped[Tensor, "batch ..."], units: Units, images: int) -> str | None:
    """Why an output does not have units, in a few words; None if it has."""
    if not values.ndim or len(values) != images:
        return f"has the shape {tuple(values.shape)} for {images} images"
    if units == "auto" and values.ndim not in UNIT_AXES:
        return f"has {values.ndim} axes"
    if isinstance(units, int) and not (-values.ndim < units < values.ndim and units):
        return f"has no axis {units} after that of the images"
    return _misplaced(values.shape, units) if callable(units) else None


def _misplaced(shape: torch.Size, units: Callable[[Tensor], Tensor]) -> str | None:
    """What is wrong with a callable, as random numbers show it: it may choose and reorder those of an image only."""
    numbers = torch.rand(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    placed = units(numbers)
    if placed.ndim != 3 or len(placed) != shape[0]:
        return f"is made into the shape {tuple(placed.shape)} by units=, not (images, units, positions)"
    ours, (ordered, order) = placed.flatten(1), numbers.flatten(1).sort()
    places = torch.searchsorted(ordered, ours.contiguous()).clamp(max=order.shape[1] - 1)
    taken = order.gather(1, places)
    if not ordered.gather(1, places).equal(ours) or (taken != taken[0]).any() or len(taken[0].unique()) < len(taken[0]):
        return "is changed or repeated by units=, which may only choose and reorder"
    return None
