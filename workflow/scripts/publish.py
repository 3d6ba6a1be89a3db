"""Keep a finished run in the repository: tables, figures, claims, labels, the examples, and how it came about."""

import shutil
from pathlib import Path

from unit_clusters.results.layer_files import read_labels
from unit_clusters.results.published import compress, pack_labels
from unit_clusters.runs import sweep
from unit_clusters.runs.logs import logged_to


def emptied(folder):
    """So that nothing of an earlier run stays."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def labels_by_experiment(config, files):
    """Of each cohort of an experiment its runs, and the labels of each layer; the files are in the cohorts' order."""
    found, files = {}, iter(files)
    for cohort in sweep.cohorts(config):
        labels = read_labels(next(files), len(cohort.runs))
        found.setdefault(cohort.experiment, []).append((cohort.runs, labels))
    return found


def main(job):
    published = Path(job.params.job["folder"])
    tables, figures, labels = (emptied(published / name) for name in ("tables", "figures", "labels"))
    for table in job.input.tables:
        compress(table, tables / f"{Path(table).name}.gz")
    for experiment, found in labels_by_experiment(job.config, job.input.labels).items():
        pack_labels(found, labels / f"{experiment}.npz")
    for folder, files in ((figures, job.input.figures), (published, job.input.others)):
        for file in files:
            shutil.copyfile(file, folder / Path(file).name)


if "snakemake" in globals():
    with logged_to(snakemake.log[0], [snakemake.params.job["folder"]]):
        main(snakemake)
