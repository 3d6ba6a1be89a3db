"""What halves of the images say of a matrix, against independent repeats, and cases that are known."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from unit_clusters.clusters.agreement import similarities_alive
from unit_clusters.clusters.reliability import images_for, reliability, stepped_up
from unit_clusters.clusters.search import cluster
from unit_clusters.similarity.closed_form import ClosedForm
from unit_clusters.similarity.measures import FORMS, in_form
from unit_clusters.similarity.options import Options

UNITS, IMAGES, REPEATS = 20, 300, 24


def rngs():
    return [np.random.default_rng(seed) for seed in (1, 2)]


def measured(repeat):
    """The matrices of one layer of one network, from other images each time."""
    weights = [torch.randn(size, generator=torch.Generator().manual_seed(0)) for size in ((UNITS, 15), (5, UNITS))]
    way = ClosedForm(weights, [torch.zeros(UNITS), torch.zeros(5)], {"1": 1}, Options(cross_entropy))
    way.add(torch.randn(IMAGES, 15, generator=torch.Generator().manual_seed(1 + repeat)))
    return way.measured()["1"]


@pytest.fixture(scope="module")
def repeats():
    return [measured(repeat) for repeat in range(REPEATS)]


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_it_is_how_far_independent_repeats_agree(repeats, form):
    live, above = np.ones(UNITS, bool), np.triu_indices(UNITS, 1)
    entries = np.array([in_form(found.signed[form.measure], form)[above] for found in repeats])
    between = np.corrcoef(entries)[np.triu_indices(REPEATS, 1)].mean()
    said = [
        reliability([in_form(half[form.measure], form) for half in found.halves], live, rngs()) for found in repeats
    ]
    assert np.mean([numbers.reliability for numbers in said]) == pytest.approx(between, abs=0.05)


def test_planted_clusters_are_found_again_and_noise_is_not():
    random, groups, live = np.random.default_rng(0), np.arange(UNITS) // 5, np.ones(UNITS, bool)
    noise = [np.abs(np.cov(random.standard_normal((UNITS, 30)))) for _ in range(2)]
    found = reliability([np.equal.outer(groups, groups) + 0.1 * part for part in noise], live, rngs())
    assert found.reliability > 0.95
    assert found.reliability_clusters == 1
    off = [part - np.diag(np.diag(part)) for part in noise]
    found = reliability(off, live, rngs())
    assert abs(found.reliability) < 0.3
    assert found.reliability_clusters < 0.3
    labels = [cluster(part, rng).labels for part, rng in zip(off, rngs(), strict=True)]
    assert found.reliability_clusters == similarities_alive(*labels)[1]


def test_units_that_are_dead_take_no_part():
    random = np.random.default_rng(0)
    halves = [np.abs(np.cov(random.standard_normal((UNITS, 30)))) for _ in range(2)]
    padded = [np.pad(half, ((3, 0), (3, 0))) for half in halves]
    live = np.arange(UNITS + 3) >= 3
    assert reliability(padded, live, rngs()) == reliability(halves, live[3:], rngs())


@pytest.mark.parametrize(
    "half", [np.full((4, 4), np.nan), np.zeros((4, 4)), np.ones((1, 1))], ids=["nan", "dead", "one"]
)
def test_it_is_nan_where_there_is_nothing_to_compare(half):
    found = reliability([half, half], np.ones(len(half), bool), rngs())
    assert np.isnan(found).all()


def test_the_formula_of_spearman_and_brown():
    assert (stepped_up(0.5), stepped_up(0.5, 1), stepped_up(1.0)) == (pytest.approx(2 / 3), 0.5, 1)
    assert stepped_up(-0.99) == -0.99
    needed = images_for(0.95, 0.6, 100)
    assert stepped_up(0.6, needed / 100) == pytest.approx(0.95)
    assert images_for(0.95, -0.1, 100) == np.inf
