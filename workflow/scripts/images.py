"""Fetch and verify a data set, or make the small one for tests."""

from pathlib import Path

from unit_clusters_paper.data import fetch
from unit_clusters_paper.runs.logs import logged_to


def main(job):
    spec = job.params.job
    folder = spec["folder"] and Path(spec["folder"]).expanduser()
    fetch.make(spec["name"], Path(job.output[0]).parent, folder)


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
