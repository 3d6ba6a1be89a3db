"""Fetch and verify MNIST."""

from pathlib import Path

from unit_clusters.data.idx import write_checksums
from unit_clusters.data.sources import fetch_mnist
from unit_clusters.runs.logs import logged_to


def main(job):
    destination, folder = Path(job.output[0]).parent, job.params.folder
    fetch_mnist(destination, None if folder is None else Path(folder).expanduser())
    write_checksums(destination)


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
