"""Cluster the units of one layer by all eight measures, for each network of a cohort."""

import logging

import numpy as np

from unit_clusters import tables
from unit_clusters.layer_files import read_similarity, write_labels
from unit_clusters.logs import logged_to
from unit_clusters.measures import FORMS, all_forms
from unit_clusters.modularity import cluster
from unit_clusters.streams import stream

COLUMNS = (
    *(*tables.RUN, "layer", "measure", "normalized"),
    *("q", "q_spectral", "num_clusters", "used_clusters", "dead_units"),
)


def main(job):
    spec = job.params.job
    similarity = read_similarity(job.input.similarity)
    labels, rows = [], []
    for run, matrices in zip(spec["runs"], similarity, strict=True):
        logging.info("%s, layer %d", run["id"], spec["layer"])
        found = [
            cluster(matrix, stream(run["id"], "clusters", spec["layer"], str(form)), spec["steps"])
            for form, matrix in zip(FORMS, all_forms(matrices), strict=True)
        ]
        labels.append([clustering.labels for clustering in found])
        rows += [
            run | {"layer": spec["layer"]} | form._asdict() | clustering._asdict()
            for form, clustering in zip(FORMS, found, strict=True)
        ]
    write_labels(np.array(labels), job.output.labels)
    tables.write(COLUMNS, rows, job.output.modularity)


if "snakemake" in globals():
    with logged_to(snakemake.log[0]):
        main(snakemake)
