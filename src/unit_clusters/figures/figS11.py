"""Figure S11: agreement between the measures at rising strengths of each regulariser in Experiment 1."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib import rc_context
from matplotlib.figure import Figure

from unit_clusters.figures import style
from unit_clusters.figures.pair_panels import (
    DIFFERENCES,
    SCORES,
    draw_matrix,
    draw_scale,
    is_blank,
    mean_scores,
    name_forms,
    reach,
)

COLUMNS = 4
"""Strengths of each regulariser."""

SCORE = "element_similarity"

# Inches.
SIDE, GAP, LEFT = 1.42, 0.1, 0.95
PAIR = 2 * SIDE + 0.6
"""Height of the two rows of a regulariser, and the space above them."""
BOTTOM = 1.75


def spaced(strengths: Sequence[float]) -> list[float]:
    """COLUMNS of the strengths, evenly spaced by their index from the first to the last; all, if there are fewer."""
    places = np.linspace(0, len(strengths) - 1, COLUMNS).round().astype(int)
    return [strengths[place] for place in np.unique(places)] if strengths else []


@rc_context(style.RC)
def draw(agreement: pd.DataFrame, models: pd.DataFrame) -> Figure:
    """Draw Figure S11: two rows a regulariser, averages over layers and seeds, and these minus the untrained ones.

    Args:
        agreement: agreement.csv.
        models: models.csv, to know the good strengths and which networks to discard.

    Raises:
        ValueError: `agreement` holds a network that `models` does not.
    """
    table = agreement[agreement["experiment"] == "base"]
    kept = style.keep_good(table, models)
    untrained = mean_scores(kept[kept["regularizer"] == "none"], SCORE, diagonal=1)
    means = {
        regularizer: {
            strength: mean_scores(kept[(kept["regularizer"] == regularizer) & (kept["strength"] == strength)], SCORE, 1)
            for strength in spaced(style.good_strengths(models, "base", regularizer))
        }
        for regularizer in style.REGULARIZERS
    }
    end = reach(*(mean - untrained for of_strength in means.values() for mean in of_strength.values()), 0 * untrained)
    figure = Figure(figsize=(style.WIDTH, BOTTOM + len(means) * PAIR))
    for place, (regularizer, of_strength) in enumerate(means.items()):
        bottom = BOTTOM + (len(means) - 1 - place) * PAIR
        _draw_pair(figure, bottom, style.REGULARIZERS[regularizer], of_strength, untrained, end)
    _draw_scales(figure, end)
    style.footnote(figure, [style.describe("base", table, kept)])
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
        wide = style.axes_at(figure, LEFT, bottom, COLUMNS * (SIDE + GAP) - GAP, 2 * SIDE + GAP, xticks=[], yticks=[])
        style.say(wide, f"no {word} networks, or none that learn")
    for column, (strength, mean) in enumerate(means.items()):
        left = LEFT + column * (SIDE + GAP)
        upper = style.axes_at(figure, left, bottom + SIDE + GAP, SIDE, SIDE)
        upper.set_title(f"{word} {strength:.3g}", loc="left")
        name_forms(upper, rows=column == 0, columns=False)
        draw_matrix(upper, mean, SCORES, 0, 1)
        lower = style.axes_at(figure, left, bottom, SIDE, SIDE)
        name_forms(lower, rows=column == 0, columns=bottom == BOTTOM)
        if is_blank(untrained):
            style.say(lower, "no untrained networks to compare")
        else:
            draw_matrix(lower, mean - untrained, DIFFERENCES, -end, end)


def _draw_scales(figure: Figure, end: float) -> None:
    width = 2 * SIDE + GAP - 0.3
    for column, cmap, ticks, text in (
        (0, SCORES, (0, 0.5, 1), "mean element similarity\n(1: the same clusters)"),
        (2, DIFFERENCES, (-end, 0, end), "trained − untrained\n(green: more agreement after training)"),
    ):
        draw_scale(style.axes_at(figure, LEFT + column * (SIDE + GAP) + 0.15, 0.78, width, 0.08), cmap, ticks, text)
