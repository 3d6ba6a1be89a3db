"""Figure S3: performance, weight norms and sparsity of the networks of Experiment 2."""

import pandas as pd
from matplotlib.figure import Figure

from unit_clusters.figures.metric_panels import draw_metrics


def draw(models: pd.DataFrame) -> Figure:
    """Draw Figure S3 from models.csv."""
    return draw_metrics(models, "wide")
