"""Figure 5: do the eight measures find the same clusters, and does training make them agree?"""

import pandas as pd
from matplotlib.figure import Figure

from unit_clusters.plots.agreement import mean_scores
from unit_clusters_paper.figures import sweeps
from unit_clusters_paper.figures.six_panels import Means, draw_six
from unit_clusters_paper.results.selection import experiments, is_untrained, keep_good

SCORE = "element_similarity"

LABEL = "mean element similarity (1: both measures find the same clusters)"


def draw(agreement: pd.DataFrame, models: pd.DataFrame) -> Figure:
    """Draw Figure 5.

    Panels a-c are averages over layers, seeds, strengths and regularizers of the trained networks; d-f subtract the
    average of the untrained networks of the same architecture. On the diagonal a measure meets itself: 1 by definition,
    0 in the differences.
    """
    kept, means = keep_good(agreement, models), {}
    for name in experiments(models):
        rows = kept[kept["experiment"] == name]
        parts = (rows[is_untrained(rows) == untrained] for untrained in (False, True))
        means[name] = Means(*(mean_scores(part, SCORE, diagonal=1) for part in parts))
    notes = [sweeps.describe(name, agreement, models) for name in means]
    notes.append("On the diagonal each measure meets itself.")
    return draw_six(means, (0, 0.25, 0.5, 0.75, 1), LABEL, "more agreement", notes)
