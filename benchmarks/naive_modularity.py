"""Algorithms 1 to 3 of the paper (app. A.1) written out step by step, to check and to time the package's modularity.

P is the paper's one-hot matrix, units by units: a column per cluster, unused columns zero and to the right. Every Q is
computed in full by eq. (6).
"""

from collections.abc import Iterator

import numpy as np
from scipy.optimize import brentq
from scipy.special import entr, softmax


def one_hot(labels):
    return np.eye(len(labels))[labels]


def modularity(a, p):
    ones = np.ones((len(a), 1))
    return np.trace(p.T @ a @ p) - np.trace(p.T @ a @ ones @ ones.T @ a @ p)


def spectral(a):
    """Algorithm 2."""
    degrees = a.sum(axis=1)
    b = a - np.outer(degrees, degrees)
    p = one_hot(np.zeros(len(a), dtype=int))
    queue = [0]
    q = np.trace(p.T @ b @ p)
    while queue:
        c = queue.pop(0)
        i = np.flatnonzero(p[:, c])
        v = np.linalg.eigh(b[np.ix_(i, i)])[1][:, -1]
        v = v * np.sign(v[np.argmax(np.abs(v))])
        if np.all(v >= 0):
            continue
        new = first_empty(p)
        split = p.copy()
        split[i[v < 0], c] = 0
        split[i[v < 0], new] = 1
        q_split = np.trace(split.T @ b @ split)
        if q_split > q:
            q, p = q_split, split
            queue += [c, new]
    return p


def monte_carlo(a, p, units, uniforms, entropy=0.15) -> Iterator[tuple]:
    """Algorithm 3, with the best P set once, before the first step. Yields P, Q* and P* after each step."""
    best_q, best_p = modularity(a, p), p
    for unit, uniform in zip(units, uniforms, strict=True):
        proposals = [reassigned(p, unit, column) for column in range(proposed_columns(p, unit))]
        qs = np.array([modularity(a, proposal) for proposal in proposals])
        if qs.max() > best_q:
            best_q, best_p = qs.max(), proposals[qs.argmax()]
        drawn = np.searchsorted(np.cumsum(move_probabilities(qs, entropy)), uniform, side="right")
        p = leftmost(proposals[min(drawn, len(proposals) - 1)])
        yield p, best_q, best_p


def cluster(a, units, uniforms):
    """Algorithm 1: Q* and P*."""
    *_, (_, best_q, best_p) = monte_carlo(a, spectral(a), units, uniforms)
    return best_q, best_p


def tabu_search(a, labels, patience, tenure):
    """A walk of best moves of single units, each then barred for some moves unless it gives a new best."""
    p = leftmost(one_hot(labels))
    best_q, best_p = modularity(a, p), p
    barred = np.zeros(len(a), dtype=int)
    without = 0
    while without < patience:
        moves = []
        for unit in range(len(a)):
            for column in set(range(proposed_columns(p, unit))) - {p[unit].argmax()}:
                moved = reassigned(p, unit, column)
                q = modularity(a, moved)
                if not barred[unit] or q > best_q:
                    moves.append((q, unit, moved))
        barred = np.maximum(barred - 1, 0)
        without += 1
        if moves:
            q, unit, moved = max(moves, key=lambda move: move[0])
            p = leftmost(moved)
            barred[unit] = tenure
            if q > best_q + 1e-12:
                best_q, best_p, without = q, p, 0
    return best_q, best_p


def move_probabilities(qs, target):
    """p proportional to e^(Q/tau), with tau such that the entropy is the target, clamped to [1e-6, 1e6]."""

    def excess(log_tau):
        return entr(softmax(qs / np.exp(log_tau))).sum() - target

    low, high = np.log(1e-6), np.log(1e6)
    if excess(low) >= 0:
        return softmax(qs / 1e-6)
    if excess(high) <= 0:
        return softmax(qs / 1e6)
    return softmax(qs / np.exp(brentq(excess, low, high, xtol=1e-14)))


def proposed_columns(p, unit):
    """The occupied columns and the first empty one; a unit alone in its cluster counts that as the empty one."""
    alone = p[:, p[unit].argmax()].sum() == 1
    return first_empty(p) if alone else first_empty(p) + 1


def first_empty(p):
    return int(p.any(axis=0).sum())


def reassigned(p, unit, column):
    p = p.copy()
    p[unit] = 0
    p[unit, column] = 1
    return p


def leftmost(p):
    used = p.any(axis=0)
    return np.hstack([p[:, used], p[:, ~used]])


def best_partition(a):
    """The highest Q over all partitions of a few units, by brute force."""
    degrees = a.sum(axis=1)
    b = (a - np.outer(degrees, degrees)).ravel()
    return max(b @ np.equal.outer(labels, labels).ravel() for labels in partitions(len(a)))


def partitions(n):
    """All partitions of n units, as labels that first appear in increasing order."""
    grown = [(0,)]
    for _ in range(n - 1):
        grown = [(*labels, label) for labels in grown for label in range(max(labels) + 2)]
    return np.array(grown)
