"""Compare the clusters of one layer between all eight measures, and those of independent searches of one measure."""

import logging

from unit_clusters.clusters.agreement import Agreement, Repeats, compare, compare_repeats
from unit_clusters.clusters.modularity import adjacency
from unit_clusters.results import tables
from unit_clusters.results.layer_files import Searches, read_labels, read_similarity
from unit_clusters.runs.logs import logged_to
from unit_clusters.similarity.measures import FORMS, all_forms

AGREEMENT = (
    *(*tables.RUN, "layer", "measure_a", "normalized_a", "measure_b", "normalized_b"),
    *Agreement._fields,
)
REPEATS = (*tables.RUN, "layer", "measure", "normalized", *Repeats._fields)


def agreement(matrices, searches):
    """Rows of the agreement between measures."""
    scores = compare([adjacency(matrix) for matrix in matrices], searches.labels, searches.best)
    for (a, b), score in scores.items():
        yield {
            "measure_a": FORMS[a].measure,
            "normalized_a": FORMS[a].normalized,
            "measure_b": FORMS[b].measure,
            "normalized_b": FORMS[b].normalized,
            **score._asdict(),
        }


def repeats(searches):
    """Rows of the agreement between independent searches of one matrix."""
    for form, labels, again, halves in zip(FORMS, searches.labels, searches.again, searches.halves, strict=True):
        yield form._asdict() | compare_repeats(labels, again, halves)._asdict()


def main(job):
    spec = job.params.job
    similarity = read_similarity(job.input.similarity, len(spec["runs"]))
    found = read_labels(job.input.labels, len(spec["runs"]), len(similarity[0]["cov"]))
    between, within = [], []
    networks = zip(spec["runs"], similarity, *found, strict=True)
    for number, (run, measures, *labels) in enumerate(networks, start=1):
        searches, here = Searches(*labels), run | {"layer": spec["layer"]}
        between += [here | row for row in agreement(all_forms(measures), searches)]
        within += [here | row for row in repeats(searches)]
        logging.info("%s, layer %d: %d of %d networks", run["id"], spec["layer"], number, len(spec["runs"]))
    tables.write(AGREEMENT, between, job.output.agreement)
    tables.write(REPEATS, within, job.output.repeats)


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
