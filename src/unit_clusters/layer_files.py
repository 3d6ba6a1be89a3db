"""Files of one hidden layer of a cohort: its similarity matrices, and its clusters."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from unit_clusters.files import written_whole
from unit_clusters.measures import MEASURES


def write_similarity(similarity: Mapping[str, Float[np.ndarray, "models units units"]], path: str | Path) -> None:
    """Write the matrices of each of the MEASURES, in float32."""
    _write({measure: similarity[measure].astype(np.float32) for measure in MEASURES}, path)


def read_similarity(path: str | Path) -> list[dict[str, Float[np.ndarray, "units units"]]]:
    """For each network, the matrices of the MEASURES.

    Raises:
        ValueError: the file is damaged, or of another kind; the message names it.
    """
    stacks = _read(path, MEASURES)
    return [dict(zip(MEASURES, matrices, strict=True)) for matrices in zip(*stacks, strict=True)]


def write_labels(labels: Int[np.ndarray, "models forms units"], path: str | Path) -> None:
    """Write the cluster of each unit under each of the FORMS."""
    _write({"labels": labels.astype(np.int16)}, path)


def read_labels(path: str | Path) -> Int[np.ndarray, "models forms units"]:
    """Read back what `write_labels` wrote.

    Raises:
        ValueError: the file is damaged, or of another kind; the message names it.
    """
    return _read(path, ("labels",))[0]


def _write(arrays: Mapping[str, np.ndarray], path: str | Path) -> None:
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


def _read(path: str | Path, names: tuple[str, ...]) -> list[np.ndarray]:
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            return [arrays[name] for name in names]
    except (zipfile.BadZipFile, EOFError, KeyError, ValueError) as error:
        raise ValueError(
            f"{path} is not a whole file of {', '.join(names)} ({error}). Delete it and run again."
        ) from error
