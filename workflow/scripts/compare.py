"""Compare the clusterings of one layer by all eight measures, for each network of a cohort."""

from unit_clusters import tables
from unit_clusters.agreement import compare
from unit_clusters.layer_files import read_labels, read_similarity
from unit_clusters.logs import logged_to
from unit_clusters.measures import FORMS, all_forms
from unit_clusters.modularity import adjacency

COLUMNS = (
    *(*tables.RUN, "layer", "measure_a", "normalized_a", "measure_b", "normalized_b"),
    *("element_similarity", "element_similarity_alive", "transferability"),
)


def main(job):
    spec = job.params.job
    similarity, labels = read_similarity(job.input.similarity), read_labels(job.input.labels)
    rows = []
    for run, matrices, clusterings in zip(spec["runs"], similarity, labels, strict=True):
        scores = compare([adjacency(matrix) for matrix in all_forms(matrices)], clusterings)
        for (a, b), score in scores.items():
            pair = {
                "measure_a": FORMS[a].measure,
                "normalized_a": FORMS[a].normalized,
                "measure_b": FORMS[b].measure,
                "normalized_b": FORMS[b].normalized,
            }
            rows.append(run | {"layer": spec["layer"]} | pair | score._asdict())
    tables.write(COLUMNS, rows, job.output[0])


if "snakemake" in globals():
    with logged_to(snakemake.log[0]):
        main(snakemake)
