"""Lesion the clusters of a cohort's networks."""

from pathlib import Path

import torch

from unit_clusters_paper.data import idx
from unit_clusters_paper.networks import ensemble
from unit_clusters_paper.results import tables
from unit_clusters_paper.results.layer_files import read_labels
from unit_clusters_paper.results.lesions import COLUMNS, lesion_rows
from unit_clusters_paper.runs.logs import logged_to
from unit_clusters_paper.runs.threads import compute_with


def main(job):
    compute_with(job.threads)
    spec = job.params.job
    networks, _ = ensemble.load(job.input.networks, [run["id"] for run in spec["runs"]])
    labels = read_labels(job.input.labels, len(spec["runs"]), networks.sizes[1:-1])
    images, classes = idx.load_test(Path(job.input.images).parent)
    shown = [torch.from_numpy(array[: spec["images"]]) for array in (images.reshape(len(images), -1), classes)]
    rows = lesion_rows(networks, labels, spec["runs"], spec["seeds"], shown[0], shown[1].long(), spec["sets"])
    tables.write(COLUMNS, rows, job.output[0])


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
