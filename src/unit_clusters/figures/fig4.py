"""Figure 4: modularity as a function of regularisation in wide and in deep networks."""

import pandas as pd
from matplotlib.figure import Figure

from unit_clusters.figures.sweep_blocks import draw_wide_and_deep
from unit_clusters.figures.sweep_panels import MODULARITY


def draw(modularity: pd.DataFrame, models: pd.DataFrame) -> Figure:
    """Draw Figure 4 from modularity.csv and models.csv; the panels are those of Fig. 3."""
    return draw_wide_and_deep(modularity, models, MODULARITY, same_scale=True)
