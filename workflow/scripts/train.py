"""Train the networks of a cohort."""

from collections import Counter
from pathlib import Path

import torch

from unit_clusters import datasets, evaluation, network, tables, training
from unit_clusters.logs import logged_to

HISTORY = (*tables.RUN, "epoch", "learning_rate", "train_loss", "train_accuracy", "val_loss", "val_accuracy")


def main(job):
    torch.set_num_threads(job.threads)
    spec = job.params.job
    settings = training.Settings(**spec["training"])
    runs = {run["id"]: run for run in spec["runs"]}
    seeds = [run["seed"] for run in spec["runs"]]
    dataset = datasets.load(Path(job.input.images).parent)
    data = evaluation.prepare(dataset, spec["validation_share"], seeds, torch.float32, settings.device)
    sizes = (dataset.train_images.shape[1], *spec["hidden"], datasets.CLASSES)

    ensemble, history = training.train(
        network.initialize(sizes, seeds).to(settings.device),
        data,
        [training.Run(run["id"], run["l1"], run["l2"], run["dropout"]) for run in spec["runs"]],
        settings,
    )

    network.save(ensemble, list(runs), job.output.networks)
    epochs = Counter(epoch.run for epoch in history)
    tables.write(HISTORY, (runs[epoch.run] | epoch._asdict() for epoch in history), job.output.history)
    tables.write(
        evaluation.COLUMNS,
        [
            run | {"trained": True, "epochs": epochs[id]} | row
            for (id, run), row in zip(runs.items(), evaluation.describe(ensemble, data), strict=True)
        ],
        job.output.models,
    )


if "snakemake" in globals():
    with logged_to(snakemake.log[0]):
        main(snakemake)
