"""One layer at a glance: its similarity matrices sorted by cluster, and how far the clusters of the measures agree."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib import rc_context
from matplotlib.figure import Figure

from unit_clusters.clusters.search import Clustering
from unit_clusters.plots import style
from unit_clusters.plots.agreement import SCORE_COLORS, draw_matrix, draw_scale, mean_scores, name_forms, write_numbers
from unit_clusters.plots.similarity import draw_sorted
from unit_clusters.similarity.measures import FORMS, MEASURES


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
    figure = Figure(figsize=(style.WIDTH, 8))
    upper, lower = figure.subfigures(2, 1, height_ratios=(3, 2))
    upper.suptitle(f"{name} ({kind}): {len(next(iter(similarity.values())))} units", x=0.01, ha="left")
    panels = upper.subplots(2, len(MEASURES), subplot_kw={"xticks": [], "yticks": []})
    for form in FORMS:
        axes = panels[int(form.normalized), MEASURES.index(form.measure)]
        if form.measure in left_out:
            style.say(axes, f"{form.measure} left out: {left_out[form.measure]}")
            continue
        found = clusters[str(form)]
        draw_sorted(axes, _scaled(similarity[str(form)], form.normalized), found.labels)
        axes.set_title(style.label(form), fontsize=style.MATH_SIZE, color=form.ink)
        axes.set_xlabel(f"{style.Q_STAR} = {found.q:.3f}, {found.num_clusters:.1f} clusters")
    left, _ = lower.subfigures(1, 2, width_ratios=(10, 9))
    grid = left.subplots(squeeze=False)
    axes = grid[0, 0]
    axes.set_title("agreement between the clusters", loc="left")
    name_forms(axes, rows=True, columns=True)
    draw_matrix(axes, mean_scores(agreement, "element_similarity", diagonal=1), SCORE_COLORS, 0, 1)
    write_numbers(axes)
    draw_scale(grid, SCORE_COLORS, (0, 0.5, 1), "element similarity\n(1: the same clusters)", "right")
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
