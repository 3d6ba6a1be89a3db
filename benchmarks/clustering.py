"""Time and modularity of clusterings, against the paper's pseudocode as written and against the Leiden algorithm.

Leiden is leidenalg's unless igraph's own, which is several times as fast on graphs as dense as these, is named.

Run as ``python -m benchmarks.clustering``. It fails if clustering 64 units takes more than twice as long as one run of
Leiden; if ten restarts of 256 units take longer than three; or if, on less than 99 % of the matrices, the restarts
reach the best of 20 runs of Leiden. Everything runs warm and interleaved; Leiden's graphs are built beforehand.
"""

import sys
from statistics import median
from time import perf_counter
from typing import NamedTuple

import leidenalg
import numpy as np

from benchmarks import naive_modularity as naive
from unit_clusters.clusters.leiden import leiden as leiden_of_igraph
from unit_clusters.clusters.leiden import leiden_graph
from unit_clusters.clusters.modularity import EQUAL, adjacency, modularity
from unit_clusters.clusters.restarts import restarts
from unit_clusters.clusters.search import cluster
from unit_clusters.similarity.normalization import normalize
from unit_clusters_paper.results.other_searches import LEIDEN_RUNS

RUNS = LEIDEN_RUNS
STEPS = 5000
LIMIT = 2.0
"""How many times as long as one Leiden run a clustering of 64 units may take."""

RESTARTS = 10
RESTARTS_LIMIT = 3.0
"""How many times as long as one Leiden run all restarts of 256 units may take."""
REACHED = 0.99
"""On what share of the matrices the restarts must reach the best of RUNS runs of Leiden."""


class Row(NamedTuple):
    """One matrix: medians over RUNS seeded runs, but for `q_leiden_best` (their best) and the naive code (one run)."""

    units: int
    normalized: bool
    ms: float
    leiden_ms: float
    """With leidenalg's default of two iterations."""
    leiden_converged_ms: float
    """With iterations until none improves."""
    igraph_ms: float
    """igraph's own Leiden algorithm, two iterations."""
    naive_ms: float | None
    """Only for 64 units."""
    q: float
    q_spectral: float
    q_leiden: float
    q_leiden_best: float
    q_igraph_best: float

    @property
    def ratio(self) -> float:
        return self.ms / self.leiden_ms


class RestartsRow(NamedTuple):
    """The restarts of several matrices of one size."""

    units: int
    matrices: int
    ms: float
    """Median over the matrices, all RESTARTS together."""
    leiden_ms: float
    """Median over all single runs."""
    reached: float
    """Share of the matrices on which the restarts reach Leiden's best of RUNS."""
    surpassed: float
    """Share of them on which they find more."""

    @property
    def ratio(self) -> float:
        return self.ms / self.leiden_ms


def similarity(units: int, normalized: bool, seed: int = 0) -> np.ndarray:
    """The absolute covariance of rectified noisy features of low rank, much like that of a hidden layer."""
    rng = np.random.default_rng(units + seed)
    features = rng.standard_normal((2000, 8)) @ rng.standard_normal((8, units))
    activity = np.maximum(features + 0.5 * rng.standard_normal(features.shape), 0)
    covariance = np.abs(np.cov(activity.T))
    return normalize(covariance) if normalized else covariance


def timed(function, *args, **kwargs):
    """Milliseconds, and what the function returns."""
    start = perf_counter()
    result = function(*args, **kwargs)
    return 1e3 * (perf_counter() - start), result


def leiden(graph, seed: int, iterations: int = 2) -> np.ndarray:
    """Labels of one run of leidenalg, as long as its own default; with -1 iterations, until none improves."""
    partition = leidenalg.find_partition(
        graph, leidenalg.ModularityVertexPartition, weights="weight", n_iterations=iterations, seed=seed
    )
    return np.array(partition.membership)


def measure_one(units: int, normalized: bool) -> Row:
    matrix = similarity(units, normalized)
    weights = adjacency(matrix)
    graph = leiden_graph(weights)
    cluster(matrix, np.random.default_rng(0))  # compiles
    ours, peer, converged, igraph = [], [], [], []
    for seed in range(RUNS):
        ours.append(timed(cluster, matrix, np.random.default_rng(seed), steps=STEPS))
        peer.append(timed(leiden, graph, seed))
        converged.append(timed(leiden, graph, seed, iterations=-1))
        igraph.append(timed(leiden_of_igraph, graph, seed))
    rng = np.random.default_rng(0)
    choices = rng.integers(units, size=STEPS), rng.random(STEPS)
    q_leiden = [modularity(weights, labels) for _, labels in peer]
    return Row(
        units=units,
        normalized=normalized,
        ms=median(ms for ms, _ in ours),
        leiden_ms=median(ms for ms, _ in peer),
        leiden_converged_ms=median(ms for ms, _ in converged),
        igraph_ms=median(ms for ms, _ in igraph),
        naive_ms=timed(naive.cluster, weights, *choices)[0] if units == 64 else None,
        q=median(found.q for _, found in ours),
        q_spectral=ours[0][1].q_spectral,
        q_leiden=median(q_leiden),
        q_leiden_best=max(q_leiden),
        q_igraph_best=max(modularity(weights, labels) for _, labels in igraph),
    )


def measure() -> list[Row]:
    """All rows of the table: 64 and 256 units, raw and normalised."""
    return [measure_one(units, normalized) for units in (64, 256) for normalized in (False, True)]


def measure_restarts(units: int, matrices: int) -> RestartsRow:
    """Raw and normalised matrices by turns."""
    single = cluster(similarity(units, False), np.random.default_rng(0))
    restarts(similarity(units, False), single, [np.random.default_rng(0)] * 2)  # compiles
    ours, peer, leads = [], [], []
    for seed in range(matrices):
        weights = adjacency(similarity(units, bool(seed % 2), seed))
        graph = leiden_graph(weights)
        runs = [timed(leiden, graph, run) for run in range(RUNS)]
        rngs = [np.random.default_rng([seed, restart]) for restart in range(RESTARTS)]
        ms, (found, _) = timed(restarts, weights, single._replace(q=0.0), rngs, steps=STEPS)
        ours.append(ms)
        peer += [ms for ms, _ in runs]
        leads.append(found.q_best - max(modularity(weights, labels) for _, labels in runs))
    return RestartsRow(
        units=units,
        matrices=matrices,
        ms=median(ours),
        leiden_ms=median(peer),
        reached=float(np.mean(np.array(leads) >= -EQUAL)),
        surpassed=float(np.mean(np.array(leads) > EQUAL)),
    )


def main() -> int:
    rows = measure()
    print("                      time of one clustering                            modularity Q")
    print(
        "units  similarity     ms  /Leiden  /converged  /igraph   naive/  spectral  ours    Leiden  best of 20  igraph"
    )
    for row in rows:
        form = "normalised" if row.normalized else "raw"
        naive_ratio = f"{row.naive_ms / row.ms:.0f}x" if row.naive_ms else "-"
        converged, igraph = row.ms / row.leiden_converged_ms, row.ms / row.igraph_ms
        print(
            f"{row.units:5d}  {form:10s} {row.ms:6.2f} {row.ratio:8.2f} {converged:11.2f} {igraph:8.2f} "
            f"{naive_ratio:>8s}  {row.q_spectral:.4f}    {row.q:.4f}  {row.q_leiden:.4f}  {row.q_leiden_best:.4f}"
            f"      {row.q_igraph_best:.4f}"
        )
    print(f"\n{RESTARTS} restarts     ms   /one Leiden run   reach Leiden's best of {RUNS}   find more")
    many = [measure_restarts(64, 100), measure_restarts(256, 10)]
    for row in many:
        print(f"{row.units:5d} {row.ms:14.1f} {row.ratio:10.2f} {row.reached:19.0%} {'':7s} {row.surpassed:13.0%}")
    slow = any(row.units == 64 and row.ratio > LIMIT for row in rows)
    slow |= any(row.units == 256 and row.ratio > RESTARTS_LIMIT for row in many)
    short = sum(row.reached * row.matrices for row in many) < REACHED * sum(row.matrices for row in many)
    return int(slow or short)


if __name__ == "__main__":
    sys.exit(main())
