"""The trained networks of a cohort, and what the tables say of them."""

import logging
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter

import torch
from torch import Tensor

from unit_clusters_paper.data.idx import Dataset
from unit_clusters_paper.data.images import prepare
from unit_clusters_paper.networks import training
from unit_clusters_paper.networks.ensemble import Ensemble, initialize
from unit_clusters_paper.networks.evaluation import describe
from unit_clusters_paper.runs.columns import RUN_COLUMNS

HISTORY = (*RUN_COLUMNS, *training.Epoch._fields[1:])
"""Columns of a cohort's history, a row an epoch."""


def train_cohort(
    runs: Sequence[Mapping],
    hidden: Sequence[int],
    dataset: Dataset,
    validation_share: float,
    settings: training.Settings,
) -> tuple[Ensemble, list[Tensor] | None, list[dict], list[dict]]:
    """Train the networks, those of one seed at a time.

    Returns:
        The networks, their `training.Trained.assignments`, and the rows of models.csv and of the history.

    Args:
        runs: as `Cohort.runs` names them, seed by seed.
        hidden: units of each hidden layer.
        dataset: the images.
        validation_share: of the training images.
        settings: how to train.
    """
    data = prepare(dataset, validation_share, torch.float32, settings.device)
    sizes = (dataset.pixels, *hidden, dataset.classes)
    parameters, assignments, history = [], [], []
    for seed, group in groupby(runs, itemgetter("seed")):
        together = [training.Run(**{key: run[key] for key in training.Run._fields}) for run in group]
        names = ", ".join(run.id for run in together)
        logging.info("%d networks of seed %d, at most %s epochs: %s", len(together), seed, settings.max_epochs, names)
        start = initialize(sizes, [seed] * len(together)).to(settings.device)
        trained = training.train(start, data, together, settings)
        parameters.append(trained.ensemble.parameters)
        assignments.append(trained.assignments or [])
        history += trained.history
    ensemble = Ensemble(torch.cat(parameters), sizes)
    finite = training.finite_epochs(history)
    rows = zip(runs, describe(ensemble, data, [run["seed"] for run in runs]), strict=True)
    by_id = {run["id"]: run for run in runs}
    return (
        ensemble,
        [torch.cat(layer) for layer in zip(*assignments, strict=True)] or None,
        [run | {"trained": True, "epochs": finite[run["id"]]} | row for run, row in rows],
        [by_id[epoch.run] | epoch._asdict() for epoch in history],
    )
