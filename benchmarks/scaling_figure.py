"""Draw docs/scaling.csv, which `benchmarks.scaling` measures: ``python -m benchmarks.scaling_figure``."""

from pathlib import Path

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from benchmarks.scaling import TABLE
from unit_clusters.plots import style

FIGURE = Path("docs/scaling.svg")

AXES = {
    "models": "networks in a job",
    "units": "units in each hidden layer",
    "layers": "hidden layers",
    "images": "images",
}
LINES = {
    "training": {"color": "#323b79", "marker": "o"},
    "training, 256 units": {"color": "#323b79", "marker": "s", "linestyle": ":"},
    "similarity": {"color": "#166c4c", "marker": "D"},
    "clustering": {"color": "#924a15", "marker": "^"},
}


@rc_context(style.RC)
def draw(table: pd.DataFrame) -> Figure:
    """Draw the seconds for one network against each size, in logarithmic axes."""
    figure = Figure(figsize=(style.WIDTH, 2.7))
    panels = figure.subplots(1, len(AXES), sharey=True)
    for axes, (varied, label) in zip(panels, AXES.items(), strict=True):
        _draw_panel(axes, varied, table[table["varied"] == varied])
        axes.set_xlabel(label)
    panels[0].set_ylabel("seconds for one network")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(LINES))
    return figure


def _draw_panel(axes: Axes, varied: str, rows: pd.DataFrame) -> None:
    for work, look in LINES.items():
        part = rows[rows["work"] == work]
        axes.loglog(part[varied], part["seconds"] / part["models"], label=work, markersize=3.5, linewidth=1, **look)
    values = sorted(set(rows[varied]))
    axes.set_xticks(values, [f"{value:,}" for value in values])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.grid(axis="y", color="0.9", linewidth=0.5)


def main() -> None:
    style.save(draw(pd.read_csv(TABLE)), FIGURE)


if __name__ == "__main__":
    main()
