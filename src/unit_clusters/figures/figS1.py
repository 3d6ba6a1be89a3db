"""Figure S1: the architectures of all experiments."""

from collections.abc import Mapping, Sequence

from matplotlib import rc_context
from matplotlib.figure import Figure

from unit_clusters.datasets import CLASSES, SIDE
from unit_clusters.figures import style
from unit_clusters.figures.network_diagram import draw_network

# Inches.
LAYER, HEIGHT = 0.45, 1.9


@rc_context(style.RC)
def draw(hidden: Mapping[str, Sequence[int]]) -> Figure:
    """Draw the networks side by side, from the pixels on the left to the class logits on the right.

    Args:
        hidden: units of each hidden layer, by experiment.
    """
    widths = [LAYER * (len(units) + 2) for units in hidden.values()]
    gap = (style.WIDTH - sum(widths)) / (len(widths) + 1)
    figure = Figure(figsize=(style.WIDTH, HEIGHT + 0.7))
    left = gap
    for (name, units), width in zip(hidden.items(), widths, strict=True):
        axes = style.axes_at(figure, left, 0.25, width, HEIGHT)
        axes.set_title(f"{name}\n({', '.join(map(str, units))})")
        draw_network(axes, [SIDE**2, *units, CLASSES])
        left += width + gap
    style.footnote(figure, ["Units of each layer: pixels on the left, hidden layers filled, class logits on the right"])
    return figure
