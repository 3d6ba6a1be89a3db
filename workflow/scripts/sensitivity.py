"""What one choice at a time does to the headline numbers."""

import pandas as pd

from unit_clusters.results import sensitivity, tables
from unit_clusters.runs.logs import logged_to


def main(job):
    published, run = (sensitivity.Tables(*map(pd.read_csv, paths)) for paths in (job.input.published, job.input.run))
    rows = [*sensitivity.published_rows(published), *sensitivity.variant_rows(run, job.params.job["variants"])]
    tables.write(sensitivity.COLUMNS, rows, job.output[0])


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
