"""What one choice at a time does to the headline numbers."""

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from unit_clusters.plots import style

TITLES = {
    "lead": f"dropout's lead\nin {style.Q_STAR}",
    "upstream": "agreement\nwithin upstream",
    "downstream": "agreement\nwithin downstream",
    "across": "agreement\nacross",
}
"""A column of sensitivity.csv, a panel each."""

NOTE = "Mean ± standard error over seeds; line and grey: as in the paper, in the same networks."

# Inches.
LEFT, WIDTH, GAP, ROW, BOTTOM = 2.35, 1.03, 0.13, 0.2, 0.85


@rc_context(style.RC)
def draw(sensitivity: pd.DataFrame) -> Figure:
    """Draw a panel a headline number, and a line a choice, from sensitivity.csv."""
    sources = dict(iter(sensitivity.groupby("source", sort=False)))
    groups = list(sources.values())
    heights = [ROW * (len(rows) + 0.5) for rows in groups]
    top = BOTTOM + sum(heights) + 0.35 * (len(groups) - 1)
    figure = Figure(figsize=(style.WIDTH, top + 0.7))
    for place, (name, title) in enumerate(TITLES.items()):
        first, upper = None, top
        for rows, height in zip(groups, heights, strict=True):
            box = (LEFT + place * (WIDTH + GAP), upper - height, WIDTH, height)
            axes = style.axes_at(figure, *box, sharex=first)
            _draw_number(axes, rows, name)
            _name_rows(axes, rows, labelled=place == 0)
            first, upper = first or axes, upper - height - 0.35
        first.set_title(title, pad=4 if len(groups) == 1 else 14)
        first.tick_params(labelbottom=len(groups) == 1)
    style.footnote(figure, [NOTE, *(f"{source}: {_networks(rows)}." for source, rows in sources.items())])
    return figure


def _draw_number(axes: Axes, rows: pd.DataFrame, name: str) -> None:
    """The first row is as in the paper."""
    value, error = rows.iloc[0][[name, f"{name}_se"]]
    axes.axvspan(value - error, value + error, color="0.87", linewidth=0, zorder=0)
    axes.axvline(value, color="0.4", linewidth=0.8, zorder=1)
    look = {"linestyle": "", "marker": "o", "markersize": 3.5, "color": "black", "elinewidth": 0.8}
    axes.errorbar(rows[name], range(len(rows)), xerr=rows[f"{name}_se"], **look)


def _name_rows(axes: Axes, rows: pd.DataFrame, labelled: bool) -> None:
    axes.set_yticks(range(len(rows)), rows["choice"] if labelled else [])
    axes.set(ylim=(len(rows) - 0.25, -0.75))
    axes.tick_params(axis="y", length=0)
    axes.margins(x=0.1)
    axes.xaxis.set_major_locator(MaxNLocator(3))
    if labelled:
        axes.set_title(rows["source"].iloc[0], loc="right", x=-0.03, fontsize=8, weight="bold", pad=4)


def _networks(rows: pd.DataFrame) -> str:
    low, high = rows["networks"].min(), rows["networks"].max()
    return f"{low} networks" if low == high else f"{low} to {high} networks, by what is left out"
