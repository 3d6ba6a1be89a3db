"""Compute the similarity matrices of the hidden layers of a cohort's networks."""

from pathlib import Path

import torch

from unit_clusters_paper.data import idx
from unit_clusters_paper.networks import ensemble
from unit_clusters_paper.networks.similarity import similarities
from unit_clusters_paper.results.layer_files import write_measured
from unit_clusters_paper.runs.logs import logged_to
from unit_clusters_paper.runs.threads import compute_with


def main(job):
    compute_with(job.threads)
    spec = job.params.job
    networks, _ = ensemble.load(job.input.networks, spec["runs"])
    images = idx.load_images(Path(job.input.images).parent, spec["part"])
    found = similarities(networks, torch.from_numpy(images[: spec["images"]]))
    write_measured(found, job.output.similarity, job.output.halves)


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
