"""Figure S9: modularity as a function of depth in the networks of Experiment 3."""

import pandas as pd
from matplotlib.figure import Figure

from unit_clusters.figures.depth_panels import draw_depth
from unit_clusters.figures.sweep_panels import MODULARITY


def draw(modularity: pd.DataFrame, models: pd.DataFrame) -> Figure:
    """Draw Figure S9 from modularity.csv and models.csv."""
    return draw_depth(modularity, models, MODULARITY)
