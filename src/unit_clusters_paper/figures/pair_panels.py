"""What agreement matrices and their pairs have in common: kinds of pairs, and differences (Figs. 5, S11 and S12)."""

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.colors import LinearSegmentedColormap

from unit_clusters.plots.agreement import MISSING
from unit_clusters.similarity.measures import FAMILIES, FORMS, Kind, kind

# Vermilion and bluish green, not pure red and green, which color-blind readers would confuse; from dark to light, so
# that the sign is seen in gray too.
DIFFERENCE_COLORS = LinearSegmentedColormap.from_list(
    "differences", ["#7d1200", "#cf5a3c", "#a3a3a3", "#5fd0a4", "#c9fff0"]
)
DIFFERENCE_COLORS = DIFFERENCE_COLORS.with_extremes(bad=MISSING)

KINDS = np.array([[kind(a, b) for b in FORMS] for a in FORMS])
"""`kind` of each pair, in the order of FORMS."""


def is_blank(matrix: Float[np.ndarray, "forms forms"]) -> bool:
    """Whether no pair of different forms has a score."""
    return bool(np.isnan(matrix[~np.eye(len(FORMS), dtype=bool)]).all())


def scale_end(*differences: Float[np.ndarray, "forms forms"]) -> float:
    """The largest absolute difference, rounded up to a multiple of 0.05: the end of a scale that shows them all."""
    magnitudes = np.abs(differences)
    return max(0.05, np.ceil(20 * np.max(magnitudes, where=np.isfinite(magnitudes), initial=0)) / 20)


def block_means(matrix: Float[np.ndarray, "forms forms"]) -> dict[Kind, float]:
    """Mean of the pairs of two different measures of each family, and of those across; NaN pairs are ignored."""
    return {name: pd.Series(matrix[name == KINDS]).mean() for name in (*FAMILIES, "across")}
