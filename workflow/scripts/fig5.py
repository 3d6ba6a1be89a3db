"""Draw Figure 5."""

import pandas as pd

from unit_clusters.figures import fig5, style
from unit_clusters.logs import logged_to


def main(job):
    style.save(fig5.draw(pd.read_csv(job.input.agreement), pd.read_csv(job.input.models)), job.output)


if "snakemake" in globals():
    with logged_to(snakemake.log[0]):
        main(snakemake)
