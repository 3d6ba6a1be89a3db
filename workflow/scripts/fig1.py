"""Draw Figure 1."""

from unit_clusters.data.idx import CLASSES, SIDE
from unit_clusters.figures import examples, fig1, style
from unit_clusters.runs.logs import logged_to


def main(job):
    shown = examples.read(job.input.examples)
    style.save(fig1.draw(shown, [SIDE**2, *job.params.job["hidden"], CLASSES]), job.output)


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
