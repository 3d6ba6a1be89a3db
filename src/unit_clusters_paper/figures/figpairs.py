"""Agreement between the clusters of the eight measures, in networks of the user's own."""

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from unit_clusters.plots import style
from unit_clusters.plots.agreement import SCORES, draw_matrix, draw_scale, mean_scores, name_forms, write_numbers
from unit_clusters_paper.results.selection import RUN, is_untrained

# Inches.
SIDE, GAP, LEFT, BOTTOM, TOP, NAMES = 2.3, 0.3, 0.9, 0.1, 0.35, 0.95


@rc_context(style.RC)
def draw(agreement: pd.DataFrame, layers: pd.DataFrame) -> Figure:
    """Draw a row an experiment: its networks, and what its factory makes.

    Args:
        layers: layers.csv, which has the experiments that are drawn.
    """
    names = list(layers["experiment"].unique())
    row = SIDE + NAMES + TOP
    figure = Figure(figsize=(style.WIDTH, BOTTOM + len(names) * row))
    for place, name in enumerate(names):
        rows = agreement[agreement["experiment"] == name]
        untrained = is_untrained(rows)
        bottom = BOTTOM + (len(names) - 1 - place) * row + NAMES
        for column, (title, part) in enumerate((("trained", rows[~untrained]), ("untrained", rows[untrained]))):
            axes = style.axes_at(figure, LEFT + column * (SIDE + GAP), bottom, SIDE, SIDE)
            networks = len(part[RUN].drop_duplicates())
            axes.set_title(f"{name}: {networks} {title}", loc="left")
            name_forms(axes, rows=column == 0, columns=True)
            if part.empty:
                style.say(axes, "no untrained reference")
                continue
            draw_matrix(axes, mean_scores(part, "element_similarity", diagonal=1), SCORES, 0, 1)
            write_numbers(axes)
    scale = style.axes_at(figure, LEFT + 2 * (SIDE + GAP), BOTTOM + NAMES, 0.08, SIDE)
    draw_scale(scale, SCORES, (0, 0.5, 1), "mean element similarity (1: the same clusters)")
    return figure
