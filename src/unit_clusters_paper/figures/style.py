"""What all figures share: colours, markers and labels, which networks count, and how a figure is saved."""

import textwrap
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter
from matplotlib.typing import ColorType

from unit_clusters.similarity.measures import RECORDS, Form
from unit_clusters_paper.results.selection import RUN, is_untrained, keep_good, limit
from unit_clusters_paper.runs.files import written_whole

RC = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so a figure looks the same everywhere
    "mathtext.fontset": "dejavusans",
    "font.size": 7.5,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7.5,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "pdf.fonttype": 42,
    "svg.hashsalt": "unit-clusters",  # else the ids in an SVG file are random
}
"""Settings for a figure that is printed as wide as it is: no text is smaller than SMALL."""

WIDTH = 7.0
"""Inches."""

TALLEST = 9.5
"""Inches: with it, WIDTH leaves at least 0.6 inches of margin on A4 and on Letter."""

SMALL = 6.5
"""Points, for numbers in cells; the smallest text of all."""

MATH_SIZE = 10
"""Points, for labels with superscripts: these are set at 70 %, and so are 7 points high."""

REGULARIZERS = {"l2": "L2", "l1": "L1", "dropout": "dropout"}
MARKERS = {"l2": "o", "l1": "D", "dropout": "*"}
LINES = {"l2": "--", "l1": ":", "dropout": "-"}

SIGMA_GREYS = ("#c9c9c9", "#dddddd", "#eeeeee")
"""Within 1, 2 and 3 standard deviations of the untrained networks' mean."""

RED = "#d62718"

LINE = 140
"""Characters of a footnote that fit beside each other."""

SETTING = ["measure", "normalized", "regularizer", "strength"]
"""The columns that name a point of a sweep of one experiment."""

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


def number(value: float) -> str:
    """Three significant digits, and powers of ten as the paper writes them: 0.00316, 1e-5."""
    mantissa, _, exponent = f"{value:.3g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def axes_at(figure: Figure, left: float, bottom: float, width: float, height: float, **options) -> Axes:
    """New axes at a place given in inches from the figure's lower left corner."""
    total_width, total_height = figure.get_size_inches()
    box = (left / total_width, bottom / total_height, width / total_width, height / total_height)
    return figure.add_axes(box, **options)


def logarithmic(axes: Axes, axis: Literal["x", "y"]) -> None:
    """Give an axis a logarithmic scale whose ticks are numbers as in the text: raised exponents would be too small."""
    axes.set(**{f"{axis}scale": "log"})
    ticks = axes.xaxis if axis == "x" else axes.yaxis
    ticks.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    ticks.set_minor_formatter(NullFormatter())


def say(axes: Axes, note: str) -> None:
    """Write in the middle of the axes why there is nothing to see."""
    text = textwrap.fill(note, 22, break_long_words=False)
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color="0.35")


def further(experiments: Collection[str], room: int = 3) -> float:
    """Inches by which a foot must grow that has room to describe so many experiments."""
    return 0.12 * max(0, len(experiments) - room)


def footnote(figure: Figure, notes: Iterable[str]) -> None:
    """Write the notes, each on lines of its own, along the lower edge of the figure."""
    text = "\n".join(map(_balanced, notes))
    figure.text(0.06 / WIDTH, 0.005, text, fontsize=7, color="0.3", va="bottom", linespacing=1.15)


def _balanced(note: str) -> str:
    """The note on as few lines as will do, all of about the same length."""
    least = len(textwrap.wrap(note, LINE))
    widths = range(len(note) // least, LINE + 1)
    return next(text for width in widths if (text := textwrap.fill(note, width)).count("\n") < least)


def draw_bands(axes: Axes, scores: pd.Series) -> None:
    """Grey bands: mean +- 1, 2, 3 standard deviations of untrained scores, if there are at least two."""
    mean, sigma = scores.mean(), scores.std()
    for reach, grey in reversed(list(enumerate(SIGMA_GREYS, start=1))):
        if not np.isnan(sigma):
            axes.axhspan(mean - reach * sigma, mean + reach * sigma, color=grey, linewidth=0, zorder=0)


def of_form(table: pd.DataFrame, form: Form) -> pd.DataFrame:
    """The rows of one form in a table with columns measure and normalized."""
    return table[(table["measure"] == form.measure) & (table["normalized"] == form.normalized)]


def at_strengths(table: pd.DataFrame, strengths: Mapping[str, Collection[float]]) -> pd.DataFrame:
    """The rows of trained networks at these strengths of each regulariser, regulariser by regulariser."""
    return pd.concat(
        [
            table[(table["regularizer"] == regularizer) & table["strength"].isin(chosen)]
            for regularizer, chosen in strengths.items()
        ]
        or [table.head(0)]
    )


BASELINE = "Dropout 0%: L2 at its floor (1e-5 in the paper) and nothing else."
"""What `with_baseline` adds."""


def with_baseline(table: pd.DataFrame, models: pd.DataFrame) -> pd.DataFrame:
    """`table` and once more, as dropout 0, its networks with nothing but the L2 penalty that dropout networks have too.

    Curves of dropout start at these. They stand in the table as networks of the sweep of L2; if that has no such
    strength, there are none.

    Args:
        table: rows of any table.
        models: models.csv, to know which penalty that is.
    """
    floors = models[models["regularizer"] == "dropout"].groupby("experiment")["l2"].first()
    weakest = (table["regularizer"] == "l2") & (table["strength"] == table["experiment"].map(floors))
    return pd.concat([table, table[weakest].assign(regularizer="dropout", strength=0.0)], ignore_index=True)


def few(left: pd.Series, models: pd.DataFrame) -> pd.Series:
    """Whether fewer than half of the seeds of a setting are left.

    Args:
        left: how many are, indexed by experiment, regularizer and strength, among others.
        models: models.csv, which has all seeds.
    """
    setting = ["experiment", "regularizer", "strength"]
    seeds = with_baseline(models, models).groupby(setting)["seed"].nunique()
    return left < seeds.reindex(left.index.to_frame()[setting]).to_numpy() / 2


def describe(experiment: str, table: pd.DataFrame, models: pd.DataFrame, drawn: pd.DataFrame | None = None) -> str:
    """Say in a sentence which networks of an experiment a figure shows, and which it lacks.

    Args:
        table: what the figure is drawn from; other experiments in it are ignored.
        models: models.csv.
        drawn: the rows of trained networks that the figure shows, if not all that are good.
    """
    name = experiment.capitalize()
    networks = table.loc[table["experiment"] == experiment, RUN].drop_duplicates()
    if networks.empty:
        return f"{name}: no networks in the tables."
    good = keep_good(networks, models)
    trained = (~is_untrained(good)).sum()
    shown = trained if drawn is None else len(drawn[RUN].drop_duplicates())
    parts = [
        f"{shown} {'' if shown == trained else f'of {trained} '}trained networks",
        f"{len(networks) - len(good)} discarded (test accuracy < {limit(models)})",
        f"{len(good) - trained} untrained",
    ]
    gone = []
    for regularizer, word in REGULARIZERS.items():
        given, left = (set(part.loc[part["regularizer"] == regularizer, "strength"]) for part in (networks, good))
        if not given:
            parts.append(f"no {word} networks in the tables")
        elif not left:
            parts.append(f"none left of {word}")
        elif given - left:
            gone.append(f"{word} " + ", ".join(map(number, sorted(given - left))))
    parts += ["none left at " + ", ".join(gone)] * bool(gone)
    return f"{name}: {'; '.join(parts)}."


def save(figure: Figure, paths: Iterable[str | Path]) -> None:
    """Write the figure to each path, as PDF, PNG (200 dpi) or SVG by its suffix; the same figure gives the same bytes.

    Raises:
        ValueError: a path has another suffix.
    """
    for path in map(Path, paths):
        if path.suffix not in _UNDATED:
            raise ValueError(f"{path}: figures are written as {', '.join(_UNDATED)}; give one of these suffixes")
        with rc_context(RC), written_whole(path) as temporary:
            figure.savefig(temporary, dpi=200, metadata=_UNDATED[path.suffix])
