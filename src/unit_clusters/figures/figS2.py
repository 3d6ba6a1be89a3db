"""Figure S2: performance, weight norms and sparsity of the networks of Experiment 1."""

import pandas as pd
from matplotlib.figure import Figure

from unit_clusters.figures.metric_panels import draw_metrics


def draw(models: pd.DataFrame) -> Figure:
    """Draw Figure S2 from models.csv."""
    return draw_metrics(models, "base")
