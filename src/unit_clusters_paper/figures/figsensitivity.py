"""What one choice at a time does to the headline numbers."""

import numpy as np
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

AXES = {"lead": f"difference in {style.Q_STAR}", **dict.fromkeys(list(TITLES)[1:], "element similarity")}
"""What is on the horizontal axis of each."""

OTHER_SCORE = "corrected for chance"
"""In the name of a choice by which the scores of agreement are others than those that the axes name."""

NOTE = (
    "Mean ± standard error over seeds; line and gray: as in the paper, in the same networks. "
    "Hollow: element similarity corrected for chance, which is 0 for unrelated clusters."
)


@rc_context(style.RC)
def draw(sensitivity: pd.DataFrame) -> Figure:
    """Draw a panel a headline number, and a line a choice, from sensitivity.csv."""
    sources = dict(iter(sensitivity.groupby("source", sort=False)))
    heights = [len(rows) + 0.5 for rows in sources.values()]
    figure = Figure(figsize=(style.WIDTH, 1.4 + 0.3 * len(sources) + 0.2 * sum(heights)))
    panels = figure.subplots(
        len(sources), len(TITLES), sharex="col", sharey="row", squeeze=False, height_ratios=heights
    )
    for row, (source, rows) in zip(panels, sources.items(), strict=True):
        for axes, name in zip(row, TITLES, strict=True):
            _draw_number(axes, rows, name)
        row[0].set_yticks(range(len(rows)), map(in_words, rows["choice"]))
        row[0].set_ylim(len(rows) - 0.25, -0.75)
        row[0].set_title(source, loc="right", x=-0.03, fontsize=8, weight="bold")
    for name, axes in zip(TITLES, panels.T, strict=True):
        axes[0].set_title(TITLES[name])
        axes[-1].set_xlabel(AXES[name])
    style.footnote(figure, [NOTE, *(f"{source}: {_networks(rows)}." for source, rows in sources.items())])
    return figure


def in_words(choice: str) -> str:
    """A choice that is written as in the configuration, `section: key: value`, in words; any other as it is.

    Several choices, parted by semicolons, are put into words one by one.
    """
    return "; ".join(_one_in_words(one) for one in choice.split("; "))


def _one_in_words(choice: str) -> str:
    section, *setting = choice.split(": ")
    if len(setting) != 2:
        return choice
    key, value = setting
    name = key.replace("_", " ")
    if value in ("True", "False"):
        return f"{section}: {'no ' * (value == 'False')}{name}"
    return f"{section}: {name} {f'{int(value):,}' if value.isdecimal() else value}"


def _draw_number(axes: Axes, rows: pd.DataFrame, name: str) -> None:
    """The first row is as in the paper."""
    value, error = rows.iloc[0][[name, f"{name}_se"]]
    axes.axvspan(value - error, value + error, color="0.87", linewidth=0, zorder=0)
    axes.axvline(value, color="0.4", linewidth=0.8, zorder=1)
    look = {"linestyle": "", "marker": "o", "markersize": 3.5, "color": "black", "elinewidth": 0.8}
    axes.errorbar(rows[name], range(len(rows)), xerr=rows[f"{name}_se"], **look)
    if name != "lead":
        other = np.flatnonzero(rows["choice"].str.contains(OTHER_SCORE))
        axes.plot(rows[name].iloc[other], other, "o", markersize=3.5, color="black", markerfacecolor="white", zorder=3)
    axes.tick_params(axis="y", length=0)
    axes.margins(x=0.1)
    axes.xaxis.set_major_locator(MaxNLocator(3))


def _networks(rows: pd.DataFrame) -> str:
    low, high = rows["networks"].min(), rows["networks"].max()
    return f"{low} networks" if low == high else f"{low} to {high} networks, by what is left out"
