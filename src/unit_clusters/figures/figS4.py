"""Figure S4: performance, weight norms and sparsity of the networks of Experiment 3."""

import pandas as pd
from matplotlib.figure import Figure

from unit_clusters.figures.metric_panels import draw_metrics


def draw(models: pd.DataFrame) -> Figure:
    """Draw Figure S4 from models.csv."""
    return draw_metrics(models, "deep")
