"""One layer at a glance: its similarity matrices sorted by cluster, and how far the clusters of the measures agree."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unit_clusters.similarity.measures import FORMS, MEASURES, Form
from unit_clusters_paper.figures import style
from unit_clusters_paper.figures.examples import Example, draw_example
from unit_clusters_paper.figures.pair_panels import (
    SCORES,
    draw_matrix,
    draw_scale,
    mean_scores,
    name_forms,
    write_numbers,
)

if TYPE_CHECKING:
    from unit_clusters.analysis import Layer

# Inches.
GAP, LEFT = 0.22, 0.1
SIDE = (6.66 + GAP) / len(MEASURES) - GAP
AGREEMENT, BOTTOM = 2.3, 1.2
RAW, NORMALIZED, HEIGHT = 6.0, 4.0, 8.2


@rc_context(style.RC)
def draw(name: str, layer: "Layer", agreement: pd.DataFrame, left_out: Mapping[str, str]) -> Figure:
    """Draw a layer.

    Args:
        name: of the layer.
        layer: what was found in it.
        agreement: rows of agreement.csv about it.
        left_out: measures that are lacking, and why.
    """
    figure = Figure(figsize=(style.WIDTH, HEIGHT))
    units = len(layer.similarity["cov"])
    figure.text(LEFT / style.WIDTH, 1 - 0.2 / HEIGHT, f"{name} ({layer.type}): {units} units", fontsize=10, va="center")
    for form in FORMS:
        left = LEFT + MEASURES.index(form.measure) * (SIDE + GAP)
        axes = style.axes_at(figure, left, NORMALIZED if form.normalized else RAW, SIDE, SIDE, xticks=[], yticks=[])
        if form.measure in left_out:
            style.say(axes, f"{form.measure} left out: {left_out[form.measure]}")
        else:
            _draw_sorted(axes, form, layer)
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


def _draw_sorted(axes: Axes, form: Form, layer: "Layer") -> None:
    matrix, found = layer.similarity[str(form)], layer.clusters[str(form)]
    others = matrix[~np.eye(len(matrix), dtype=bool)]
    scale = 1 if form.normalized else others.max(initial=0) or 1
    draw_example(axes, Example(float("nan"), matrix / scale, found.labels, found.q))
    axes.set_title(f"{style.label(form)}\n{style.Q_STAR} = {found.q:.3f}, {found.num_clusters:.1f} clusters")
