"""What one choice at a time does to the headline numbers."""

from unit_clusters_paper.claims import sensitivity
from unit_clusters_paper.results import tables
from unit_clusters_paper.results.selection import read
from unit_clusters_paper.runs.logs import logged_to


def main(job):
    spec, names = job.params.job, ("models", "modularity", "agreement")
    published, run = (
        read(dict(zip(names, paths, strict=True)), spec["min_test_accuracy"])
        for paths in (job.input.published, job.input.run)
    )
    rows = [*sensitivity.published_rows(published), *sensitivity.variant_rows(run, spec["variants"])]
    tables.write(sensitivity.COLUMNS, rows, job.output[0])


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
