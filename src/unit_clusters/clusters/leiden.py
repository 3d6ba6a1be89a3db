"""The Leiden algorithm, which igraph has: the package is installed with the extra `leiden`."""

from random import Random

import igraph
import numpy as np
from jaxtyping import Float, Int


def leiden_graph(adjacency: Float[np.ndarray, "units units"]) -> igraph.Graph:
    """The weighted graph of A~ for `leiden`."""
    ends = np.nonzero(np.triu(adjacency, k=1))  # igraph.Graph.Weighted_Adjacency takes 0.3 s to import pandas
    return igraph.Graph(len(adjacency), np.column_stack(ends).tolist(), edge_attrs={"weight": adjacency[ends]})


def leiden(graph: igraph.Graph, seed: int, iterations: int = 2) -> Int[np.ndarray, " units"]:
    """Labels of one run of the Leiden algorithm for modularity (Traag et al. 2019).

    With -1 iterations it runs until none improves. It is igraph's own: on graphs as dense as these, leidenalg, which
    finds as high a Q, takes 16 to 30 times as long.
    """
    igraph.set_random_number_generator(Random(seed))
    return np.array(graph.community_leiden("modularity", weights="weight", n_iterations=iterations).membership)
