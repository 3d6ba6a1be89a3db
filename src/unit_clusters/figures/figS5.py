"""Figure S5: what the Monte Carlo search adds to the spectral start, and the spectral start to the search."""

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from unit_clusters.figures import style
from unit_clusters.figures.score_panels import draw_against, name_colors

PANELS = (
    ("q_spectral", "spectral start only", "spectral start + Monte Carlo"),
    ("q_from_one_cluster", "one cluster + 1,000 Monte Carlo steps", "spectral start + Monte Carlo"),
)
"""Columns of modularity.csv to set against q, and what to call them and q."""


@rc_context(style.RC)
def draw(modularity: pd.DataFrame, models: pd.DataFrame) -> Figure:
    """Draw Figure S5; a point is a matrix, and the right panel shows those that were clustered again.

    Args:
        modularity: modularity.csv.
        models: models.csv, to know which networks to discard.

    Raises:
        ValueError: `modularity` holds a network that `models` does not.
    """
    kept = style.keep_good(modularity, models)
    figure = Figure(figsize=(style.WIDTH, 4.5))
    for place, (column, x_label, y_label) in enumerate(PANELS):
        axes = style.axes_at(figure, 0.6 + 3.35 * place, 1.38, 2.9, 2.9)
        draw_against(axes, kept, column, "q")
        axes.set(xlabel=f"{style.Q_STAR}, {x_label}", ylabel=f"{style.Q_STAR}, {y_label}")
    name_colors(figure, 0.55)
    notes = ["Above the line: the full procedure finds a better clustering.", *style.describe_each(modularity, kept)]
    style.footnote(figure, notes)
    return figure
