"""Put the parts of one table together."""

from unit_clusters_paper.results.tables import concatenate
from unit_clusters_paper.runs.logs import logged_to


def main(job):
    concatenate(job.input.parts, job.output[0])


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
