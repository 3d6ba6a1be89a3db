"""Draw a figure: the module of unit_clusters_paper.figures that its entry in the catalog names says how."""

from importlib import import_module

from unit_clusters_paper.figures.files import save
from unit_clusters_paper.results.selection import read
from unit_clusters_paper.runs.logs import logged_to


def module(name):
    """Of a figure; not imported by name above, since each figure depends on its own modules only."""
    return import_module(f"unit_clusters_paper.figures.{name}")


def main(job):
    spec, files = job.params.job, dict(job.input.items())
    shown = {"examples": module("examples").read(files.pop("examples"))} if "examples" in files else {}
    figure = module(spec["module"]).draw(**read(files, spec["min_test_accuracy"]), **shown, **spec["options"])
    save(figure, job.output)


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
