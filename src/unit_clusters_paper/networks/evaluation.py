"""How well networks classify, and how large their weights are."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from unit_clusters_paper.data.images import Data, Images, batches
from unit_clusters_paper.networks.ensemble import Ensemble, Stack

BATCH = 1000
SPARSITY_THRESHOLD = 1e-3
"""A weight smaller than this counts as zero in the sparsity (Fig. S2)."""

MODELS = (
    *("experiment", "regularizer", "strength", "l1", "l2", "dropout", "upstream", "downstream"),
    *("seed", "trained", "epochs"),
    *("train_loss", "train_accuracy", "val_loss", "val_accuracy", "test_loss", "test_accuracy"),
    *("l1_norm", "l2_norm", "nuclear_norm", "sparsity"),
)
"""Columns of models.csv."""


@torch.inference_mode()
def evaluate(
    stack: Stack, images: Images, index: Int[Tensor, " some"]
) -> tuple[Float[Tensor, " models"], Float[Tensor, " models"]]:
    """Mean cross-entropy and accuracy of each network on the images at `index`, without dropout."""
    totals = stack.rest.new_zeros(2, len(stack), dtype=torch.float64)
    for batch in batches(images, index, BATCH):
        logits = stack.forward(batch)[1]
        labels = batch.labels.expand(len(stack), -1)
        totals[0] += cross_entropy(logits, labels, reduction="none").sum(1)
        totals[1] += (logits.argmax(1) == labels).sum(1)
    loss, accuracy = totals / len(index)
    return loss, accuracy


def performance(ensemble: Ensemble, data: Data, seeds: Sequence[int]) -> dict[str, Float[Tensor, " models"]]:
    """Loss and accuracy of each network on the training and validation images of its seed, and on the test images."""
    test = torch.arange(len(data.test.labels), device=ensemble.parameters.device)
    columns = {f"{part}_{what}": [] for part in ("train", "val", "test") for what in ("loss", "accuracy")}
    for model, seed in enumerate(seeds):
        train, validation = data.split(seed)
        stack = Stack.of(ensemble[model : model + 1])
        for part, images, index in (
            ("train", data.training, train),
            ("val", data.training, validation),
            ("test", data.test, test),
        ):
            loss, accuracy = evaluate(stack, images, index)
            columns[f"{part}_loss"].append(loss)
            columns[f"{part}_accuracy"].append(accuracy)
    return {name: torch.cat(values) for name, values in columns.items()}


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


def describe(ensemble: Ensemble, data: Data, seeds: Sequence[int]) -> list[dict[str, float]]:
    """What the table of models says of each network, by column: `performance` and `weight_statistics`."""
    columns = performance(ensemble, data, seeds) | weight_statistics(ensemble)
    return [dict(zip(columns, row, strict=True)) for row in zip(*(c.tolist() for c in columns.values()), strict=True)]
