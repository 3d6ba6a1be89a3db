"""Unpack a published table."""

from unit_clusters.logs import logged_to
from unit_clusters.published import decompress


def main(job):
    decompress(job.input[0], job.output[0])


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
