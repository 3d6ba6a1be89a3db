"""Cluster the units of the hidden layers of a cohort's networks by all measures, and the graphs of their weights."""

from unit_clusters_paper.results import tables
from unit_clusters_paper.results.clustering import MODULARITY, search_layers
from unit_clusters_paper.results.layer_files import read_halves, read_similarity, write_labels
from unit_clusters_paper.results.weights import WEIGHTS, read_weights, weight_rows
from unit_clusters_paper.runs.logs import logged_to


def main(job):
    spec = job.params.job
    runs = spec["runs"]
    similarity, halves = read_similarity(job.input.similarity, len(runs)), read_halves(job.input.halves, len(runs))
    labels, rows = search_layers(similarity, halves, runs, spec["clustering"])
    write_labels(labels, job.output.labels)
    tables.write(MODULARITY, rows, job.output.modularity)
    layers = read_weights(job.input.networks) if job.input.networks else None
    tables.write(WEIGHTS, weight_rows(layers, runs, spec["clustering"]) if layers else [], job.output.weights)


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
