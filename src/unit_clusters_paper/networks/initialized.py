"""The untrained networks of a cohort, and what the tables say of them."""

import logging
from collections.abc import Mapping, Sequence

import torch

from unit_clusters_paper.data.idx import Dataset
from unit_clusters_paper.data.images import prepare
from unit_clusters_paper.networks.ensemble import Ensemble, initialize
from unit_clusters_paper.networks.evaluation import describe


def initialize_cohort(
    runs: Sequence[Mapping], hidden: Sequence[int], dataset: Dataset, validation_share: float
) -> tuple[Ensemble, list[dict]]:
    """Networks as initialised, with the rows of models.csv; arguments as for `trained.train_cohort`."""
    seeds = [run["seed"] for run in runs]
    logging.info("%d networks: %s", len(runs), ", ".join(run["id"] for run in runs))
    ensemble = initialize((dataset.pixels, *hidden, dataset.classes), seeds)
    described = describe(ensemble, prepare(dataset, validation_share, torch.float32), seeds)
    rows = [run | {"trained": False, "epochs": 0} | row for run, row in zip(runs, described, strict=True)]
    return ensemble, rows
