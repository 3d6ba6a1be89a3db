"""Clusters of units that maximise modularity: a spectral start, then a Monte Carlo search (section 3.2, app. A.1).

Beside the paper's algorithms there is a tabu search, for restarts. All compiled code is in this one file, since numba's
cache does not notice when a function of another file has changed.
"""

from collections import deque
from functools import cache
from math import log, log1p
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numba import njit
from scipy.linalg.lapack import dsyevr, dsyevr_lwork

from unit_clusters.clusters.modularity import ROUNDING, UNUSED, live_adjacency, modularity, num_clusters

ENTROPY = 0.15
"""Entropy of each Monte Carlo move in nats (H in Algorithm 3), as the paper chose it."""

MIN_TEMPERATURE, MAX_TEMPERATURE = 1e-6, 1e6
"""The temperature is clamped to these where no temperature gives that entropy, as when the best moves tie."""

MOST_RANDOM = 8
"""A random partition has up to so many clusters: somewhat more than layers are found to have."""

PATIENCE = 0.5
"""The tabu search ends after this many moves per unit without a higher Q."""

TENURE = 0.2
"""After its move, a unit stays where it is for this many moves per unit, unless moving it gives a new best."""


class Clustering(NamedTuple):
    """The clusters of one similarity matrix (Algorithm 1)."""

    labels: Int[np.ndarray, " units"]
    """0 for the largest cluster, then by decreasing size (ties: lowest unit first); UNUSED for dead units."""
    q: float
    """Modularity Q of the labels, eq. (6)."""
    q_spectral: float
    """Q of the spectral start."""
    num_clusters: float
    """Effective number of clusters, eq. (8)."""
    used_clusters: int
    dead_units: int


def cluster(
    similarity: Float[np.ndarray, "units units"],
    rng: np.random.Generator,
    steps: int = 5000,
    entropy: float = ENTROPY,
) -> Clustering:
    """Algorithm 1: cluster the units of one similarity matrix, dead ones apart.

    A unit that is similar to no other is dead: it is labelled UNUSED and takes no part in the search. Without
    live units (no two units are similar, or there is only one) q, q_spectral, num_clusters and used_clusters are 0.

    Args:
        similarity: any of the measures of section 3.1; its diagonal is ignored.
        rng: chooses the units and the moves of the Monte Carlo search.
        steps: Monte Carlo steps.
        entropy: of each of these, in nats.

    Raises:
        ValueError: as `adjacency` does.
    """
    weights, live = live_adjacency(similarity)
    labels = np.full(len(live), UNUSED)
    if not live.any():
        return Clustering(labels, 0.0, 0.0, 0.0, 0, len(labels))
    start = spectral_partition(weights)
    best = improve(weights, start, rng, steps, entropy)
    labels[live] = _by_size(best)
    return Clustering(
        labels=labels,
        q=modularity(weights, best),
        q_spectral=modularity(weights, start),
        num_clusters=num_clusters(labels),
        used_clusters=int(labels.max()) + 1,
        dead_units=int(np.sum(~live)),
    )


def _by_size(labels: Int[np.ndarray, " units"]) -> Int[np.ndarray, " units"]:
    """The same partition, labelled 0, 1, ... by decreasing size, ties by the lowest unit."""
    _, first, columns, sizes = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    return np.argsort(np.lexsort((first, -sizes)))[columns]


def spectral_partition(adjacency: Float[np.ndarray, "units units"]) -> Int[np.ndarray, " units"]:
    """Algorithm 2: split clusters by the sign of their leading eigenvector for as long as Q rises.

    Each cluster's block of B = A~ - A~ 1 1^T A~ is taken as it is; the queue is first in, first out; units with a
    negative component leave for the next free label. Labels are 0, 1, ... in the order in which clusters arose.
    """
    degrees = adjacency.sum(axis=1)
    b = adjacency - np.outer(degrees, degrees)
    labels = np.zeros(len(b), dtype=np.int64)
    clusters = 1
    queue = deque([0])
    while queue:
        parent = queue.popleft()
        members = np.flatnonzero(labels == parent)
        block = b[np.ix_(members, members)]
        leaves = _leading_eigenvector(block) < 0
        if -2 * block[np.ix_(leaves, ~leaves)].sum() > ROUNDING:  # Q loses the entries between the two parts
            labels[members[leaves]] = clusters
            queue.extend((parent, clusters))
            clusters += 1
    return labels


def _leading_eigenvector(matrix: Float[np.ndarray, "units units"]) -> Float[np.ndarray, " units"]:
    """The eigenvector of the algebraically largest eigenvalue; its component of largest magnitude is positive."""
    last = len(matrix)  # counted from 1
    sizes = {name: int(size) for name, size in zip(("lwork", "liwork"), dsyevr_lwork(last, lower=1), strict=False)}
    vector = dsyevr(matrix, range="I", lower=1, il=last, iu=last, **sizes)[1][:, 0]  # eigh, in half the time
    return vector * np.sign(vector[np.abs(vector).argmax()])


def random_partition(units: int, rng: np.random.Generator) -> Int[np.ndarray, " units"]:
    """Each unit in one of 2 to MOST_RANDOM clusters, all equally likely, as is their number; labels 0 to k - 1."""
    labels = rng.integers(rng.integers(2, MOST_RANDOM, endpoint=True), size=units)
    return np.unique(labels, return_inverse=True)[1]


def improve(
    adjacency: Float[np.ndarray, "units units"],
    start: Int[np.ndarray, " units"],
    rng: np.random.Generator,
    steps: int,
    entropy: float = ENTROPY,
) -> Int[np.ndarray, " units"]:
    """The best labels of Algorithm 3 from a start, with random choices; see `monte_carlo`."""
    units = rng.integers(len(adjacency), size=steps)
    return monte_carlo(adjacency, start, units, rng.random(steps), entropy, rare(entropy))[0]


@cache
def rare(entropy: float) -> float:
    """What the unlikelier of two options has at that entropy; up to this, all but the likeliest have together.

    Of more than two options of that entropy, the likeliest has more, since the others add entropy of their own.
    """
    low, high = 0.0, 0.5
    while low < (p := (low + high) / 2) < high:  # bisection, to the last bit; scipy.optimize is slow to import
        low, high = (p, high) if -p * log(p) - (1 - p) * log1p(-p) < entropy else (low, p)
    return high


@njit(cache=True)
def monte_carlo(
    adjacency: Float[np.ndarray, "units units"],
    labels: Int[np.ndarray, " units"],
    units: Int[np.ndarray, " steps"],
    uniforms: Float[np.ndarray, " steps"],
    entropy: float,
    rare: float,
) -> tuple[Int[np.ndarray, " units"], Int[np.ndarray, " units"]]:
    """Algorithm 3: move one unit a step to a cluster drawn with a probability p ~ e^(Q'/tau) of a given entropy.

    A step proposes every occupied cluster and one empty one; to a unit alone in its cluster, that is the empty one.
    Each proposal costs a few operations, since the links of every unit to every cluster are kept up to date.

    Args:
        adjacency: A~, symmetric, with a zero diagonal.
        labels: the start, 0 to k - 1 with none left out (the leftmost columns of P).
        units: the unit of each step.
        uniforms: a number in [0, 1) for each step, which draws the cluster by the inverse of the cumulative
            distribution over labels in increasing order.
        entropy: of p, in nats.
        rare: the function of that name, of this entropy.

    Returns:
        The labels of the highest Q among the start and all proposals, chosen or not (some label may be left out);
        and the labels after the last step, again 0 to k - 1: when a cluster empties, those after it move down by one.
    """
    degrees = adjacency.sum(axis=1)
    labels = labels.copy()
    sizes, volumes, links = _tally(adjacency, degrees, labels)
    clusters = labels.max() + 1
    best = labels.copy()
    behind = 0.0  # how far Q of the labels is below Q of the best
    gains = np.empty(len(labels))
    for step in range(len(units)):
        unit = units[step]
        source = labels[unit]
        options = clusters if sizes[source] == 1 else clusters + 1
        _fill_gains(gains[:options], source, degrees[unit], volumes, links[:, unit])
        top = gains[:options].argmax()
        if gains[top] > behind + ROUNDING:
            best[:] = labels
            best[unit] = top
            behind = gains[top]
        target = _draw(gains[:options], top, uniforms[step], entropy, rare)
        if target != source:
            behind -= gains[target]
            clusters = max(clusters, target + 1)
            _move(unit, source, target, adjacency, degrees, labels, sizes, volumes, links)
            if sizes[source] == 0:
                clusters -= 1
                _close_gap(source, clusters, labels, sizes, volumes, links)
    return best, labels


@njit(cache=True)
def _tally(adjacency, degrees, labels):
    """Each cluster's number of units, sum of degrees, and links to every unit (clusters by units), with room for n."""
    n = len(labels)
    sizes, volumes, links = np.zeros(n, dtype=np.int64), np.zeros(n), np.zeros((n, n))
    for unit in range(n):
        sizes[labels[unit]] += 1
        volumes[labels[unit]] += degrees[unit]
        links[labels[unit]] += adjacency[unit]
    return sizes, volumes, links


@njit(cache=True)
def _fill_gains(gains, source, degree, volumes, links):
    """What Q gains by moving a unit from its cluster to each other one; links are the unit's to each cluster."""
    stay = links[source] - degree * (volumes[source] - degree)
    for target in range(len(gains)):
        gains[target] = 2 * (links[target] - degree * volumes[target] - stay)
    gains[source] = 0.0


@njit(cache=True)
def _move(unit, source, target, adjacency, degrees, labels, sizes, volumes, links):
    labels[unit] = target
    sizes[source] -= 1
    sizes[target] += 1
    volumes[source] -= degrees[unit]
    volumes[target] += degrees[unit]
    links[source] -= adjacency[unit]
    links[target] += adjacency[unit]


@njit(cache=True)
def _close_gap(empty, clusters, labels, sizes, volumes, links):
    """Move the clusters after an empty one down by one, and make the freed last one exactly empty."""
    for cluster in range(empty, clusters):
        sizes[cluster], volumes[cluster] = sizes[cluster + 1], volumes[cluster + 1]
        links[cluster] = links[cluster + 1]
    sizes[clusters], volumes[clusters] = 0, 0.0
    links[clusters] = 0.0
    for unit in range(len(labels)):
        if labels[unit] > empty:
            labels[unit] -= 1


# Most draws need no temperature: a uniform number between rare and 1 - rare draws the likeliest option wherever it
# stands in the order. That takes that the entropy can be met, and it can if the likeliest option leads by CLEAR: at the
# lowest temperature, the entropy of even a thousand options is then below 1e-4.
CLEAR = 20 * MIN_TEMPERATURE


@njit(cache=True)
def _draw(gains, top, uniform, entropy, rare):
    """Draw an option with p proportional to e^(gain/tau) and of that entropy; top has the highest gain."""
    if rare <= uniform < 1 - rare and _lead(gains, top) > CLEAR:
        return top
    weights = np.exp((gains - gains[top]) / _temperature(gains, top, entropy))
    remaining = uniform * weights.sum()
    for option in range(len(weights)):
        remaining -= weights[option]
        if remaining < 0:
            return option
    return top


@njit(cache=True)
def _lead(gains, top):
    """How far the highest gain is above the second highest."""
    lead = np.inf
    for option in range(len(gains)):
        if option != top:
            lead = min(lead, gains[top] - gains[option])
    return lead


@njit(cache=True)
def _temperature(gains, top, wanted):
    """The temperature at which p proportional to e^(gain/tau) has the entropy that is wanted, clamped.

    Newton's method within a bracket, on the log of the entropy, which is nearly linear in beta = 1/tau.
    """
    gaps = gains[top] - gains
    low, high = 1 / MAX_TEMPERATURE, 1 / MIN_TEMPERATURE
    if _entropy(gaps, high)[0] >= wanted:
        return MIN_TEMPERATURE
    if _entropy(gaps, low)[0] <= wanted:
        return MAX_TEMPERATURE
    lead = _lead(gains, top)
    beta = min(3.3 / lead, high) if lead > 0 else 1.0  # exact to 1 % for two options of entropy 0.15
    for _ in range(100):  # more than bisection alone would need
        entropy, variance = _entropy(gaps, beta)
        if entropy > wanted:
            low = beta
        else:
            high = beta
        newton = beta
        if entropy * variance > 0:
            newton += np.log(entropy / wanted) * entropy / (beta * variance)
            if abs(newton - beta) <= 1e-12 * beta:
                break
        beta = newton if low < newton < high else np.sqrt(low * high)
    return 1 / beta


@njit(cache=True)
def _entropy(gaps, beta):
    """Entropy in nats of p proportional to e^(-beta gap), and the variance of the gap.

    The derivative of the entropy by beta is -beta times that variance.
    """
    total = mean = square = 0.0
    for gap in gaps:
        weight = np.exp(-beta * gap)
        total += weight
        mean += weight * gap
        square += weight * gap**2
    mean /= total
    return np.log(total) + beta * mean, square / total - mean**2


@njit(cache=True)
def degrees_of(adjacency: Float[np.ndarray, "units units"]) -> Float[np.ndarray, " units"]:
    """Row sums, added up in order."""
    return adjacency.sum(axis=1)


@njit(cache=True)
def iterated_tabu_search(
    adjacency: Float[np.ndarray, "units units"],
    degrees: Float[np.ndarray, " units"],
    labels: Int[np.ndarray, " units"],
    deals: int,
    rng: np.random.Generator,
) -> Int[np.ndarray, " units"]:
    """Iterated tabu search (Lü & Huang 2009): search, deal the units of two of the best clusters anew, search again...

    The matrix B of eq. (6) is adjacency - degrees degrees^T, but for its diagonal. So for any B, with a zero diagonal,
    it can be called with B and degrees of 0.

    Args:
        adjacency: A~, symmetric, with a zero diagonal.
        degrees: of the units.
        labels: the start, 0 to k - 1 with none left out.
        deals: how many times to deal and search again.
        rng: chooses the clusters, and deals.
    """
    best, q = tabu_search(adjacency, degrees, labels)
    for _ in range(deals):
        found, q_found = tabu_search(adjacency, degrees, _dealt_anew(best, rng))
        if q_found > q + ROUNDING:
            best, q = found, q_found
    return best


@njit(cache=True)
def tabu_search(
    adjacency: Float[np.ndarray, "units units"],
    degrees: Float[np.ndarray, " units"],
    labels: Int[np.ndarray, " units"],
) -> tuple[Int[np.ndarray, " units"], float]:
    """The labels of the highest Q on a walk of best moves, and that Q.

    Each move takes the unit and cluster, or empty cluster, for which Q gains most or loses least (Glover 1989).
    """
    n = len(labels)
    labels = labels.copy()
    sizes, volumes, links = _tally(adjacency, degrees, labels)
    clusters = labels.max() + 1
    best, q_best = labels.copy(), _modularity(labels, volumes, links)
    q = q_best
    free = np.zeros(n, dtype=np.int64)  # the move from which on a unit may move again
    move, last = 0, int(PATIENCE * n)
    while move < last:
        enough = q_best - q + ROUNDING
        unit, target, gain = _best_move(clusters, free, move, enough, degrees, labels, sizes, volumes, links)
        if unit >= 0:
            source = labels[unit]
            _move(unit, source, target, adjacency, degrees, labels, sizes, volumes, links)
            clusters = max(clusters, target + 1)
            if sizes[source] == 0:
                clusters -= 1
                _close_gap(source, clusters, labels, sizes, volumes, links)
            q += gain
            free[unit] = move + 2 + int(TENURE * n)
        move += 1
        if q > q_best + ROUNDING:
            best[:], q_best = labels, q
            last = move + int(PATIENCE * n)
    return best, q_best


@njit(cache=True)
def _best_move(clusters, free, move, enough, degrees, labels, sizes, volumes, links):
    """The unit, its cluster to be, and the gain in Q; a unit not yet free must gain more than enough. -1 if none."""
    ties = _strongest_ties(clusters, degrees, labels, sizes, volumes, links)
    best, best_gain = -1, -np.inf
    for unit in range(len(labels)):
        source, degree = labels[unit], degrees[unit]
        gain = 2 * (ties[unit] - links[source, unit] + degree * (volumes[source] - degree))
        if gain > best_gain and (free[unit] <= move or gain > enough):
            best, best_gain = unit, gain
    chosen, strongest = clusters, 0.0 if sizes[labels[best]] > 1 else -np.inf
    for target in range(clusters):
        tie = links[target, best] - degrees[best] * volumes[target]
        if tie > strongest and target != labels[best]:
            chosen, strongest = target, tie
    return best, chosen, best_gain


@njit(cache=True)
def _strongest_ties(clusters, degrees, labels, sizes, volumes, links):
    """Of each unit to another cluster, links less those expected; 0 to an empty one, which a unit alone is in already.

    Cluster by cluster, since the processor then treats several units at once.
    """
    ties = np.empty(len(labels))
    for unit in range(len(labels)):
        ties[unit] = 0.0 if sizes[labels[unit]] > 1 else -np.inf
    for target in range(clusters):
        row, volume = links[target], volumes[target]
        for unit in range(len(labels)):
            tie = -np.inf if labels[unit] == target else row[unit] - degrees[unit] * volume
            ties[unit] = tie if tie > ties[unit] else ties[unit]
    return ties


@njit(cache=True)
def _modularity(labels, volumes, links):
    """Q of eq. (6), from the tally of the labels."""
    q = -np.sum(volumes**2)
    for unit in range(len(labels)):
        q += links[labels[unit], unit]
    return q


@njit(cache=True)
def _dealt_anew(labels, rng):
    """Labels in which each unit of two random clusters, of which one may be empty, is in either with equal chance."""
    clusters = labels.max() + 1
    one = rng.integers(0, clusters)
    other = (one + rng.integers(1, clusters + 1)) % (clusters + 1)
    names = np.full(clusters + 1, -1)  # so that none is left out
    named = 0
    dealt = labels.copy()
    for unit in range(len(labels)):
        if labels[unit] == one or labels[unit] == other:
            dealt[unit] = one if rng.random() < 0.5 else other
        if names[dealt[unit]] < 0:
            names[dealt[unit]] = named
            named += 1
        dealt[unit] = names[dealt[unit]]
    return dealt


@njit(cache=True)
def balanced_partition(
    shares: Float[np.ndarray, "2 units units"], labels: Int[np.ndarray, " units"]
) -> tuple[Int[np.ndarray, " units"], float]:
    """Move single units, always that which raises the smaller of two sums over clusters most, while one does.

    Args:
        shares: two symmetric matrices; the sum of each is over pairs of units of one cluster.
        labels: the start, 0 to k - 1.

    Returns:
        The labels, of which some may be left out, and the smaller sum.
    """
    labels, clusters = labels.copy(), labels.max() + 1
    links = np.zeros((2, len(labels), len(labels)))  # of each cluster to every unit, and of an empty one
    for unit in range(len(labels)):
        links[:, labels[unit]] += shares[:, unit]
    totals = np.zeros(2)
    for unit in range(len(labels)):
        totals += links[:, labels[unit], unit]
    while True:
        best, mover, goal = totals.min() + ROUNDING, -1, -1
        for unit in range(len(labels)):
            source = labels[unit]
            for target in range(min(clusters + 1, len(labels))):
                smaller = np.inf
                for side in range(2):
                    here = links[side, source, unit] - shares[side, unit, unit]
                    smaller = min(smaller, totals[side] + 2 * (links[side, target, unit] - here))
                if target != source and smaller > best:
                    best, mover, goal = smaller, unit, target
        if mover < 0:
            return labels, totals.min()
        source = labels[mover]
        for side in range(2):
            here = links[side, source, mover] - shares[side, mover, mover]
            totals[side] += 2 * (links[side, goal, mover] - here)
        links[:, source] -= shares[:, mover]
        links[:, goal] += shares[:, mover]
        labels[mover], clusters = goal, max(clusters, goal + 1)
