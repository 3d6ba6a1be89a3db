"""Keep a finished run in the repository: tables, figures, claims, labels, the examples, and how it came about."""

import shutil
from pathlib import Path

from unit_clusters_paper.results.layer_files import read_labels
from unit_clusters_paper.results.published import compress, pack_labels
from unit_clusters_paper.runs import sweep
from unit_clusters_paper.runs.logs import logged_to


def labels_by_experiment(config, files):
    """Of each cohort of an experiment its runs, and the labels of each layer; the files are in the cohorts' order."""
    found = {}
    for cohort, file in zip(sweep.cohorts(config) if files else (), files, strict=True):
        found.setdefault(cohort.experiment, []).append((cohort.runs, read_labels(file, len(cohort.runs))))
    return found


def main(job):
    published = Path(job.params.job["folder"])
    for name in ("tables", "figures", "labels"):  # so that nothing of an earlier run stays
        shutil.rmtree(published / name, ignore_errors=True)
    for table in job.input.tables:
        compress(table, published / "tables" / f"{Path(table).name}.gz")
    for experiment, found in labels_by_experiment(job.config, job.input.labels).items():
        pack_labels(found, published / "labels" / f"{experiment}.npz")
    for folder, files in (("figures", job.input.figures), (".", job.input.others)):
        for file in files:
            (published / folder).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, published / folder / Path(file).name)


if "snakemake" in globals():
    with logged_to(snakemake.log[0], [snakemake.params.job["folder"]]):
        main(snakemake)
