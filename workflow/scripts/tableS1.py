"""Write Table S1 as CSV and LaTeX."""

from unit_clusters_paper.figures import tableS1
from unit_clusters_paper.results import tables
from unit_clusters_paper.runs.files import written_whole
from unit_clusters_paper.runs.logs import logged_to


def main(job):
    spec = job.params.job
    rows = list(tableS1.sweeps(spec["experiments"], spec["l2_floor"]))
    tables.write(tableS1.COLUMNS, rows, job.output.csv)
    with written_whole(job.output.tex) as temporary:
        temporary.write_text(tableS1.latex(rows), encoding="utf-8")


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
