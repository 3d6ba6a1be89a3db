"""Make the small data set for tests."""

from pathlib import Path

from unit_clusters.data.idx import write_checksums, write_synthetic
from unit_clusters.runs.logs import logged_to


def main(job):
    destination = Path(job.output[0]).parent
    write_synthetic(destination, train=1000, test=500, seed=0)
    write_checksums(destination)


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
