"""What all pictures share: fonts and sizes, labels of the forms, notes, and how a figure is written."""

import textwrap
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure, SubFigure
from matplotlib.typing import ColorType

from unit_clusters.similarity.measures import RECORDS, Form

RC = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so a figure looks the same everywhere
    "mathtext.fontset": "dejavusans",
    "font.size": 7.5,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "figure.labelsize": 8,
    "figure.titlesize": 9,
    "figure.titleweight": "bold",
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.05,
    "figure.constrained_layout.w_pad": 0.05,
    "figure.constrained_layout.hspace": 0,
    "figure.constrained_layout.wspace": 0,
    "pdf.fonttype": 42,
    "svg.hashsalt": "unit-clusters",  # else the ids in an SVG file are random
}
"""Settings for a figure that is printed as wide as it is: no text is smaller than SMALL."""

_ARRANGED = RC | {"figure.constrained_layout.use": False}
"""The same for a figure whose parts have their places."""

WIDTH = 7.0
"""Inches."""

SMALL = 6.5
"""Points, for numbers in cells; the smallest text of all."""

MATH_SIZE = 10
"""Points, for labels with superscripts: these are set at 70 %, and so are 7 points high."""

RED = "#d62718"

LINE = 140
"""Characters of a footnote that fit beside each other."""

Q_STAR = "$Q$*"
"""The asterisk is raised already; as a superscript it would be smaller than all other text."""

_UNDATED = {".pdf": {"CreationDate": None}, ".png": None, ".svg": {"Date": None}}


def label(form: Form) -> str:
    """The form's symbol in the paper, S or Ŝ with the measure as superscript, as mathtext."""
    # Without the empty group the superscript stands above the hat.
    symbol = r"\hat{S}{}" if form.normalized else "S"
    superscript = RECORDS[form.measure].symbol.replace("-", r"\text{-}")  # else the hyphen becomes a minus sign
    return rf"${symbol}^{{\mathrm{{{superscript}}}}}$"


def luminance(color: ColorType) -> float:
    """Relative luminance, 0 (black) to 1 (white), as WCAG 2 defines it."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(color)]
    return float(np.dot((0.2126, 0.7152, 0.0722), linear))


def say(axes: Axes, note: str) -> None:
    """Write in the middle of the axes why there is nothing to see."""
    text = textwrap.fill(note, 22, break_long_words=False)
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color="0.35")


def footnote(figure: Figure, notes: Iterable[str]) -> None:
    """Write the notes, each on lines of its own, along the lower edge of the figure."""
    text = "\n".join(map(_balanced, notes))
    figure.supxlabel(text, x=0.01, ha="left", fontsize=7, color="0.3", linespacing=1.15)


def _balanced(note: str) -> str:
    """The note on as few lines as will do, all of about the same length."""
    least = len(textwrap.wrap(note, LINE))
    widths = range(len(note) // least, LINE + 1)
    return next(text for width in widths if (text := textwrap.fill(note, width)).count("\n") < least)


def save(figure: Figure, path: str | Path) -> None:
    """Write the figure as PDF, PNG (200 dpi) or SVG by the suffix of `path`; the same figure gives the same bytes.

    Its parts are arranged when it is written first; they keep their places from then on.

    Raises:
        ValueError: the path has another suffix.
    """
    suffix = Path(path).suffix
    if suffix not in _UNDATED:
        raise ValueError(f"{path}: figures are written as {', '.join(_UNDATED)}; give one of these suffixes")
    arrange(figure)
    with rc_context(_ARRANGED):
        figure.savefig(path, dpi=200, metadata=_UNDATED[suffix])


@rc_context(_ARRANGED)
def arrange(figure: Figure) -> None:
    """Give all parts their places, once and for all: left to matplotlib, it would do so for each file anew."""
    for axes in figure.axes:
        axes.spines[:].set_in_layout(False)  # the labels beside them reach further, and they take long
    if engine := figure.get_layout_engine():
        engine.execute(figure)
        figure.set_layout_engine(None)
        _round_places(figure)


def _round_places(figure: Figure) -> None:
    """Round them to a millionth of the figure: the solver's last digits differ from one time to the next."""
    for part in figure.findobj(SubFigure, include_self=False):
        part.bbox_relative.set_points(part.bbox_relative.get_points().round(6))
    for axes in figure.axes:
        place, counts = axes.get_position(original=True), axes.get_in_layout()
        axes.set_position(np.round(place.bounds, 6))
        axes.set_in_layout(counts)  # as before: whoever is given a place is left out
