"""How well networks classify, and how large their weights are."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.nn.functional import cross_entropy

from unit_clusters.datasets import Dataset, split
from unit_clusters.network import Ensemble

BATCH = 1000
SPARSITY_THRESHOLD = 1e-3
"""A weight smaller than this counts as zero in the sparsity (Fig. S2)."""

COLUMNS = (
    *("experiment", "regularizer", "strength", "l1", "l2", "dropout", "seed", "trained", "epochs"),
    *("train_loss", "train_accuracy", "val_loss", "val_accuracy", "test_loss", "test_accuracy"),
    *("l1_norm", "l2_norm", "nuclear_norm", "sparsity"),
)
"""The table of models."""


class Images:
    """Images as bytes, with their labels; networks see pixels in [0, 1]."""

    def __init__(self, pixels: UInt8[Tensor, "images pixels"], labels: Int[Tensor, " images"], dtype: torch.dtype):
        self.pixels, self.labels, self.dtype = pixels, labels, dtype
        # Reused from batch to batch: fresh memory for each would cost more than the copy.
        self._bytes = pixels.new_empty(0)
        self._values = pixels.new_empty(0, dtype=dtype)

    def __len__(self) -> int:
        return len(self.labels)

    def batch(
        self, index: Int[Tensor, "models batch"]
    ) -> tuple[Float[Tensor, "models batch pixels"], Int[Tensor, "models batch"]]:
        """The images and labels at `index`. The next call overwrites the images."""
        rows = index.flatten()
        shape = (len(rows), self.pixels.shape[1])
        torch.index_select(self.pixels, 0, rows, out=self._bytes.resize_(shape))
        values = self._values.resize_(shape).copy_(self._bytes).div_(255)
        return values.unflatten(0, index.shape), self.labels[index]


class Data(NamedTuple):
    """All images, and which of the training images each network trains on and is validated on."""

    training: Images
    test: Images
    train_index: Int[Tensor, "models train"]
    val_index: Int[Tensor, "models val"]


def prepare(
    dataset: Dataset, validation_share: float, seeds: Sequence[int], dtype: torch.dtype, device: str = "cpu"
) -> Data:
    """Put a data set on the device, split for each seed."""
    splits = zip(*(split(len(dataset.train_labels), validation_share, seed) for seed in seeds), strict=True)
    train_index, val_index = (torch.from_numpy(np.stack(indices)).to(device) for indices in splits)
    training, test = (
        Images(torch.from_numpy(pixels).to(device), torch.from_numpy(labels.astype(np.int64)).to(device), dtype)
        for pixels, labels in (dataset[:2], dataset[2:])
    )
    return Data(training, test, train_index, val_index)


def evaluate(
    ensemble: Ensemble, images: Images, index: Int[Tensor, "models some"]
) -> tuple[Float[Tensor, " models"], Float[Tensor, " models"]]:
    """Mean cross-entropy and accuracy of each network on its own images, without dropout."""
    totals = ensemble.parameters.new_zeros(2, len(ensemble), dtype=torch.float64)
    for batch_index in index.split(BATCH, dim=1):
        x, y = images.batch(batch_index)
        logits = ensemble.forward(x)[1].transpose(1, 2)
        totals[0] += cross_entropy(logits, y, reduction="none").sum(1)
        totals[1] += (logits.argmax(1) == y).sum(1)
    loss, accuracy = totals / index.shape[1]
    return loss, accuracy


def performance(ensemble: Ensemble, data: Data) -> dict[str, Float[Tensor, " models"]]:
    """Loss and accuracy of each network on its training and validation images, and on the test images."""
    test_index = torch.arange(len(data.test), device=data.train_index.device).expand(len(ensemble), -1)
    columns = {}
    for part, images, index in (
        ("train", data.training, data.train_index),
        ("val", data.training, data.val_index),
        ("test", data.test, test_index),
    ):
        columns[f"{part}_loss"], columns[f"{part}_accuracy"] = evaluate(ensemble, images, index)
    return columns


def weight_statistics(ensemble: Ensemble) -> dict[str, Float[Tensor, " models"]]:
    """L1 norm, L2 norm (the sum of squares), nuclear norm and sparsity over all weights and no biases (Fig. S2).

    The nuclear norm is summed over layers; the sparsity is the share of weights below 1e-3 in size.
    """
    weights = ensemble.weight_rows.double()
    return {
        "l1_norm": weights.abs().sum(1),
        "l2_norm": weights.square().sum(1),
        "nuclear_norm": sum(torch.linalg.svdvals(weight.double()).sum(1) for weight in ensemble.weights),
        "sparsity": (weights.abs() < SPARSITY_THRESHOLD).double().mean(1),
    }


def describe(ensemble: Ensemble, data: Data) -> list[dict[str, float]]:
    """What the table of models says of each network, by column: `performance` and `weight_statistics`."""
    columns = performance(ensemble, data) | weight_statistics(ensemble)
    return [dict(zip(columns, row, strict=True)) for row in zip(*(c.tolist() for c in columns.values()), strict=True)]
