"""Cluster the units of one layer by all eight measures, for each network of a cohort."""

import logging

import numpy as np

from unit_clusters.clusters.modularity import cluster, contrast, largest_share
from unit_clusters.clusters.restarts import other_searches, restarts
from unit_clusters.results import tables
from unit_clusters.results.layer_files import Searches, read_similarity, write_labels
from unit_clusters.runs.logs import logged_to
from unit_clusters.runs.streams import stream
from unit_clusters.similarity.measures import FORMS, all_forms

COLUMNS = (
    *(*tables.RUN, "layer", "measure", "normalized"),
    *("q", "q_spectral", "num_clusters", "used_clusters", "dead_units", "contrast", "largest_share"),
    *("q_best", "q_spread", "best_restarts", "q_leiden", "q_from_one_cluster", "q_from_one_cluster_full"),
)


def search(matrix, run, layer, form, spec):
    """The clusters of one matrix by all searches, and its row in the table."""

    def rng(purpose, *number):
        return stream(run["id"], purpose, layer, str(form), *number)

    options = {"steps": spec["steps"], "entropy": spec["entropy"]}
    found = cluster(matrix, rng("clusters"), **options)
    again = cluster(matrix, rng("again"), **options)
    rngs = [rng("restart", number) for number in range(spec["restarts"])]
    numbers, partitions = restarts(matrix, found, rngs, **options)
    return Searches(found.labels, again.labels, *partitions), {
        **run,
        "layer": layer,
        **form._asdict(),
        **found._asdict(),
        "contrast": contrast(matrix, found.labels),
        "largest_share": largest_share(found.labels),
        **numbers._asdict(),
        **other_searches(matrix, rng("other searches"), **options)._asdict(),
    }


def search_all(matrices, run, layer, spec):
    """The clusters of one layer of one network under all forms, and their rows."""
    forms = zip(FORMS, all_forms(matrices), strict=True)
    found, rows = zip(*(search(matrix, run, layer, form, spec) for form, matrix in forms), strict=True)
    return Searches(*map(np.stack, zip(*found, strict=True))), rows


def main(job):
    spec = job.params.job
    networks = zip(spec["runs"], read_similarity(job.input.similarity, len(spec["runs"])), strict=True)
    searches, rows = [], []
    for number, (run, matrices) in enumerate(networks, start=1):
        found, here = search_all(matrices, run, spec["layer"], spec)
        searches.append(found)
        rows += here
        logging.info("%s, layer %d: %d of %d networks", run["id"], spec["layer"], number, len(spec["runs"]))
    write_labels(Searches(*map(np.stack, zip(*searches, strict=True))), job.output.labels)
    tables.write(COLUMNS, rows, job.output.modularity)


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
