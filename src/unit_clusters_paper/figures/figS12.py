"""Figure S12: do the clusters of one measure suit another's similarities?"""

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.figure import Figure

from unit_clusters.plots import style
from unit_clusters.plots.agreement import mean_scores
from unit_clusters.similarity.measures import FORMS
from unit_clusters_paper.figures import sweeps
from unit_clusters_paper.figures.six_panels import Means, draw_six
from unit_clusters_paper.results.selection import experiments, is_untrained, keep_good

LABEL = (
    f"mean transferability, eq. (9), in units of Q; diagonal: mean {style.Q_STAR} (higher: clusters transfer better)"
)


def draw(agreement: pd.DataFrame, modularity: pd.DataFrame, models: pd.DataFrame) -> Figure:
    """Draw Figure S12, laid out as Fig. 5; on the diagonal stands the mean modularity of the measure itself."""
    kept, means = [keep_good(table, models) for table in (agreement, modularity)], {}
    for name in experiments(models):
        parts = [
            [table[(table["experiment"] == name) & (is_untrained(table) == untrained)] for table in kept]
            for untrained in (False, True)
        ]
        means[name] = Means(*(_mean(pairs, layers) for pairs, layers in parts))
    notes = [sweeps.describe(name, agreement, models) for name in means]
    scores = np.array([mean.trained for mean in means.values()])
    low, high = (end(scores[np.isfinite(scores)], initial=0) for end in (np.min, np.max))
    ticks = np.linspace(np.floor(20 * low) / 20, max(0.05, np.ceil(20 * high) / 20), 3).tolist()
    return draw_six(means, ticks, LABEL, "better transfer", notes)


def _mean(pairs: pd.DataFrame, layers: pd.DataFrame) -> Float[np.ndarray, "forms forms"]:
    """Mean transferability of each pair of forms, with each form's own mean Q* on the diagonal."""
    own = [sweeps.of_form(layers, form)["q"].mean() for form in FORMS]
    return mean_scores(pairs, "transferability", np.array(own))
