"""Figure 2: the eight similarity measures and their colors, as the corners of a cube."""

from itertools import combinations

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unit_clusters.plots import style
from unit_clusters.similarity.measures import FORMS, RECORDS, Form

SHOWN = [form for form in FORMS if RECORDS[form.measure].equation]
"""Those that the paper has: a further one would share a corner with one of them."""

DEPTH = (0.42, 0.36)
"""How far right and up the rear face of the cube, that of the gradients, lies; its front is 1 by 1."""


@rc_context(style.RC)
def draw() -> Figure:
    """Draw Figure 2. Markers stand for measures, lines join those that differ in one way only."""
    figure = Figure(figsize=(3.7, 3.0))
    axes = figure.subplots(subplot_kw={"xlim": (-0.3, 1.92), "ylim": (-0.36, 1.62)})
    axes.set_axis_off()
    for a, b in combinations(SHOWN, 2):
        if sum(end != other for end, other in zip(_corner(a), _corner(b), strict=True)) == 1:
            axes.plot(*zip(_place(a), _place(b), strict=True), color="0.75", linewidth=0.8, zorder=1)
    for form in SHOWN:
        _draw_corner(axes, form)
    _name_axes(axes)
    return figure


def _corner(form: Form) -> tuple[bool, bool, bool]:
    """Whether the form is at the right, lower and rear end of the cube's three axes."""
    return not form.upstream, form.normalized, RECORDS[form.measure].statistic == "gradient"


def _place(form: Form) -> tuple[float, float]:
    right, lower, rear = _corner(form)
    return right + rear * DEPTH[0], (not lower) + rear * DEPTH[1]


def _draw_corner(axes: Axes, form: Form) -> None:
    axes.plot(*_place(form), "s", markersize=17, color=form.color, zorder=2)
    offset = {"xytext": (12, -4), "textcoords": "offset points", "va": "top"}
    axes.annotate(style.label(form), _place(form), **offset, color=form.ink, fontsize=style.MATH_SIZE)


def _name_axes(axes: Axes) -> None:
    rear_right, rear_up = DEPTH
    for x, name in ((0, "upstream"), (1, "downstream")):
        axes.text(x + rear_right, 1 + rear_up + 0.14, name, ha="center", weight="bold")
    for y, name in ((1, "unnormalized"), (0, "normalized")):
        axes.text(-0.18, y, name, ha="center", va="center", rotation=90, weight="bold")
    for x, y, name in ((1, 0, RECORDS["cov"].words), (1 + rear_right, rear_up, RECORDS["i_sens"].words)):
        axes.text(x + 0.11, y - 0.25, name, weight="bold")
