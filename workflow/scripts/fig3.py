"""Draw Figure 3."""

import pandas as pd

from unit_clusters.data.idx import CLASSES, SIDE
from unit_clusters.figures import examples, fig3, style
from unit_clusters.results.tables import whole
from unit_clusters.runs.logs import logged_to


def main(job):
    modularity, models = pd.read_csv(whole(job.input.modularity)), pd.read_csv(whole(job.input.models))
    shown = examples.read(job.input.examples)
    style.save(fig3.draw(modularity, models, shown, [SIDE**2, *job.params.job["hidden"], CLASSES]), job.output)


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
