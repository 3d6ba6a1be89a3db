"""Draw Figure 1, panels B and D."""

import pandas as pd

from unit_clusters.datasets import CLASSES, SIDE
from unit_clusters.figures import fig1, style
from unit_clusters.figures.examples import read_examples
from unit_clusters.logs import logged_to
from unit_clusters.tables import whole


def main(job):
    spec = job.params.job
    modularity = pd.read_csv(whole(job.input.modularity))
    examples = read_examples(modularity, spec["strengths"], job.input.matrices, job.input.clusters)
    style.save(fig1.draw(examples, [SIDE**2, *spec["hidden"], CLASSES]), job.output)


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
