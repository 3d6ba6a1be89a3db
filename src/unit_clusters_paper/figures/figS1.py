"""Figure S1: the architectures of all experiments."""

from collections.abc import Mapping, Sequence

from matplotlib import rc_context
from matplotlib.figure import Figure

from unit_clusters.plots import style
from unit_clusters_paper.figures.network_diagram import draw_network

# Inches.
LAYER, HEIGHT = 0.45, 1.9


@rc_context(style.RC)
def draw(hidden: Mapping[str, Sequence[int]]) -> Figure:
    """Draw each architecture once, side by side, from the inputs on the left to the outputs on the right.

    Args:
        hidden: units of each hidden layer, by experiment; experiments may share an architecture.
    """
    experiments: dict[tuple[int, ...], list[str]] = {}
    for name, units in hidden.items():
        experiments.setdefault(tuple(units), []).append(name)
    layers = [len(units) + 2 for units in experiments]
    layer = min(LAYER, 0.9 * style.WIDTH / max(sum(layers), 1))
    gap = (style.WIDTH - layer * sum(layers)) / (len(layers) + 1)
    figure = Figure(figsize=(style.WIDTH, HEIGHT + 0.7))
    left = gap
    for (units, names), number in zip(experiments.items(), layers, strict=True):
        axes = style.axes_at(figure, left, 0.25, number * layer, HEIGHT)
        axes.set_title(f"{', '.join(names)}\n({', '.join(map(str, units))})")
        draw_network(axes, units)
        left += number * layer + gap
    style.footnote(figure, ["Units of each hidden layer; inputs on the left, outputs on the right"])
    return figure
