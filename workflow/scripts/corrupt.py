"""Show corrupted test images to the networks of a cohort."""

from pathlib import Path

from unit_clusters_paper.data import idx
from unit_clusters_paper.networks import ensemble
from unit_clusters_paper.networks.corruption import CORRUPTED, rows
from unit_clusters_paper.results import tables
from unit_clusters_paper.runs.logs import logged_to
from unit_clusters_paper.runs.threads import compute_with


def main(job):
    compute_with(job.threads)
    runs = job.params.job["runs"]
    networks, _ = ensemble.load(job.input.networks, [run["id"] for run in runs])
    images, labels = idx.load_test(Path(job.input.images).parent)
    tables.write(CORRUPTED, rows(runs, networks, images, labels), job.output[0])


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
