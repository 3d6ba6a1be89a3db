"""Train the networks of a cohort."""

from pathlib import Path

from unit_clusters_paper.data import idx
from unit_clusters_paper.networks import ensemble
from unit_clusters_paper.networks.evaluation import MODELS
from unit_clusters_paper.networks.trained import HISTORY, train_cohort
from unit_clusters_paper.networks.training import Settings
from unit_clusters_paper.results import tables
from unit_clusters_paper.runs.logs import logged_to
from unit_clusters_paper.runs.threads import compute_with


def main(job):
    compute_with(job.threads)
    spec = job.params.job
    dataset = idx.load(Path(job.input.images).parent)
    settings = Settings(**spec["training"])
    networks, assignments, rows, history = train_cohort(
        spec["runs"], spec["hidden"], dataset, spec["validation_share"], settings
    )
    ensemble.save(networks, [run["id"] for run in spec["runs"]], job.output.networks, assignments)
    tables.write(HISTORY, history, job.output.history)
    tables.write(MODELS, rows, job.output.models)


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
