"""Our full run, kept in the repository: its tables, gzipped, and the labels of all searches, a file an experiment."""

import gzip
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from unit_clusters_paper.results.layer_files import Searches, named
from unit_clusters_paper.runs.columns import RUN_COLUMNS
from unit_clusters_paper.runs.files import written_whole

KEYS = [
    *(*RUN_COLUMNS, "layer"),
    *("measure", "normalized", "measure_a", "normalized_a", "measure_b", "normalized_b"),
]
"""The columns that name a row of a table, of those that it has."""

NETWORK = RUN_COLUMNS[1:]
"""What names a network of an experiment."""


def compress(source: str | Path, destination: str | Path) -> None:
    """Gzip a file; the same content gives the same bytes."""
    with written_whole(destination) as temporary:
        temporary.write_bytes(gzip.compress(Path(source).read_bytes(), mtime=0))


def decompress(source: str | Path, destination: str | Path) -> None:
    """Undo `compress`."""
    with gzip.open(source) as archive, written_whole(destination) as temporary, temporary.open("wb") as file:
        shutil.copyfileobj(archive, file)


def pack_labels(cohorts: Iterable[tuple[Sequence[Mapping], Sequence[Searches]]], destination: str | Path) -> None:
    """Put the labels of all searches of an experiment into one file; the same labels give the same bytes.

    The labels of one unit by the five searches lie side by side and are often alike, so they compress to 1.7 bits each.

    Args:
        cohorts: of each, its runs, and of each layer the labels of its networks.
        destination: a NumPy archive: `regularizer`, `strength` and `seed` of each network, and for each layer `layer1`
            and so on, of shape (networks, forms, units, searches): labels, again, best, and the two halves.
    """
    runs, layers = [], []
    for of_cohort, searches in cohorts:
        runs += of_cohort
        layers.append([_side_by_side(found) for found in searches])
    arrays = {name: np.array([run[name] for run in runs]) for name in NETWORK}
    for number, parts in enumerate(zip(*layers, strict=True), start=1):
        labels = np.concatenate(parts)
        # the smallest type that holds them: that for as large a negative number
        arrays[f"layer{number}"] = labels.astype(np.min_scalar_type(-int(labels.max(initial=0)) - 1))
    with written_whole(destination) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def _side_by_side(found: Searches) -> np.ndarray:
    single = np.stack([found.labels, found.again, found.best], axis=-1)
    return np.concatenate([single, np.moveaxis(found.halves, 2, -1)], axis=-1)


def unpack_labels(path: str | Path) -> dict[tuple[str, float, int, int], Searches]:
    """What `pack_labels` packed: of each network and layer, by regulariser, strength, seed and layer, the labels.

    Returns:
        Searches without the axis of models, and without the clusters in turned axes, which are not kept.

    Raises:
        ValueError: the file is damaged; the message names it.
    """
    found = {}
    with named(path, "labels") as arrays:
        runs = list(zip(*(arrays[name].tolist() for name in NETWORK), strict=True))
        for layer in range(1, len(arrays.files) - len(NETWORK) + 1):
            for run, labels in zip(runs, np.moveaxis(arrays[f"layer{layer}"], -1, 1).astype(np.int16), strict=True):
                none = np.empty((labels.shape[1], 0, labels.shape[2]), dtype=labels.dtype)
                found[*run, layer] = Searches(*labels[:3], np.moveaxis(labels[3:], 0, 1), none)
    return found
