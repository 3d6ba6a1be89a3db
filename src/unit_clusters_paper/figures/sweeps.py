"""What figures of sweeps share: how regularizers look, which networks are shown, and how that is said."""

from collections.abc import Collection, Mapping
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter

from unit_clusters.similarity.measures import Form
from unit_clusters_paper.results.selection import RUN, is_untrained, keep_good, limit

REGULARIZERS = {"l2": "L2", "l1": "L1", "dropout": "dropout"}
MARKERS = {"l2": "o", "l1": "D", "dropout": "*"}
LINES = {"l2": "--", "l1": ":", "dropout": "-"}

SIGMA_GRAYS = ("#c9c9c9", "#dddddd", "#eeeeee")
"""Within 1, 2 and 3 standard deviations of the untrained networks' mean."""

SETTING = ["measure", "normalized", "regularizer", "strength"]
"""The columns that name a point of a sweep of one experiment."""


def number(value: float) -> str:
    """Three significant digits, and small powers of ten as the paper writes them: 0.00316, 1e-5; but 1,000."""
    if value >= 1000:
        return f"{value:,.0f}"
    mantissa, _, exponent = f"{value:.3g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def logarithmic(axes: Axes, axis: Literal["x", "y"]) -> None:
    """Give an axis a logarithmic scale whose ticks are numbers as in the text: raised exponents would be too small."""
    axes.set(**{f"{axis}scale": "log"})
    ticks = axes.xaxis if axis == "x" else axes.yaxis
    ticks.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    ticks.set_minor_formatter(NullFormatter())


def draw_bands(axes: Axes, scores: pd.Series) -> None:
    """Gray bands: mean +- 1, 2, 3 standard deviations of untrained scores, if there are at least two."""
    mean, sigma = scores.mean(), scores.std()
    for reach, gray in reversed(list(enumerate(SIGMA_GRAYS, start=1))):
        if not np.isnan(sigma):
            axes.axhspan(mean - reach * sigma, mean + reach * sigma, color=gray, linewidth=0, zorder=0)


def of_form(table: pd.DataFrame, form: Form) -> pd.DataFrame:
    """The rows of one form in a table with columns measure and normalized."""
    return table[(table["measure"] == form.measure) & (table["normalized"] == form.normalized)]


def at_strengths(table: pd.DataFrame, strengths: Mapping[str, Collection[float]]) -> pd.DataFrame:
    """The rows of trained networks at these strengths of each regularizer, regularizer by regularizer."""
    return pd.concat(
        [
            table[(table["regularizer"] == regularizer) & table["strength"].isin(chosen)]
            for regularizer, chosen in strengths.items()
        ]
        or [table.head(0)]
    )


BASELINE_NOTE = "Dropout 0%: L2 at its floor (1e-5 in the paper) and nothing else."
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
