"""Fetch and verify MNIST."""

from pathlib import Path

from unit_clusters.datasets import write_checksums
from unit_clusters.logs import logged_to
from unit_clusters.mnist import fetch_mnist


def main(job):
    destination, folder = Path(job.output[0]).parent, job.params.folder
    fetch_mnist(destination, None if folder is None else Path(folder).expanduser())
    write_checksums(destination)


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
