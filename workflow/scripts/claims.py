"""Score the paper's claims on the tables of a run."""

import pandas as pd

from unit_clusters_paper.claims import scorecard
from unit_clusters_paper.results.selection import read
from unit_clusters_paper.runs.files import written_whole
from unit_clusters_paper.runs.logs import logged_to
from unit_clusters_paper.runs.pages import to_html


def main(job):
    least, path = job.params.job["min_test_accuracy"], job.params.job["other"]
    scored = scorecard.score(**read(dict(job.input.items()), least))
    if path:
        scored = scorecard.beside(scored, pd.read_csv(path))
    scorecard.write_csv(scored, job.output.csv)
    text = scorecard.to_markdown(scored, least)
    for path, content in ((job.output.markdown, text), (job.output.html, to_html(text))):
        with written_whole(path) as temporary:
            temporary.write_text(content, encoding="utf-8")


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
