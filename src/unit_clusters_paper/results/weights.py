"""How modular the graph of a network's weights is (sections 4.2 and 5, on Filan et al. 2021).

Its nodes are all units, inputs and outputs among them, and its edges the absolute weights.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.numpy import load_file

from unit_clusters.clusters.restarts import restarts
from unit_clusters.clusters.search import cluster
from unit_clusters.streams import stream
from unit_clusters_paper.runs.columns import RUN_COLUMNS

WEIGHTS = (*RUN_COLUMNS, "q_weights")
"""Columns of weights.csv. `q_weights` is the best of the paper's search and one restart, as there are but a few steps
for each of hundreds of nodes; 0.0 if all weights are 0.
"""


def read_weights(path: str | Path) -> list[Float[np.ndarray, "models _outputs _inputs"]]:
    """The weights of each layer of all networks of a cohort, as `networks.ensemble.save` writes them.

    Raises:
        ValueError: the file is damaged; the message names it.
    """
    try:
        arrays = load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path} is not a whole file of networks ({error}). Delete it and run again.") from error
    number = sum(name.endswith(".weight") for name in arrays)
    return [arrays[f"layer{layer}.weight"] for layer in range(1, number + 1)]


def weight_rows(
    layers: Sequence[Float[np.ndarray, "models _outputs _inputs"]], runs: Sequence[Mapping], settings: Mapping
) -> Iterator[dict]:
    """The rows of weights.csv, by the weights of each layer; of the settings, `steps` and `entropy` are used."""
    options = {"steps": settings["steps"], "entropy": settings["entropy"]}
    for run, *weights in zip(runs, *layers, strict=True):
        graph = weight_graph(weights)
        single = cluster(graph, stream(run["id"], "weights"), **options)
        found, _ = restarts(graph, single, [stream(run["id"], "weights again")], **options)
        yield run | {"q_weights": found.q_best}


def weight_graph(weights: Sequence[Float[np.ndarray, "_outputs _inputs"]]) -> Float[np.ndarray, "units units"]:
    """The absolute weights between all units, layer by layer from the inputs to the outputs."""
    ends = np.cumsum([0, weights[0].shape[1], *map(len, weights)])
    graph = np.zeros((ends[-1], ends[-1]))
    for weight, (start, middle), end in zip(weights, pairwise(ends), ends[2:], strict=False):
        graph[middle:end, start:middle] = np.abs(weight)
    return graph + graph.T
