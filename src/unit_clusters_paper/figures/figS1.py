"""Figure S1: the architectures of all experiments."""

from collections.abc import Mapping, Sequence

from matplotlib import rc_context
from matplotlib.figure import Figure

from unit_clusters.plots import style
from unit_clusters_paper.figures.network_diagram import draw_network


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
    figure = Figure(figsize=(style.WIDTH, 2.6))
    panels = figure.subplots(1, len(layers), squeeze=False, width_ratios=layers)[0]
    for axes, (units, names) in zip(panels, experiments.items(), strict=True):
        axes.set_title(f"{', '.join(names)}\n({', '.join(map(str, units))})")
        draw_network(axes, units)
    style.footnote(figure, ["Units of each hidden layer; inputs on the left, outputs on the right"])
    return figure
