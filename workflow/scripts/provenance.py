"""Say how a finished run came about: versions, machine, configuration, and the cost of each stage."""

import json
from pathlib import Path

from unit_clusters.files import written_whole
from unit_clusters.logs import logged_to
from unit_clusters.published import provenance


def main(job):
    benchmarks = Path(job.config["pathvars"]["benchmarks"]).rglob("*.tsv")
    with written_whole(job.output[0]) as temporary:
        temporary.write_text(json.dumps(provenance(job.config, benchmarks), indent=1) + "\n")


if "snakemake" in globals():
    with logged_to(snakemake.log[0]):
        main(snakemake)
