"""Initialise the untrained networks of a cohort."""

import logging
from pathlib import Path

import torch

from unit_clusters.data import idx, images
from unit_clusters.networks import ensemble as network
from unit_clusters.networks import evaluation
from unit_clusters.results import tables
from unit_clusters.runs.logs import logged_to


def main(job):
    torch.set_num_threads(job.threads)
    spec = job.params.job
    seeds = [run["seed"] for run in spec["runs"]]
    dataset = idx.load(Path(job.input.images).parent)
    data = images.prepare(dataset, spec["validation_share"], torch.float32)
    sizes = (dataset.train_images.shape[1], *spec["hidden"], idx.CLASSES)

    logging.info("%d networks: %s", len(seeds), ", ".join(run["id"] for run in spec["runs"]))
    ensemble = network.initialize(sizes, seeds)

    network.save(ensemble, [run["id"] for run in spec["runs"]], job.output.networks)
    rows = evaluation.describe(ensemble, data, seeds)
    tables.write(
        evaluation.COLUMNS,
        [run | {"trained": False, "epochs": 0} | row for run, row in zip(spec["runs"], rows, strict=True)],
        job.output.models,
    )


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
