"""Draw a figure from tables: the module unit_clusters.figures.{figure} says how."""

from importlib import import_module

import pandas as pd

from unit_clusters.figures import style
from unit_clusters.results.tables import whole
from unit_clusters.runs.logs import logged_to


def main(job):
    module = import_module(f"unit_clusters.figures.{job.params.job['figure']}")
    tables = {name: pd.read_csv(whole(path)) for name, path in job.input.items() if name != "modules"}
    style.save(module.draw(**tables, **job.params.job["options"]), job.output)


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
