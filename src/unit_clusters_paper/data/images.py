"""Images on a device, split by seed, and shown to networks a batch at a time."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from unit_clusters_paper.data.idx import Dataset, split


class Images(NamedTuple):
    """Images as bytes, with their classes; networks see pixels in [0, 1], in the given type."""

    pixels: UInt8[Tensor, "images pixels"]
    labels: Int[Tensor, " images"]
    dtype: torch.dtype


class Batch(NamedTuple):
    """Some images: those of their pixels that are not 0 in all of them, which these are, and the classes."""

    pixels: Float[Tensor, "batch active"]
    active: Int[Tensor, " active"]
    labels: Int[Tensor, " batch"]


class Data(NamedTuple):
    """All images, and how the training images are split."""

    training: Images
    test: Images
    validation_share: float

    def split(self, seed: int) -> tuple[Int[Tensor, " train"], Int[Tensor, " validation"]]:
        """Which of the training images the networks of a seed train on and are validated on."""
        parts = split(len(self.training.labels), self.validation_share, seed)
        train, validation = (torch.from_numpy(part).to(self.training.labels.device) for part in parts)
        return train, validation


def prepare(dataset: Dataset, validation_share: float, dtype: torch.dtype, device: str = "cpu") -> Data:
    """Put a data set on the device."""
    training, test = (
        Images(torch.from_numpy(pixels).to(device), torch.from_numpy(labels.astype(np.int64)).to(device), dtype)
        for pixels, labels in (dataset[:2], dataset[2:])
    )
    return Data(training, test, validation_share)


def batches(images: Images, index: Int[Tensor, " some"], size: int) -> Iterator[Batch]:
    """The images at `index`, `size` at a time."""
    for rows in index.split(size):
        shown = images.pixels.index_select(0, rows)
        active = shown.amax(0).nonzero().squeeze(1)
        values = shown.to(images.dtype).index_select(1, active).div_(255)
        yield Batch(values, active, images.labels[rows])
