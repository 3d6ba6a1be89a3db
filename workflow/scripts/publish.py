"""Keep a finished run in the repository: tables, figures, claims, the examples, and how it came about."""

import shutil
from pathlib import Path

from unit_clusters.logs import logged_to
from unit_clusters.published import compress


def main(job):
    published = Path(job.params.job["folder"])
    for table in job.input.tables:
        compress(table, published / "tables" / f"{Path(table).name}.gz")
    for file in [*job.input.figures, *job.input.claims]:
        (published / "figures").mkdir(parents=True, exist_ok=True)
        folder = published if file in job.input.claims else published / "figures"
        shutil.copyfile(file, folder / Path(file).name)
    for file in (job.input.examples, job.input.provenance):
        shutil.copyfile(file, published / Path(file).name)


if "snakemake" in globals():
    with logged_to(snakemake.log[0], [snakemake.params.job["folder"]]):
        main(snakemake)
