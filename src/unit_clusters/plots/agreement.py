"""Agreement between the clusters of all forms, as a matrix of numbers."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize

from unit_clusters.plots import style
from unit_clusters.similarity.measures import FAMILIES, FORMS, PAIR_COLUMNS

MISSING = "0.75"
"""The gray of a pair without a score."""

SCORE_COLORS = colormaps["viridis"].with_extremes(bad=MISSING)

FAMILY_DISTANCE = 42
"""Points between a panel and the names of the families beside or below it."""

UPSTREAM = sum(form.upstream for form in FORMS)


def mean_scores(
    agreement: pd.DataFrame, score: str, diagonal: float | Float[np.ndarray, " forms"]
) -> Float[np.ndarray, "forms forms"]:
    """Mean score of each pair over all rows, as a symmetric matrix in the order of `FORMS`.

    NaN scores are ignored; a pair with no other is NaN. `diagonal` is what a form scores with itself.
    """
    matrix = np.full((len(FORMS), len(FORMS)), np.nan)
    np.fill_diagonal(matrix, diagonal)
    for pair, mean in agreement.groupby(list(PAIR_COLUMNS))[score].mean().items():
        a, b = FORMS.index(pair[:2]), FORMS.index(pair[2:])
        matrix[a, b] = matrix[b, a] = mean
    return matrix


def draw_matrix(axes: Axes, matrix: Float[np.ndarray, "forms forms"], cmap: Colormap, low: float, high: float) -> None:
    """Draw a matrix with a white cross between upstream and downstream forms."""
    axes.imshow(matrix, cmap=cmap, vmin=low, vmax=high, aspect="auto", interpolation="nearest")
    axes.axhline(UPSTREAM - 0.5, color="white", linewidth=1.2)
    axes.axvline(UPSTREAM - 0.5, color="white", linewidth=1.2)


def write_numbers(axes: Axes) -> None:
    """Write the number of each cell of the drawn matrix into it, black or white, whichever is the easier to read."""
    (image,) = axes.images
    for (row, column), value in np.ndenumerate(image.get_array().filled(np.nan)):
        if not np.isnan(value):
            dark = style.luminance(image.to_rgba(value)) < 0.179  # black and white have the same contrast to this gray
            place = {"ha": "center", "va": "center_baseline", "fontsize": style.SMALL}
            axes.text(column, row, hundredths(value), color="white" if dark else "black", **place)


def hundredths(value: float) -> str:
    """Two decimals without the zero before them: .46 or −.05; 0 and 1 for what rounds to these."""
    rounded = round(value, 2)
    sign = "−" if rounded < 0 else ""
    return sign + (f"{abs(rounded):.2f}".removeprefix("0") if rounded % 1 else f"{abs(rounded):.0f}")


def name_forms(axes: Axes, *, rows: bool, columns: bool) -> None:
    """Write the symbols in their colors and the two families along the left side, below, or neither."""
    symbols = [style.label(form) for form in FORMS]
    axes.set_xticks(range(len(FORMS)), symbols if columns else [], rotation=90, fontsize=style.MATH_SIZE)
    axes.set_yticks(range(len(FORMS)), symbols if rows else [], fontsize=style.MATH_SIZE)
    axes.set(xlim=(-0.5, len(FORMS) - 0.5), ylim=(len(FORMS) - 0.5, -0.5))
    axes.tick_params(length=0)
    for tick in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        if tick.get_text():
            tick.set_color(FORMS[symbols.index(tick.get_text())].ink)
    share = UPSTREAM / len(FORMS)
    outside = {"xycoords": "axes fraction", "textcoords": "offset points"}
    for family, middle in zip(FAMILIES, (share / 2, (1 + share) / 2), strict=True):
        if columns:
            axes.annotate(family, (middle, 0), (0, -FAMILY_DISTANCE), ha="center", va="top", **outside)
        if rows:
            axes.annotate(
                family, (0, 1 - middle), (-FAMILY_DISTANCE, 0), ha="right", va="center", rotation=90, **outside
            )


def draw_scale(
    panels: np.ndarray, cmap: Colormap, ticks: Sequence[float], label: str, location: Literal["right", "bottom"]
) -> None:
    """Draw a color scale from the first to the last tick beside or below a grid of axes."""
    rows, columns = panels.shape
    place = {"ax": panels, "location": location, "aspect": 25 * (rows if location == "right" else columns), "pad": 0.02}
    mappable = ScalarMappable(Normalize(ticks[0], ticks[-1]), cmap)
    bar = panels[0, 0].figure.colorbar(mappable, **place, label=label, ticks=ticks)
    bar.outline.set_visible(False)
    if location == "bottom":
        first, *_, last = bar.ax.get_xticklabels()
        first.set_ha("left")
        last.set_ha("right")
