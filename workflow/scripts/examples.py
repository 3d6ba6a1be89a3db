"""Gather the layers that Figs. 1 and 3 show."""

import pandas as pd

from unit_clusters_paper.figures import examples
from unit_clusters_paper.results.tables import whole
from unit_clusters_paper.runs.logs import logged_to


def main(job):
    spec = job.params.job
    modularity = pd.read_csv(whole(job.input.modularity))
    layers = zip(spec["strengths"], job.input.matrices, job.input.clusters, strict=True)
    examples.write(examples.choose(modularity, layers, spec["chosen"]), job.output[0])


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
