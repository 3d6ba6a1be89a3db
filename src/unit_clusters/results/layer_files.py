"""Files of one hidden layer of a cohort: its similarity matrices, and its clusters."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from unit_clusters.runs.files import written_whole
from unit_clusters.similarity.measures import FORMS, MEASURES


def write_similarity(similarity: Mapping[str, Float[np.ndarray, "models units units"]], path: str | Path) -> None:
    """Write the matrices of each of the MEASURES, in float32.

    Raises:
        ValueError: an entry is NaN or beyond float32, as when a network's weights have grown without bound.
    """
    with np.errstate(over="ignore"):
        stacks = {measure: similarity[measure].astype(np.float32) for measure in MEASURES}
    for measure, stack in stacks.items():
        diverged = np.flatnonzero(~np.isfinite(stack).all(axis=(1, 2)))
        if len(diverged):
            raise ValueError(
                f"{path}: {measure} of the cohort's network {diverged[0] + 1} is NaN or too large, so its training has "
                "diverged. Lower training: learning_rate, or leave this strength out of its sweep."
            )
    _write(stacks, path)


def read_similarity(path: str | Path, models: int | None = None) -> list[dict[str, Float[np.ndarray, "units units"]]]:
    """For each network, the matrices of the MEASURES.

    Args:
        path: what `write_similarity` wrote.
        models: how many networks there must be; None: any number.

    Raises:
        ValueError: the file is damaged, of another kind or of other networks; the message names it.
    """
    with named(path, MEASURES) as arrays:
        stacks = [arrays[measure] for measure in MEASURES]
        for measure, stack in zip(MEASURES, stacks, strict=True):
            _expect_shape(measure, stack, (models or len(stacks[0]), *2 * stacks[0].shape[-1:]))
            if not ((stack >= 0) & (stack < np.inf) & (stack == stack.mT)).all():
                raise ValueError(f"{measure} is not finite, symmetric and without negative entries")
    return [dict(zip(MEASURES, matrices, strict=True)) for matrices in zip(*stacks, strict=True)]


class Searches(NamedTuple):
    """The cluster of each unit of a layer, in all networks of a cohort and under all FORMS; UNUSED for dead units."""

    labels: Int[np.ndarray, "models forms units"]
    """By the paper's single search."""
    again: Int[np.ndarray, "models forms units"]
    """By another search of that kind, with a random stream of its own."""
    best: Int[np.ndarray, "models forms units"]
    """The best that is known."""
    halves: Int[np.ndarray, "models forms 2 units"]
    """The best of the first half of the restarts, and of the others; all UNUSED with fewer than two restarts."""


def write_labels(searches: Searches, path: str | Path) -> None:
    """Write the labels of all searches."""
    _write({name: labels.astype(np.int16) for name, labels in searches._asdict().items()}, path)


def read_labels(path: str | Path, models: int | None = None, units: int | None = None) -> Searches:
    """The labels of all searches.

    Args:
        path: what `write_labels` wrote.
        models: how many networks there must be; None: any number.
        units: how many units, likewise.

    Raises:
        ValueError: the file is damaged, of another kind or of other networks; the message names it.
    """
    with named(path, Searches._fields) as arrays:
        found = Searches(*(arrays[name] for name in Searches._fields))
        for name, labels in found._asdict().items():
            two = (2,) if name == "halves" else ()
            _expect_shape(name, labels, (models or len(found.labels), len(FORMS), *two, units or labels.shape[-1]))
    return found


def _write(arrays: Mapping[str, np.ndarray], path: str | Path) -> None:
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


@contextmanager
def named(path: str | Path, names: tuple[str, ...]) -> Iterator[Mapping[str, np.ndarray]]:
    """The arrays of a file, for reading and checking. What goes wrong there says which file it is."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            yield arrays
    except OSError:
        raise
    except Exception as error:  # a damaged archive may fail in a dozen ways
        raise ValueError(
            f"{path} is not a whole file of {', '.join(names)} ({error}). Delete it and run again."
        ) from error


def _expect_shape(name: str, array: np.ndarray, shape: tuple[int | None, ...]) -> None:
    """None stands for any length."""
    if array.ndim != len(shape) or any(length not in (None, n) for length, n in zip(shape, array.shape, strict=True)):
        raise ValueError(f"{name} has the shape {array.shape}, not {str(shape).replace('None', 'any')}")
