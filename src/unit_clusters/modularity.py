"""Clusters of units that maximise modularity: a spectral start, then a Monte Carlo search (section 3.2, app. A.1)."""

from collections import deque
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numba import njit
from scipy.linalg import eigh

UNUSED = -1
"""The label of dead units: those similar to no other unit."""

ENTROPY = 0.15
"""Entropy of each Monte Carlo move in nats (H in Algorithm 3)."""

MIN_TEMPERATURE, MAX_TEMPERATURE = 1e-6, 1e6
"""The temperature is clamped to these where no temperature gives that entropy, as when the best moves tie."""

ROUNDING = 1e-12
"""A gain in Q counts only above this, so that rounding never decides between partitions of equal Q."""

ASYMMETRY = 1e-5
"""How far a similarity may be from symmetric, relative to its largest entry: float32 sums come that close."""


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


def adjacency(similarity: Float[np.ndarray, "units units"]) -> Float[np.ndarray, "units units"]:
    """A~ of section 3.2, in float64: the similarity without its diagonal, divided by its sum.

    The result is exactly symmetric, and all zero if no two units are similar.

    Raises:
        ValueError: the similarity is not square, not finite, negative somewhere, or not symmetric to within
            ASYMMETRY times its largest entry.
    """
    weights = np.array(similarity, dtype=np.float64)
    if weights.ndim != 2 or weights.shape[0] != weights.shape[1]:
        raise ValueError(f"similarity must be a square matrix, but its shape is {weights.shape}")
    if not np.isfinite(weights).all():
        raise ValueError(f"similarity has {np.sum(~np.isfinite(weights))} entries that are NaN or infinite")
    if (weights < 0).any():
        raise ValueError(f"similarity must not be negative, but its smallest entry is {weights.min():g}")
    asymmetry = np.abs(weights - weights.T).max(initial=0)
    if asymmetry > ASYMMETRY * weights.max(initial=0):
        raise ValueError(f"similarity must be symmetric, but two mirrored entries differ by {asymmetry:g}")
    weights = (weights + weights.T) / 2
    np.fill_diagonal(weights, 0)
    total = weights.sum()
    return weights / total if total > 0 else weights


def modularity(adjacency: Float[np.ndarray, "units units"], labels: Int[np.ndarray, " units"]) -> float:
    """Q of eq. (6) for any integer labels; units whose row is zero add nothing, whatever their label."""
    names, columns = np.unique(labels, return_inverse=True)
    members = np.eye(len(names))[columns]
    between = members.T @ adjacency @ members
    return float(np.trace(between) - np.sum(between.sum(axis=1) ** 2))


def num_clusters(labels: Int[np.ndarray, " units"]) -> float:
    """Eq. (8): exp of the entropy of the clusters' shares of the live units; 0.0 if there are none."""
    live = labels[labels != UNUSED]
    if not len(live):
        return 0.0
    shares = np.unique(live, return_counts=True)[1] / len(live)
    return float(np.exp(-np.sum(shares * np.log(shares))))


def cluster(similarity: Float[np.ndarray, "units units"], rng: np.random.Generator, steps: int = 5000) -> Clustering:
    """Algorithm 1: cluster the units of one similarity matrix, dead ones apart.

    A unit that is similar to no other is dead: it is labelled UNUSED and takes no part in the search. Without
    live units (no two units are similar, or there is only one) q, q_spectral, num_clusters and used_clusters are 0.

    Args:
        similarity: any of the measures of section 3.1; its diagonal is ignored.
        rng: chooses the units and the moves of the Monte Carlo search.
        steps: Monte Carlo steps.

    Raises:
        ValueError: as `adjacency` does.
    """
    weights = adjacency(similarity)
    live = weights.any(axis=1)
    labels = np.full(len(weights), UNUSED)
    if not live.any():
        return Clustering(labels, 0.0, 0.0, 0.0, 0, len(labels))
    weights = weights[np.ix_(live, live)]
    start = spectral_partition(weights)
    units = rng.integers(len(weights), size=steps)
    best, _ = monte_carlo(weights, start, units, rng.random(steps))
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
    last = len(matrix) - 1
    vector = eigh(matrix, subset_by_index=(last, last), check_finite=False)[1][:, 0]
    return vector * np.sign(vector[np.abs(vector).argmax()])


@njit(cache=True)
def monte_carlo(
    adjacency: Float[np.ndarray, "units units"],
    labels: Int[np.ndarray, " units"],
    units: Int[np.ndarray, " steps"],
    uniforms: Float[np.ndarray, " steps"],
) -> tuple[Int[np.ndarray, " units"], Int[np.ndarray, " units"]]:
    """Algorithm 3: move one unit a step to a cluster drawn with probability e^(Q'/tau) of entropy ENTROPY.

    A step proposes every occupied cluster and one empty one; to a unit alone in its cluster, that is the empty one.
    Each proposal costs a few operations, since the links of every unit to every cluster are kept up to date.

    Args:
        adjacency: A~, symmetric, with a zero diagonal.
        labels: the start, 0 to k - 1 with none left out (the leftmost columns of P).
        units: the unit of each step.
        uniforms: a number in [0, 1) for each step, which draws the cluster by the inverse of the cumulative
            distribution over labels in increasing order.

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
        target = _draw(gains[:options], top, uniforms[step])
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


# Most draws need no temperature. A distribution of entropy 0.15 gives its likeliest option more than 1 - RARE, so
# a uniform number between RARE and 1 - RARE draws that option wherever it stands in the order. The entropy can be
# met if the likeliest option leads by CLEAR: at the lowest temperature, that of even a million options is less.
RARE = 0.035
CLEAR = 20 * MIN_TEMPERATURE


@njit(cache=True)
def _draw(gains, top, uniform):
    """Draw an option with p proportional to e^(gain/tau), p having the entropy ENTROPY; top has the highest gain."""
    if RARE <= uniform < 1 - RARE and _lead(gains, top) > CLEAR:
        return top
    weights = np.exp((gains - gains[top]) / _temperature(gains, top))
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
def _temperature(gains, top):
    """The temperature at which p proportional to e^(gain/tau) has the entropy ENTROPY, clamped.

    Newton's method within a bracket, on the log of the entropy, which is nearly linear in beta = 1/tau.
    """
    gaps = gains[top] - gains
    low, high = 1 / MAX_TEMPERATURE, 1 / MIN_TEMPERATURE
    if _entropy(gaps, high)[0] >= ENTROPY:
        return MIN_TEMPERATURE
    if _entropy(gaps, low)[0] <= ENTROPY:
        return MAX_TEMPERATURE
    beta = min(3.3 / _lead(gains, top), high)  # exact to 1 % for two options
    for _ in range(100):  # more than bisection alone would need
        entropy, variance = _entropy(gaps, beta)
        if entropy > ENTROPY:
            low = beta
        else:
            high = beta
        newton = beta
        if entropy * variance > 0:
            newton += np.log(entropy / ENTROPY) * entropy / (beta * variance)
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
