"""Figure S8: number of clusters as a function of regularisation in wide and in deep networks."""

import pandas as pd
from matplotlib.figure import Figure

from unit_clusters.figures.sweep_blocks import draw_wide_and_deep
from unit_clusters.figures.sweep_panels import NUM_CLUSTERS


def draw(modularity: pd.DataFrame, models: pd.DataFrame) -> Figure:
    """Draw Figure S8 from modularity.csv and models.csv; laid out as Fig. 4, but each block has its own scale."""
    return draw_wide_and_deep(modularity, models, NUM_CLUSTERS, same_scale=False)
