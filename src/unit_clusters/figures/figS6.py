"""Figure S6: modularity as a function of regularisation in each layer of Experiment 1."""

import pandas as pd
from matplotlib.figure import Figure

from unit_clusters.figures.sweep_blocks import draw_layers
from unit_clusters.figures.sweep_panels import MODULARITY


def draw(modularity: pd.DataFrame, models: pd.DataFrame) -> Figure:
    """Draw Figure S6 from modularity.csv and models.csv; the panels are those of Fig. 3."""
    return draw_layers(modularity, models, MODULARITY)
