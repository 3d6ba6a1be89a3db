"""Figures are written whole or not at all."""

from collections.abc import Iterable
from pathlib import Path

from matplotlib.figure import Figure

from unit_clusters.plots import style
from unit_clusters_paper.runs.files import written_whole


def save(figure: Figure, paths: Iterable[str | Path]) -> None:
    """Write the figure to each path, as `unit_clusters.plots.style.save` does."""
    for path in paths:
        with written_whole(path) as temporary:
            style.save(figure, temporary)
