"""Accuracy on corrupted test images (ours): noise, blur and occlusion, each by severities from 0, which is none.

Images stay bytes. Random numbers are drawn by the corruption alone. So all networks are shown the same images, and one
severity differs from another by its size only: the same noise is larger, the same place is covered further.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float, Float64, UInt8
from scipy.ndimage import gaussian_filter

from unit_clusters.streams import stream
from unit_clusters_paper.data.images import Images
from unit_clusters_paper.networks.ensemble import Ensemble, Stack
from unit_clusters_paper.networks.evaluation import evaluate
from unit_clusters_paper.runs.columns import RUN_COLUMNS

SEVERITIES = range(6)

CORRUPTED = (*RUN_COLUMNS, "corruption", "severity", "accuracy")
"""Columns of corrupted.csv."""


def noise(
    images: UInt8[np.ndarray, "images rows columns"], severity: int
) -> Float64[np.ndarray, "images rows columns"]:
    """Normal numbers are added to all pixels, of a standard deviation of a tenth of white for each severity."""
    return images + 25.5 * severity * stream("corruption", "noise").standard_normal(images.shape)


def blur(images: UInt8[np.ndarray, "images rows columns"], severity: int) -> Float64[np.ndarray, "images rows columns"]:
    """A Gaussian, of a standard deviation of half a pixel for each severity; around the image all is black."""
    return gaussian_filter(images.astype(float), (0, severity / 2, severity / 2), mode="constant")


def occlusion(
    images: UInt8[np.ndarray, "images rows columns"], severity: int
) -> Float64[np.ndarray, "images rows columns"]:
    """A black square somewhere in the image, of three pixels a side for each severity."""
    covered = images.astype(float)
    side = 3 * severity
    free = np.maximum(np.array(images.shape[1:]) - side, 0) + 1  # places of its corner along each axis
    corners = (stream("corruption", "occlusion").random((len(images), 2)) * free).astype(int)
    for image, (row, column) in zip(covered, corners, strict=True):
        image[row : row + side, column : column + side] = 0
    return covered


CORRUPTIONS = {"noise": noise, "blur": blur, "occlusion": occlusion}


def corrupt(
    images: UInt8[np.ndarray, "images rows columns"], corruption: str, severity: int
) -> UInt8[np.ndarray, "images rows columns"]:
    """The images under one of CORRUPTIONS, rounded to bytes; severity 0 leaves them as they are."""
    return CORRUPTIONS[corruption](images, severity).round().clip(0, 255).astype(np.uint8)


def robustness(
    ensemble: Ensemble, images: UInt8[np.ndarray, "images rows columns"], labels: UInt8[np.ndarray, " images"]
) -> Iterator[tuple[str, int, Float[torch.Tensor, " models"]]]:
    """The accuracy of each network by corruption and severity."""
    classes, every = torch.from_numpy(labels.astype(np.int64)), torch.arange(len(labels))
    stack = Stack.of(ensemble)
    for corruption in CORRUPTIONS:
        for severity in SEVERITIES:
            shown = torch.from_numpy(corrupt(images, corruption, severity).reshape(len(images), -1))
            _, accuracy = evaluate(stack, Images(shown, classes, ensemble.parameters.dtype), every)
            yield corruption, severity, accuracy


def rows(
    runs: Sequence[Mapping],
    ensemble: Ensemble,
    images: UInt8[np.ndarray, "images rows columns"],
    labels: UInt8[np.ndarray, " images"],
) -> list[dict]:
    """Those of corrupted.csv, network by network; the runs are as `Cohort.runs` names them."""
    found = [
        {**run, "corruption": corruption, "severity": severity, "accuracy": accuracy}
        for corruption, severity, accuracies in robustness(ensemble, images, labels)
        for run, accuracy in zip(runs, accuracies.tolist(), strict=True)
    ]
    return [row for run in runs for row in found if row["id"] == run["id"]]
