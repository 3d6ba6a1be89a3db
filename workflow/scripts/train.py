"""Train the networks of a cohort, those of one seed at a time."""

import logging
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import torch

from unit_clusters.data import idx, images
from unit_clusters.networks import ensemble as network
from unit_clusters.networks import evaluation, training
from unit_clusters.results import tables
from unit_clusters.runs.logs import logged_to

HISTORY = (*tables.RUN, "epoch", "learning_rate", "train_loss", "train_accuracy", "val_loss", "val_accuracy")


def main(job):
    torch.set_num_threads(job.threads)
    spec = job.params.job
    settings = training.Settings(**spec["training"])
    dataset = idx.load(Path(job.input.images).parent)
    data = images.prepare(dataset, spec["validation_share"], torch.float32, settings.device)
    sizes = (dataset.train_images.shape[1], *spec["hidden"], idx.CLASSES)

    parameters, history = [], []
    for seed, group in groupby(spec["runs"], itemgetter("seed")):
        runs = list(group)
        names = ", ".join(run["id"] for run in runs)
        logging.info("%d networks of seed %d, at most %s epochs: %s", len(runs), seed, settings.max_epochs, names)
        start = network.initialize(sizes, [seed] * len(runs)).to(settings.device)
        trained, epochs = training.train(
            start, data, [training.Run(**{key: run[key] for key in training.Run._fields}) for run in runs], settings
        )
        parameters.append(trained.parameters)
        history += epochs

    ensemble = network.Ensemble(torch.cat(parameters), sizes)
    network.save(ensemble, [run["id"] for run in spec["runs"]], job.output.networks)
    by_id = {run["id"]: run for run in spec["runs"]}
    tables.write(HISTORY, (by_id[epoch.run] | epoch._asdict() for epoch in history), job.output.history)
    finite = training.finite_epochs(history)
    rows = evaluation.describe(ensemble, data, [run["seed"] for run in spec["runs"]])
    tables.write(
        evaluation.COLUMNS,
        [
            run | {"trained": True, "epochs": finite[run["id"]]} | row
            for run, row in zip(spec["runs"], rows, strict=True)
        ],
        job.output.models,
    )


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
