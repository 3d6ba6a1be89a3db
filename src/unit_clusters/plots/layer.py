"""One layer at a glance: its similarity matrices sorted by cluster, and how far the clusters of the measures agree."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib import rc_context
from matplotlib.figure import Figure

from unit_clusters.clusters.search import Clustering
from unit_clusters.plots import style
from unit_clusters.plots.agreement import SCORES, draw_matrix, draw_scale, mean_scores, name_forms, write_numbers
from unit_clusters.plots.similarity import draw_sorted
from unit_clusters.similarity.measures import FORMS, MEASURES

# Inches.
GAP, LEFT = 0.22, 0.1
SIDE = (6.66 + GAP) / len(MEASURES) - GAP
AGREEMENT, BOTTOM = 2.3, 1.2
RAW, NORMALIZED, HEIGHT = 6.0, 4.0, 8.2


@rc_context(style.RC)
def draw(
    name: str,
    kind: str,
    similarity: Mapping[str, Float[np.ndarray, "units units"]],
    clusters: Mapping[str, Clustering],
    agreement: pd.DataFrame,
    left_out: Mapping[str, str],
) -> Figure:
    """Draw a layer.

    Args:
        name: of the layer.
        kind: of module.
        similarity: the matrices by form.
        clusters: what was found in them, by form.
        agreement: a row for each pair of forms, with columns PAIR_COLUMNS and element_similarity.
        left_out: measures that are lacking, and why.
    """
    figure = Figure(figsize=(style.WIDTH, HEIGHT))
    title = f"{name} ({kind}): {len(next(iter(similarity.values())))} units"
    figure.text(LEFT / style.WIDTH, 1 - 0.2 / HEIGHT, title, fontsize=10, va="center")
    for form in FORMS:
        left = LEFT + MEASURES.index(form.measure) * (SIDE + GAP)
        axes = style.axes_at(figure, left, NORMALIZED if form.normalized else RAW, SIDE, SIDE, xticks=[], yticks=[])
        if form.measure in left_out:
            style.say(axes, f"{form.measure} left out: {left_out[form.measure]}")
            continue
        found = clusters[str(form)]
        draw_sorted(axes, _scaled(similarity[str(form)], form.normalized), found.labels)
        axes.set_title(f"{style.label(form)}\n{style.Q_STAR} = {found.q:.3f}, {found.num_clusters:.1f} clusters")
    axes = style.axes_at(figure, 0.95, BOTTOM, AGREEMENT, AGREEMENT)
    axes.set_title("agreement between the clusters", loc="left")
    name_forms(axes, rows=True, columns=True)
    draw_matrix(axes, mean_scores(agreement, "element_similarity", diagonal=1), SCORES, 0, 1)
    write_numbers(axes)
    label = "element similarity (1: the same clusters)"
    draw_scale(style.axes_at(figure, 3.5, BOTTOM, 0.08, AGREEMENT), SCORES, (0, 0.5, 1), label)
    style.footnote(
        figure,
        [
            "Matrices: units sorted by the clusters of each form, the largest first and dead units last, parted by red "
            "lines. White is 0; dark is 1 for normalized forms, and for the others the largest entry off the diagonal."
        ],
    )
    return figure


def _scaled(similarity: Float[np.ndarray, "units units"], normalized: bool) -> Float[np.ndarray, "units units"]:
    """The matrix such that 1 is what is drawn dark."""
    others = similarity[~np.eye(len(similarity), dtype=bool)]
    return similarity / (1 if normalized else others.max(initial=0) or 1)
