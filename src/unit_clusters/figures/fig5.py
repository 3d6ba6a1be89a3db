"""Figure 5: do the eight measures find the same clusters, and does training make them agree?"""

import pandas as pd
from matplotlib.figure import Figure

from unit_clusters.figures import style
from unit_clusters.figures.pair_panels import mean_scores
from unit_clusters.figures.six_panels import Means, draw_six

SCORE = "element_similarity"

LABEL = "mean element similarity (1: both measures find the same clusters)"


def draw(agreement: pd.DataFrame, models: pd.DataFrame) -> Figure:
    """Draw Figure 5.

    Panels a-c are averages over layers, seeds, strengths and regularisers of the trained networks; d-f subtract the
    average of the untrained networks of the same architecture. An experiment that the tables lack leaves its panels
    empty but for a note. On the diagonal a measure meets itself: 1 by definition, 0 in the differences.

    Args:
        agreement: agreement.csv.
        models: models.csv, to know which networks to discard.

    Raises:
        ValueError: `agreement` holds a network that `models` does not.
    """
    tables = {name: agreement[agreement["experiment"] == name] for name in style.EXPERIMENTS}
    kept = {name: style.keep_good(table, models) for name, table in tables.items()}
    means = {}
    for name, rows in kept.items():
        untrained = rows["regularizer"] == "none"
        means[name] = Means(*(mean_scores(part, SCORE, diagonal=1) for part in (rows[~untrained], rows[untrained])))
    notes = [style.describe(name, tables[name], kept[name]) for name in kept]
    notes.append("On the diagonal each measure meets itself.")
    return draw_six(means, (0, 0.25, 0.5, 0.75, 1), LABEL, "more agreement", notes)
