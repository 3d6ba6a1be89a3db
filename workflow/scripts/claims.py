"""Score the paper's claims on the tables of a run."""

import pandas as pd

from unit_clusters.claims import scorecard
from unit_clusters.files import written_whole
from unit_clusters.logs import logged_to


def main(job):
    tables = (pd.read_csv(path) for path in (job.input.models, job.input.modularity, job.input.agreement))
    scored = scorecard.score(*tables)
    scorecard.write_csv(scored, job.output.csv)
    with written_whole(job.output.markdown) as temporary:
        temporary.write_text(scorecard.to_markdown(scored))


if "snakemake" in globals():
    with logged_to(snakemake.log[0]):
        main(snakemake)
