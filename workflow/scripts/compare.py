"""Compare the clusters of each layer between measures, and those of independent searches of one measure."""

from unit_clusters_paper.results import tables
from unit_clusters_paper.results.comparison import AGREEMENT, REPEATS, compare_layers
from unit_clusters_paper.results.layer_files import read_labels, read_similarity
from unit_clusters_paper.runs.logs import logged_to


def main(job):
    spec = job.params.job
    runs = spec["runs"]
    similarity = read_similarity(job.input.similarity, len(runs))
    labels = read_labels(job.input.labels, len(runs), [len(layer[0]["cov"]) for layer in similarity])
    between, within = compare_layers(similarity, labels, runs, spec["clustering"])
    tables.write(AGREEMENT, between, job.output.agreement)
    tables.write(REPEATS, within, job.output.repeats)


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
