"""Say how a finished run came about: versions, machines, configuration, and the cost of each stage."""

import json

from unit_clusters_paper.runs.files import written_whole
from unit_clusters_paper.runs.logs import logged_to
from unit_clusters_paper.runs.pages import to_html
from unit_clusters_paper.runs.provenance import provenance, provenance_markdown


def main(job):
    spec = job.params.job
    found = provenance(spec["config"], spec["jobs"])
    page = to_html(provenance_markdown(found))
    for path, content in ((job.output.json, json.dumps(found, indent=1) + "\n"), (job.output.html, page)):
        with written_whole(path) as temporary:
            temporary.write_text(content, encoding="utf-8")


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
