"""Figure S11: agreement between the measures at rising strengths of each regularizer in Experiment 1."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unit_clusters.plots import style
from unit_clusters.plots.agreement import SCORE_COLORS, draw_matrix, draw_scale, hundredths, mean_scores
from unit_clusters.similarity.measures import MEASURES, RECORDS
from unit_clusters_paper.figures import sweeps
from unit_clusters_paper.figures.pair_panels import DIFFERENCE_COLORS, block_means, is_blank, scale_end
from unit_clusters_paper.results.selection import good_strengths, is_untrained, keep_good

COLUMNS = 4
"""Strengths of each regularizer."""

SCORE = "element_similarity"

ARROWS = {"upstream": "↑", "downstream": "↓", "across": "↕"}

NOTES = (
    "↑ upstream, ↓ downstream; of the two rows and columns of a measure, its unnormalized form comes first.",
    "Above a panel, means of its blocks: ↑ pairs of two different upstream measures, ↓ downstream ones, ↕ across.",
)


def spaced(strengths: Sequence[float]) -> list[float]:
    """COLUMNS of the strengths, evenly spaced by their index from the first to the last; all, if there are fewer."""
    places = np.linspace(0, len(strengths) - 1, COLUMNS).round().astype(int)
    return [strengths[place] for place in np.unique(places)] if strengths else []


@rc_context(style.RC)
def draw(agreement: pd.DataFrame, models: pd.DataFrame) -> Figure:
    """Draw Figure S11: two rows a regularizer, averages over layers and seeds, and these minus the untrained ones."""
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
    end = scale_end(
        *(mean - untrained for of_strength in means.values() for mean in of_strength.values()), 0 * untrained
    )
    figure = Figure(figsize=(style.WIDTH, 9.4))
    panels = figure.subplots(2 * len(means), COLUMNS, gridspec_kw={"wspace": 0.15})
    for pair, (regularizer, of_strength) in zip(np.split(panels, len(means)), means.items(), strict=True):
        _draw_pair(pair, sweeps.REGULARIZERS[regularizer], of_strength, untrained, end, pair[-1, 0] in panels[-1])
    upper, lower = np.split(panels, 2)
    label = "upper rows: mean element similarity (1: the same clusters)"
    draw_scale(upper, SCORE_COLORS, (0, 0.5, 1), label, "right")
    label = "lower rows: trained − untrained (green: more agreement)"
    draw_scale(lower, DIFFERENCE_COLORS, (-end, 0, end), label, "right")
    style.footnote(figure, [*NOTES, sweeps.describe("base", agreement, models, sweeps.at_strengths(kept, chosen))])
    return figure


def _draw_pair(
    panels: np.ndarray,
    word: str,
    means: dict[float, Float[np.ndarray, "forms forms"]],
    untrained: Float[np.ndarray, "forms forms"],
    end: float,
    last: bool,
) -> None:
    """Draw a regularizer's averages over the differences to `untrained`, a column a strength."""
    for unused in panels[:, len(means) :].flat:
        unused.set_axis_off()
    if not means:
        style.say(panels[0, 0], f"no {word} networks, or none that learn")
    for column, (strength, mean) in enumerate(means.items()):
        upper, lower = panels[:, column]
        title = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": "center", "weight": "bold"}
        upper.annotate(f"{word} {sweeps.number(strength)}", (0.5, 1), (0, 11), **title)
        _name_measures(upper, rows=column == 0, columns=False)
        _draw_means(upper, mean)
        _name_measures(lower, rows=column == 0, columns=last)
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
        draw_matrix(axes, matrix, SCORE_COLORS, 0, 1)
    else:
        draw_matrix(axes, matrix, DIFFERENCE_COLORS, -end, end)
    means = block_means(matrix)
    text = "  ".join(f"{ARROWS[name]}{hundredths(mean)}" for name, mean in means.items())
    axes.set_title(text, fontsize=style.SMALL, pad=2)
