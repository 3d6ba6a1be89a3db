"""Draw Figure 3."""

import pandas as pd

from unit_clusters.datasets import CLASSES, SIDE
from unit_clusters.figures import fig3, style
from unit_clusters.layer_files import read_labels, read_similarity
from unit_clusters.logs import logged_to
from unit_clusters.measures import FORMS, all_forms


def main(job):
    spec, form = job.params.job, FORMS.index(fig3.EXAMPLE_FORM)
    modularity, models = pd.read_csv(job.input.modularity), pd.read_csv(job.input.models)
    first = modularity[(modularity.experiment == "base") & (modularity.regularizer == "dropout")]
    first = first[(first.seed == 0) & (first.layer == 1)]
    q = first[(first.measure == fig3.EXAMPLE_FORM.measure) & first.normalized].set_index("strength").q
    examples = []
    for strength, matrices, clusters in zip(spec["strengths"], job.input.matrices, job.input.clusters, strict=True):
        similarity = all_forms(read_similarity(matrices)[0])[form]
        examples.append(fig3.Example(strength, similarity, read_labels(clusters)[0, form], q[strength]))
    style.save(fig3.draw(modularity, models, examples, [SIDE**2, *spec["hidden"], CLASSES]), job.output)


if "snakemake" in globals():
    with logged_to(snakemake.log[0]):
        main(snakemake)
