"""Figure S7: number of clusters as a function of regularisation in each layer of Experiment 1."""

import pandas as pd
from matplotlib.figure import Figure

from unit_clusters.figures.sweep_blocks import draw_layers
from unit_clusters.figures.sweep_panels import NUM_CLUSTERS


def draw(modularity: pd.DataFrame, models: pd.DataFrame) -> Figure:
    """Draw Figure S7 from modularity.csv and models.csv; laid out as Fig. S6."""
    return draw_layers(modularity, models, NUM_CLUSTERS)
