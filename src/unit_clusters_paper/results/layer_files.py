"""Files of the hidden layers of a cohort: their similarity matrices, and their clusters.

Both are NumPy archives; an array of a layer is named by it, as in `layer1/cov` and `layer1/best`.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from unit_clusters.similarity.measures import MEASURES, Matrices, Measured
from unit_clusters_paper.runs.files import written_whole


def write_similarity(layers: Sequence[Sequence[Matrices]], path: str | Path) -> None:
    """Write the signed matrices of each layer of some networks, in float32.

    All layers have the same measures, some or all of MEASURES, but may differ in their units.

    Raises:
        ValueError: an entry is NaN or beyond float32, as when a network's weights have grown without bound.
    """
    with np.errstate(over="ignore"):
        arrays = {
            f"layer{number}/{measure}": np.stack([matrices[measure] for matrices in networks]).astype(np.float32)
            for number, networks in enumerate(layers, start=1)
            for measure in networks[0]
        }
    for name, stack in arrays.items():
        diverged = np.flatnonzero(~np.isfinite(stack).all(axis=(1, 2)))
        if len(diverged):
            raise ValueError(
                f"{path}: {name} of the cohort's network {diverged[0] + 1} is NaN or too large, so its training has "
                "diverged. Lower training: learning_rate, or leave this strength out of its sweep."
            )
    _write(arrays, path)


def write_measured(layers: Sequence[Sequence[Measured]], similarity: str | Path, halves: str | Path) -> None:
    """Write what is measured of each layer of some networks, as `write_similarity` does; halves in their own file."""
    write_similarity([[network.signed for network in networks] for networks in layers], similarity)
    write_similarity([[half for network in networks for half in network.halves] for networks in layers], halves)


def read_halves(path: str | Path, models: int) -> list[list[tuple[Matrices, Matrices]]]:
    """What `write_measured` wrote of the halves, of so many networks; errors as those of `read_similarity`."""
    return [list(zip(layer[::2], layer[1::2], strict=True)) for layer in read_similarity(path, 2 * models)]


def read_similarity(path: str | Path, models: int | None = None) -> list[list[Matrices]]:
    """For each layer, and each network in it, the signed matrices by measure.

    Args:
        path: what `write_similarity` wrote.
        models: how many networks there must be; None: any number.

    Raises:
        ValueError: the file is damaged, of another kind or of other networks; the message names it.
    """
    with _layers(path, "similarity matrices") as layers:
        for stacks in layers:
            if stacks.keys() != layers[0].keys() or not stacks.keys() <= set(MEASURES):
                raise ValueError(f"it holds {', '.join(stacks)}")
            some = next(iter(stacks.values()))
            for measure, stack in stacks.items():
                _expect_shape(measure, stack, (models or len(some), *2 * some.shape[-1:]))
                if not (np.isfinite(stack) & (stack == stack.mT)).all():
                    raise ValueError(f"{measure} is not finite and symmetric")
    return [
        [dict(zip(stacks, matrices, strict=True)) for matrices in zip(*stacks.values(), strict=True)]
        for stacks in layers
    ]


class Searches(NamedTuple):
    """The cluster of each unit of a layer; UNUSED for dead units.

    In files the stack is of all networks of a cohort and of all forms; else it may be of the forms of one network, or
    there is none, for one matrix.
    """

    labels: Int[np.ndarray, "*stack units"]
    """By the paper's single search."""
    again: Int[np.ndarray, "*stack units"]
    """By another search of that kind, with a random stream of its own."""
    best: Int[np.ndarray, "*stack units"]
    """The best that is known."""
    halves: Int[np.ndarray, "*stack 2 units"]
    """The best of the first half of the restarts, and of the others; all UNUSED with fewer than two restarts."""
    turned: Int[np.ndarray, "*stack rotations units"]
    """In turned axes, by the single search: of axes in the places of live units, which are no units."""


def write_labels(layers: Sequence[Searches], path: str | Path) -> None:
    """Write the labels that all searches gave in each layer."""
    _write(
        {
            f"layer{number}/{name}": labels.astype(np.int16)
            for number, searches in enumerate(layers, start=1)
            for name, labels in searches._asdict().items()
        },
        path,
    )


def read_labels(path: str | Path, models: int | None = None, units: Sequence[int] | None = None) -> list[Searches]:
    """The labels that all searches gave in each layer.

    Args:
        path: what `write_labels` wrote.
        models: how many networks there must be; None: any number.
        units: how many units there must be in each layer; None: any number.

    Raises:
        ValueError: the file is damaged, of another kind or of other networks; the message names it.
    """
    with _layers(path, "clusters") as layers:
        found = [Searches(*(arrays[name] for name in Searches._fields)) for arrays in layers]
        widths = units or [searches.labels.shape[-1] for searches in found]
        for searches, width in zip(found, widths, strict=True):
            networks, forms, _ = searches.labels.shape
            for name, labels in searches._asdict().items():
                several = {"halves": (2,), "turned": (searches.turned.shape[-2],)}.get(name, ())
                _expect_shape(name, labels, (models or networks, forms, *several, width))
    return found


def each_network(
    layers: Sequence[Sequence[Matrices]], runs: Sequence[Mapping]
) -> Iterator[tuple[int, Mapping, Matrices]]:
    """Each layer, in each of its networks; the log says which is done."""
    for layer, networks in enumerate(layers, start=1):
        for number, (run, matrices) in enumerate(zip(runs, networks, strict=True), start=1):
            yield layer, run, matrices
            logging.info("layer %d: %s, %d of %d networks", layer, run["id"], number, len(runs))


def _write(arrays: Mapping[str, np.ndarray], path: str | Path) -> None:
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


@contextmanager
def _layers(path: str | Path, content: str) -> Iterator[list[dict[str, np.ndarray]]]:
    """The arrays of a file by layer and name, for checking."""
    with named(path, content) as arrays:
        found: dict[str, dict[str, np.ndarray]] = {}
        for key in arrays:
            layer, _, name = key.partition("/")
            found.setdefault(layer, {})[name] = arrays[key]
        if list(found) != [f"layer{number}" for number in range(1, len(found) + 1)] or not found:
            raise ValueError(f"it holds {', '.join(arrays) or 'nothing'}")
        yield list(found.values())


@contextmanager
def named(path: str | Path, content: str) -> Iterator[Mapping[str, np.ndarray]]:
    """The arrays of a file, for reading and checking. What goes wrong there says which file it is."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            yield arrays
    except OSError:
        raise
    except Exception as error:  # a damaged archive may fail in a dozen ways
        raise ValueError(f"{path} is not a whole file of {content} ({error}). Delete it and run again.") from error


def _expect_shape(name: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ValueError(f"{name} has the shape {array.shape}, not {shape}")
