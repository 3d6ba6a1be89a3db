"""Compare a run with the published one: its tables, the verdicts on the claims, and what it was made with."""

import json
from pathlib import Path

import pandas as pd

from unit_clusters_paper.results.verification import differences, lost_claims, networks, report, verify
from unit_clusters_paper.runs.files import written_whole
from unit_clusters_paper.runs.logs import logged_to


def main(job):
    run, published = (
        {Path(path).name.partition(".")[0]: pd.read_csv(path) for path in paths}
        for paths in (job.input.run, job.input.published)
    )
    made, kept = (json.loads(Path(path).read_text(encoding="utf-8")) for path in job.input.provenance)
    lost = lost_claims(*(pd.read_csv(path) for path in job.input.claims))
    found = verify(run, published, networks(made["config"]), lost, differences(made, kept))
    with written_whole(job.output[0]) as temporary:
        temporary.write_text(report(found), encoding="utf-8")


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
