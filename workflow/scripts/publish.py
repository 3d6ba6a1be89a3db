"""Keep a finished run in the repository: tables, figures, claims, the examples' matrices, and how it came about."""

import shutil
from pathlib import Path

from unit_clusters.layer_files import read_labels, read_similarity, write_labels, write_similarity
from unit_clusters.logs import logged_to
from unit_clusters.measures import MEASURES
from unit_clusters.published import compress


def main(job):
    published = Path(job.params.job["folder"])
    for table in job.input.tables:
        compress(table, published / "tables" / f"{Path(table).name}.gz")
    for file in [*job.input.figures, *job.input.claims]:
        (published / "figures").mkdir(parents=True, exist_ok=True)
        folder = published if file in job.input.claims else published / "figures"
        shutil.copyfile(file, folder / Path(file).name)
    # of the examples' cohorts, the one network that is shown
    for source, destination in zip(job.input.matrices, job.params.job["matrices"], strict=True):
        first = read_similarity(source)[0]
        write_similarity({measure: first[measure][None] for measure in MEASURES}, destination)
    for source, destination in zip(job.input.clusters, job.params.job["clusters"], strict=True):
        write_labels(read_labels(source)[:1], destination)
    shutil.copyfile(job.input.provenance, published / "provenance.json")


if "snakemake" in globals():
    with logged_to(snakemake.log[0], [snakemake.params.job["folder"]]):
        main(snakemake)
