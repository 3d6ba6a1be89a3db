"""Compare the clusters of one layer between all eight measures, and with those of an independent search."""

import logging

from unit_clusters import tables
from unit_clusters.agreement import compare, element_similarities
from unit_clusters.layer_files import read_labels, read_similarity
from unit_clusters.logs import logged_to
from unit_clusters.measures import FORMS, all_forms
from unit_clusters.modularity import adjacency, independent_labels
from unit_clusters.streams import stream

AGREEMENT = (
    *(*tables.RUN, "layer", "measure_a", "normalized_a", "measure_b", "normalized_b"),
    *("element_similarity", "element_similarity_alive", "transferability"),
    *("rmi", "vi", "ari", "nmi", "spearman"),
)
CEILING = (*tables.RUN, "layer", "measure", "normalized", "element_similarity", "element_similarity_alive")


def agreement(matrices, labels):
    """Rows of the agreement between measures."""
    for (a, b), score in compare([adjacency(matrix) for matrix in matrices], labels).items():
        yield {
            "measure_a": FORMS[a].measure,
            "normalized_a": FORMS[a].normalized,
            "measure_b": FORMS[b].measure,
            "normalized_b": FORMS[b].normalized,
            **score._asdict(),
        }


def ceiling(matrices, labels, run, layer, steps):
    """Rows of the agreement between the search that the labels are from and one from a random partition."""
    for form, matrix, found in zip(FORMS, matrices, labels, strict=True):
        independent = independent_labels(matrix, stream(run["id"], "independent", layer, str(form)), steps)
        scores = zip(CEILING[-2:], element_similarities(found, independent), strict=True)
        yield form._asdict() | dict(scores)


def main(job):
    spec, steps = job.params.job, job.params.job["clustering"]["steps"]
    similarity = read_similarity(job.input.similarity, len(spec["runs"]))
    labels = read_labels(job.input.labels, len(spec["runs"]), len(similarity[0]["cov"]))
    between, within = [], []
    networks = zip(spec["runs"], similarity, labels, strict=True)
    for number, (run, measures, found) in enumerate(networks, start=1):
        matrices, here = all_forms(measures), run | {"layer": spec["layer"]}
        between += [here | row for row in agreement(matrices, found)]
        within += [here | row for row in ceiling(matrices, found, run, spec["layer"], steps)]
        logging.info("%s, layer %d: %d of %d networks", run["id"], spec["layer"], number, len(spec["runs"]))
    tables.write(AGREEMENT, between, job.output.agreement)
    tables.write(CEILING, within, job.output.ceiling)


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
