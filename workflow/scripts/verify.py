"""Compare a run's tables with the published ones."""

from pathlib import Path

import pandas as pd

from unit_clusters.files import written_whole
from unit_clusters.logs import logged_to
from unit_clusters.published import SAME, SIMILAR, compare


def main(job):
    sections = [
        f"same: to within {SAME:g} of each number; similar: the mean differs by at most {SIMILAR:g} standard deviations"
    ]
    for run, published in zip(job.input.run, job.input.published, strict=True):
        found = compare(pd.read_csv(run), pd.read_csv(published))
        sections.append(f"{Path(run).stem}\n{found.to_string(index=False)}")
    with written_whole(job.output[0]) as temporary:
        temporary.write_text("\n\n".join(sections) + "\n")


if "snakemake" in globals():
    with logged_to(snakemake.log[0]):
        main(snakemake)
