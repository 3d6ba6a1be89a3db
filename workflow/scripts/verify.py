"""Compare a run with the published one: its tables, the verdicts on the claims, and what it was made with."""

import json
from pathlib import Path

import pandas as pd

from unit_clusters.files import written_whole
from unit_clusters.logs import logged_to
from unit_clusters.published import changed_verdicts, compare, differences, report


def main(job):
    compared = {
        Path(ours).stem: compare(pd.read_csv(ours), pd.read_csv(theirs))
        for ours, theirs in zip(job.input.run, job.input.published, strict=True)
    }
    changed = changed_verdicts(*(pd.read_csv(claims) for claims in job.input.claims))
    other = differences(*(json.loads(Path(provenance).read_text()) for provenance in job.input.provenance))
    with written_whole(job.output[0]) as temporary:
        temporary.write_text(report(compared, changed, other))


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
