"""Unpack a published table."""

from unit_clusters_paper.results.published import decompress
from unit_clusters_paper.runs.logs import logged_to


def main(job):
    decompress(job.input[0], job.output[0])


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
