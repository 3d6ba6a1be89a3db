"""How far modularity is above that of the same layers in turned axes, against regularization (laid out as Fig. 3)."""

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from unit_clusters.plots import style
from unit_clusters.similarity.measures import FORMS
from unit_clusters_paper.figures import sweeps
from unit_clusters_paper.figures.sweep_panels import POOLED, SIGNED, Quantity, draw_panels, fit, legend
from unit_clusters_paper.results.selection import keep_good

ABOVE = Quantity("above", f"{style.Q_STAR} above turned axes", SIGNED)


@rc_context(style.RC)
def draw(modularity: pd.DataFrame, models: pd.DataFrame) -> Figure:
    """Draw a panel a form: Q* minus its mean in turned axes, `clusters.turned`, of the base networks."""
    table = modularity[modularity["experiment"] == "base"]
    figure = Figure(figsize=(style.WIDTH, 5.0))
    if "q_rotated" not in table or table["q_rotated"].isna().all():
        style.say(
            figure.subplots(subplot_kw={"xticks": [], "yticks": []}), "the tables have no modularity in turned axes"
        )
        return figure
    body = figure.subfigures()
    kept = keep_good(table.assign(above=table["q"] - table["q_rotated"]), models)
    panels = draw_panels(body.subfigures(), kept, models, ABOVE)
    for axes in panels.values():
        axes.axhline(0, color="0.2", linewidth=0.7, zorder=1)
    fit([panels[FORMS[0]]], ABOVE)
    legend(body)
    note = "0: as modular as randomly turned axes of the same live units, which have the same spectrum and no units."
    style.footnote(figure, [note, POOLED, sweeps.describe("base", table, models)])
    return figure
