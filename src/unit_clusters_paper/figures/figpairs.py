"""Agreement between the clusters of the eight measures, in networks of the user's own."""

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from unit_clusters.plots import style
from unit_clusters.plots.agreement import SCORE_COLORS, draw_matrix, draw_scale, mean_scores, name_forms, write_numbers
from unit_clusters_paper.results.selection import RUN, is_untrained


@rc_context(style.RC)
def draw(agreement: pd.DataFrame, layers: pd.DataFrame) -> Figure:
    """Draw a row an experiment: its networks, and what its factory makes.

    Args:
        layers: layers.csv, which has the experiments that are drawn.
    """
    names = list(layers["experiment"].unique())
    figure = Figure(figsize=(style.WIDTH, 0.2 + 3.4 * len(names)))
    panels = figure.subplots(len(names), 2, squeeze=False)
    for row, name in zip(panels, names, strict=True):
        rows = agreement[agreement["experiment"] == name]
        untrained = is_untrained(rows)
        for axes, title, part in zip(row, ("trained", "untrained"), (rows[~untrained], rows[untrained]), strict=True):
            networks = len(part[RUN].drop_duplicates())
            axes.set_title(f"{name}: {networks} {title}", loc="left")
            name_forms(axes, rows=title == "trained", columns=True)
            if part.empty:
                style.say(axes, "no untrained reference")
                continue
            draw_matrix(axes, mean_scores(part, "element_similarity", diagonal=1), SCORE_COLORS, 0, 1)
            write_numbers(axes)
        draw_scale(row[None], SCORE_COLORS, (0, 0.5, 1), "mean element similarity\n(1: the same clusters)", "right")
    return figure
