"""The networks of a cohort, trained or only initialised, and what the tables say of them."""

import logging
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter

import torch

from unit_clusters.data.idx import Dataset
from unit_clusters.data.images import prepare
from unit_clusters.networks import training
from unit_clusters.networks.ensemble import Ensemble, initialize
from unit_clusters.networks.evaluation import describe
from unit_clusters.results.tables import RUN_COLUMNS

Rows = list[dict]

MODELS = (
    *("experiment", "regularizer", "strength", "l1", "l2", "dropout", "seed", "trained", "epochs"),
    *("train_loss", "train_accuracy", "val_loss", "val_accuracy", "test_loss", "test_accuracy"),
    *("l1_norm", "l2_norm", "nuclear_norm", "sparsity"),
)
"""Columns of models.csv."""

HISTORY = (*RUN_COLUMNS, "epoch", "learning_rate", "train_loss", "train_accuracy", "val_loss", "val_accuracy")
"""Columns of a cohort's history, a row an epoch."""


def train_cohort(
    runs: Sequence[Mapping],
    hidden: Sequence[int],
    dataset: Dataset,
    validation_share: float,
    settings: training.Settings,
) -> tuple[Ensemble, Rows, Rows]:
    """Train the networks, those of one seed at a time; return them with the rows of models.csv and of the history.

    Args:
        runs: as `Cohort.runs` names them, seed by seed.
        hidden: units of each hidden layer.
        dataset: the images.
        validation_share: of the training images.
        settings: how to train.
    """
    data = prepare(dataset, validation_share, torch.float32, settings.device)
    sizes = _sizes(dataset, hidden)
    parameters, history = [], []
    for seed, group in groupby(runs, itemgetter("seed")):
        together = [training.Run(**{key: run[key] for key in training.Run._fields}) for run in group]
        names = ", ".join(run.id for run in together)
        logging.info("%d networks of seed %d, at most %s epochs: %s", len(together), seed, settings.max_epochs, names)
        start = initialize(sizes, [seed] * len(together)).to(settings.device)
        trained, epochs = training.train(start, data, together, settings)
        parameters.append(trained.parameters)
        history += epochs
    ensemble = Ensemble(torch.cat(parameters), sizes)
    finite = training.finite_epochs(history)
    rows = zip(runs, describe(ensemble, data, [run["seed"] for run in runs]), strict=True)
    by_id = {run["id"]: run for run in runs}
    return (
        ensemble,
        [run | {"trained": True, "epochs": finite[run["id"]]} | row for run, row in rows],
        [by_id[epoch.run] | epoch._asdict() for epoch in history],
    )


def initialize_cohort(
    runs: Sequence[Mapping], hidden: Sequence[int], dataset: Dataset, validation_share: float
) -> tuple[Ensemble, Rows]:
    """Networks as initialised, with the rows of models.csv; arguments as for `train_cohort`."""
    seeds = [run["seed"] for run in runs]
    logging.info("%d networks: %s", len(runs), ", ".join(run["id"] for run in runs))
    ensemble = initialize(_sizes(dataset, hidden), seeds)
    described = describe(ensemble, prepare(dataset, validation_share, torch.float32), seeds)
    rows = [run | {"trained": False, "epochs": 0} | row for run, row in zip(runs, described, strict=True)]
    return ensemble, rows


def _sizes(dataset: Dataset, hidden: Sequence[int]) -> tuple[int, ...]:
    return (dataset.pixels, *hidden, dataset.classes)
