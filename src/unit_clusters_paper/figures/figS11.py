"""Figure S11: agreement between the measures at rising strengths of each regulariser in Experiment 1."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unit_clusters.plots import style
from unit_clusters.plots.agreement import SCORES, draw_matrix, draw_scale, hundredths, mean_scores
from unit_clusters.similarity.measures import MEASURES, RECORDS
from unit_clusters_paper.figures import sweeps
from unit_clusters_paper.figures.pair_panels import DIFFERENCES, block_means, is_blank, reach
from unit_clusters_paper.results.selection import good_strengths, is_untrained, keep_good

COLUMNS = 4
"""Strengths of each regulariser."""

SCORE = "element_similarity"

ARROWS = {"upstream": "↑", "downstream": "↓", "across": "↕"}

NOTES = (
    "↑ upstream, ↓ downstream; of the two rows and columns of a measure, its unnormalized form comes first.",
    "Above a panel, means of its blocks: ↑ pairs of two different upstream measures, ↓ downstream ones, ↕ across.",
)

# Inches.
SIDE, GAP, LEFT = 1.13, (0.2, 0.17), 0.68
PAIR = 2 * (SIDE + GAP[1]) + 0.2
"""Height of the two rows of a regulariser, their means and the strengths above them."""
BOTTOM = 0.98


def spaced(strengths: Sequence[float]) -> list[float]:
    """COLUMNS of the strengths, evenly spaced by their index from the first to the last; all, if there are fewer."""
    places = np.linspace(0, len(strengths) - 1, COLUMNS).round().astype(int)
    return [strengths[place] for place in np.unique(places)] if strengths else []


@rc_context(style.RC)
def draw(agreement: pd.DataFrame, models: pd.DataFrame) -> Figure:
    """Draw Figure S11: two rows a regulariser, averages over layers and seeds, and these minus the untrained ones."""
    kept = keep_good(agreement[agreement["experiment"] == "base"], models)
    untrained = mean_scores(kept[is_untrained(kept)], SCORE, diagonal=1)
    chosen = {name: spaced(good_strengths(models, "base", name)) for name in sweeps.REGULARIZERS}
    means = {
        regularizer: {
            strength: mean_scores(sweeps.at_strengths(kept, {regularizer: [strength]}), SCORE, diagonal=1)
            for strength in strengths
        }
        for regularizer, strengths in chosen.items()
    }
    end = reach(*(mean - untrained for of_strength in means.values() for mean in of_strength.values()), 0 * untrained)
    figure = Figure(figsize=(style.WIDTH, BOTTOM + len(means) * PAIR))
    for place, (regularizer, of_strength) in enumerate(means.items()):
        bottom = BOTTOM + (len(means) - 1 - place) * PAIR
        _draw_pair(figure, bottom, sweeps.REGULARIZERS[regularizer], of_strength, untrained, end)
    _draw_scales(figure, end)
    style.footnote(figure, [*NOTES, sweeps.describe("base", agreement, models, sweeps.at_strengths(kept, chosen))])
    return figure


def _draw_pair(
    figure: Figure,
    bottom: float,
    word: str,
    means: dict[float, Float[np.ndarray, "forms forms"]],
    untrained: Float[np.ndarray, "forms forms"],
    end: float,
) -> None:
    """Draw a regulariser's averages over the differences to `untrained`, a column a strength."""
    if not means:
        width, height = COLUMNS * (SIDE + GAP[0]) - GAP[0], 2 * SIDE + GAP[1]
        wide = style.axes_at(figure, LEFT, bottom, width, height, xticks=[], yticks=[])
        style.say(wide, f"no {word} networks, or none that learn")
    for column, (strength, mean) in enumerate(means.items()):
        left = LEFT + column * (SIDE + GAP[0])
        upper = style.axes_at(figure, left, bottom + SIDE + GAP[1], SIDE, SIDE)
        title = {"ha": "center", "va": "bottom", "transform": upper.transAxes, "weight": "bold"}
        upper.text(0.5, 1 + 0.15 / SIDE, f"{word} {sweeps.number(strength)}", **title)
        _name_measures(upper, rows=column == 0, columns=False)
        _draw_means(upper, mean)
        lower = style.axes_at(figure, left, bottom, SIDE, SIDE)
        _name_measures(lower, rows=column == 0, columns=bottom == BOTTOM)
        if is_blank(untrained):
            style.say(lower, "no untrained networks to compare")
        else:
            _draw_means(lower, mean - untrained, end)


def _name_measures(axes: Axes, *, rows: bool, columns: bool) -> None:
    """Write the measures along the left side, below, or neither: one name for both forms of each, as space is small."""
    names = [RECORDS[measure].symbol for measure in MEASURES]
    arrows = [ARROWS[RECORDS[measure].family] for measure in MEASURES]
    places = 0.5 + 2 * np.arange(len(names))
    axes.set_xticks(places, names if columns else [""] * len(names), rotation=90)
    axes.set_yticks(places, map(" ".join, zip(arrows, names, strict=True)) if rows else [""] * len(names))
    axes.tick_params(length=0)
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        for label, measure in zip(labels, MEASURES, strict=True):
            label.set_color(RECORDS[measure].normalized_color)


def _draw_means(axes: Axes, matrix: Float[np.ndarray, "forms forms"], end: float | None = None) -> None:
    """Draw averages, or differences up to `end` on either side, with the means of their blocks above."""
    if end is None:
        draw_matrix(axes, matrix, SCORES, 0, 1)
    else:
        draw_matrix(axes, matrix, DIFFERENCES, -end, end)
    means = block_means(matrix)
    text = "  ".join(f"{ARROWS[name]}{hundredths(mean, signed=end is not None)}" for name, mean in means.items())
    axes.set_title(text, fontsize=style.SMALL, pad=2)


def _draw_scales(figure: Figure, end: float) -> None:
    left = LEFT + COLUMNS * (SIDE + GAP[0]) - GAP[0] + 0.2
    middle = BOTTOM + 1.5 * PAIR
    for bottom, cmap, ticks, text in (
        (middle + 0.2, SCORES, (0, 0.5, 1), "upper rows: mean element similarity (1: the same clusters)"),
        (middle - 3.2, DIFFERENCES, (-end, 0, end), "lower rows: trained − untrained (green: more agreement)"),
    ):
        draw_scale(style.axes_at(figure, left, bottom, 0.08, 3), cmap, ticks, text)
