"""Train the networks of one or more cohorts of one architecture, all as one ensemble."""

import logging
from collections import Counter
from pathlib import Path

import torch

from unit_clusters import datasets, evaluation, network, tables, training
from unit_clusters.logs import logged_to

HISTORY = (*tables.RUN, "epoch", "learning_rate", "train_loss", "train_accuracy", "val_loss", "val_accuracy")


def main(job):
    torch.set_num_threads(job.threads)
    spec, cohorts = job.params.job, job.params.cohorts
    settings = training.Settings(**spec["training"])
    runs = {run["id"]: run for cohort in cohorts for run in cohort}
    seeds = [run["seed"] for run in runs.values()]
    dataset = datasets.load(Path(job.input.images).parent)
    data = evaluation.prepare(dataset, spec["validation_share"], seeds, torch.float32, settings.device)
    sizes = (dataset.train_images.shape[1], *spec["hidden"], datasets.CLASSES)

    logging.info("%d networks, at most %d epochs: %s", len(runs), settings.max_epochs, ", ".join(runs))
    ensemble, history = training.train(
        network.initialize(sizes, seeds).to(settings.device),
        data,
        [training.Run(run["id"], run["l1"], run["l2"], run["dropout"]) for run in runs.values()],
        settings,
    )

    rows = dict(zip(runs, evaluation.describe(ensemble, data), strict=True))
    epochs = Counter(epoch.run for epoch in history)
    first = 0
    for cohort, *files in zip(cohorts, job.output.networks, job.output.history, job.output.models, strict=True):
        here = {run["id"]: run for run in cohort}
        network.save(ensemble[first : first + len(here)], list(here), files[0])
        first += len(here)
        tables.write(HISTORY, (runs[epoch.run] | epoch._asdict() for epoch in history if epoch.run in here), files[1])
        trained = [run | {"trained": True, "epochs": epochs[id]} | rows[id] for id, run in here.items()]
        tables.write(evaluation.COLUMNS, trained, files[2])


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
