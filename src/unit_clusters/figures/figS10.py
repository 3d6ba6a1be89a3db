"""Figure S10: number of clusters as a function of depth in the networks of Experiment 3."""

import pandas as pd
from matplotlib.figure import Figure

from unit_clusters.figures.depth_panels import draw_depth
from unit_clusters.figures.sweep_panels import NUM_CLUSTERS


def draw(modularity: pd.DataFrame, models: pd.DataFrame) -> Figure:
    """Draw Figure S10 from modularity.csv and models.csv."""
    return draw_depth(modularity, models, NUM_CLUSTERS)
