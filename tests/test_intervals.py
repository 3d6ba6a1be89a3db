"""Limits of estimates: Student's, as written out, and in simulations, where they hold the truth as they say."""

import numpy as np
import pytest
from scipy.stats import f, sem, t, ttest_1samp, ttest_rel

from unit_clusters.streams import stream
from unit_clusters_paper.claims.intervals import (
    HIGH,
    LOW,
    Count,
    Difference,
    Mean,
    Ratio,
    Size,
    interval,
    largest,
    lead,
    ratio,
    smallest,
)


def samples(*shape, name="samples"):
    return stream("claims", name).standard_normal(shape)


def test_means_have_students_interval():
    x, y = samples(2, 9, 4)
    for column in range(4):
        found = interval((Mean.of("a", x) - Mean.of("a", y))[column])
        expected = ttest_rel(x[:, column], y[:, column]).confidence_interval()
        assert found[1:] == pytest.approx([expected.low, expected.high])
    average = ttest_1samp(x.mean(axis=1), 0).confidence_interval()
    assert interval(Mean.of("a", x).mean())[1:] == pytest.approx([average.low, average.high])
    pooled = interval(Mean.of("a", x, pooled=(0,)))
    assert pooled[1:] == pytest.approx([average.low, average.high])


def test_a_mean_of_some_seeds_has_the_interval_of_these():
    x = samples(9, 2)
    x[[1, 5], 0] = np.nan
    expected = ttest_1samp(x[~np.isnan(x[:, 0]), 0], 0).confidence_interval()
    assert interval(Mean.of("a", x)[0])[1:] == pytest.approx([expected.low, expected.high])
    mean = Mean.of("a", x)
    assert mean.mean().parts["a"].df == pytest.approx(2 / (1 / 6 + 1 / 8))
    assert (mean[1] - mean[0]).parts["a"].df == (mean[0] - mean[1]).parts["a"].df == 6


def test_a_pooled_mean_is_of_all_values_and_has_the_error_of_the_jackknife():
    x = samples(9, 5)
    x[samples(9, 5, name="gaps") < -1] = np.nan
    mean = Mean.of("a", x, pooled=(0,))
    assert mean.value == pytest.approx(np.nanmean(x))
    without = np.array([np.nanmean(np.delete(x, seed, axis=0)) for seed in range(9)])
    jackknife = np.sqrt(8 / 9 * ((without - without.mean()) ** 2).sum())
    assert (mean.limit(HIGH, 0.025) - mean.value) / t.isf(0.025, 8) == pytest.approx(jackknife, rel=0.05)


def test_pooled_means_keep_the_other_axes():
    x = samples(9, 5, 4)
    for axis in (0, 1):
        pooled = Mean.of("a", x, pooled=(axis,))
        assert pooled.value == pytest.approx(x.mean(axis=(0, axis + 1)))
        expected = ttest_1samp(x.mean(axis=axis + 1), 0).confidence_interval()
        assert pooled.limit(LOW, 0.025) == pytest.approx(expected.low)


@pytest.mark.parametrize("factor", [0.5, -2.0, np.array([3.0, 0.1])], ids=["half", "minus twice", "each its own"])
def test_a_multiple_of_a_mean_is_the_mean_of_multiples(factor):
    x = samples(9, 2)
    found, expected = Mean.of("a", x) * factor, Mean.of("a", x * factor)
    assert found.value == pytest.approx(expected.value)
    for side in (LOW, HIGH):
        assert found.limit(side, 0.025) == pytest.approx(expected.limit(side, 0.025))


def test_the_standard_error_is_that_of_a_mean_or_of_a_difference():
    x, y = samples(9, 2), samples(5, name="others")
    a, b = Mean.of("a", x), Mean.of("b", y)
    errors = [sem(one) for one in (*x.T, y)]
    assert a.error == pytest.approx(errors[:2])
    assert (a - b).error == pytest.approx(np.hypot(errors[:2], errors[2]))


def test_a_single_seed_has_neither_error_nor_limits():
    """Whether there are no others, or all of them are missing."""
    for seeds in (samples(1), np.array([0.5, np.nan, np.nan])):
        one, many = Mean.of("a", seeds), Mean.of("b", samples(9))
        assert np.isnan([one.error, (many - one).error]).all()
        for estimate in (one, many - one, Size(one[None], 1), largest(one[None])):
            assert interval(estimate)[1:] == (-np.inf, np.inf)


def test_independent_groups_add_the_squares_of_their_reaches():
    x, y = samples(3), samples(20, name="others")
    reaches = [t.isf(0.025, len(one) - 1) * one.std(ddof=1) / np.sqrt(len(one)) for one in (x, y * 0.5)]
    found = interval(Mean.of("a", x) - Mean.of("b", y * 0.5))
    assert found.value == pytest.approx(x.mean() - 0.5 * y.mean())
    assert found.high - found.value == pytest.approx(np.hypot(*reaches))
    a, b = Mean.of("a", x), Mean.of("b", y)
    assert interval(Difference(a, b, 0.5)) == pytest.approx(found)


def test_a_difference_of_independent_estimates_joins_their_limits():
    a, b = largest(Mean.of("a", samples(9, 4))), largest(Mean.of("b", samples(5, 3, name="others")))
    (value, low, high), (other, least, most) = interval(a), interval(b)
    found = interval(Difference(a, b, 0.5))
    assert found.value == pytest.approx(value - 0.5 * other)
    assert found.value - found.low == pytest.approx(np.hypot(value - low, 0.5 * (most - other)))
    assert found.high - found.value == pytest.approx(np.hypot(high - value, 0.5 * (other - least)))


def test_a_difference_of_dependent_estimates_has_half_of_the_tail_for_each():
    a, b = largest(Mean.of("a", samples(9, 4))), largest(Mean.of("a", samples(9, 3, name="others")))
    found = Difference(a, b, 0.5, independent=False)
    for side in (LOW, HIGH):
        assert found.limit(side, 0.05) == pytest.approx(a.limit(side, 0.025) - 0.5 * b.limit(-side, 0.025))


def test_the_largest_is_between_corrected_and_plain_limits():
    x, y = samples(2, 9, 4)
    limits = [ttest_1samp(x[:, k], 0).confidence_interval(1 - 0.05 / 4).low for k in range(4)]
    plain = [ttest_1samp(x[:, k], 0).confidence_interval().high for k in range(4)]
    assert interval(largest(Mean.of("a", x))) == pytest.approx((x.mean(axis=0).max(), max(limits), max(plain)))
    assert interval(smallest(Mean.of("a", -x))) == pytest.approx((-x.mean(axis=0).max(), -max(plain), -max(limits)))
    of_both = lead(Mean.of("a", x), Mean.of("a", y))
    assert of_both.value == pytest.approx(x.mean(axis=0).max() - y.mean(axis=0).max())
    low = max(
        min(ttest_rel(x[:, i], y[:, k]).confidence_interval(1 - 0.05 / 4).low for k in range(4)) for i in range(4)
    )
    assert of_both.limit(LOW, 0.025) == pytest.approx(low)


def test_a_size_is_less_what_noise_gives():
    x = samples(9, 6) + np.arange(6)
    square = np.mean(x.mean(axis=0) ** 2 - x.var(axis=0, ddof=1) / 9)
    assert Size(Mean.of("a", x), 1).value == pytest.approx(np.sqrt(square))
    assert Size(Mean.of("a", x - x.mean(axis=0)), 1).value == pytest.approx(-np.sqrt(np.mean(x.var(axis=0)) / 8))


def test_the_limits_of_a_size_are_where_they_should_be():
    """By the covariance of the means, written out."""
    x = samples(9, 6) + 2
    size, covariance = Size(Mean.of("a", x), 1), np.cov(x.T) / 9
    mean = x.mean(axis=0)
    square = (mean @ mean - np.trace(covariance)) / 6
    along = mean @ covariance @ mean / (mean @ mean)
    spectral = np.trace(covariance @ covariance)
    first, second, noise = max(along, spectral / np.trace(covariance)) / 6, spectral / 36, np.trace(covariance) / 6
    high = size.limit(HIGH, 0.025) ** 2
    assert high - square == pytest.approx(t.isf(0.025, 8) * np.sqrt(4 * first * high + 2 * second))
    low, directions = size.limit(LOW, 0.025) ** 2, noise**2 / second
    least = noise * (f.isf(0.025, directions, 8 * directions) - 1)
    assert (square - low) ** 2 == pytest.approx(t.isf(0.025, 8) ** 2 * 4 * first * low + least**2)


def test_a_size_is_of_the_means_that_there_are():
    x = samples(9, 2, 6) + 1
    x[:, 0, [1, 4]] = x[:, 1] = np.nan
    found, expected = Size(Mean.of("a", x), 1), Size(Mean.of("a", x[:, 0, [0, 2, 3, 5]]), 1)
    assert found.value == pytest.approx([expected.value, np.nan], nan_ok=True)
    for side in (LOW, HIGH):
        assert found.limit(side, 0.025)[0] == pytest.approx(expected.limit(side, 0.025))


def test_a_size_of_exactly_0_has_the_limits_of_one_next_to_it():
    x = np.array([-0.25, -0.125, 0, 0.125, 0.25])[:, None]
    exactly, nearly = (Size(Mean.of("a", x + shift), 1) for shift in (0, 1e-9))
    for side in (LOW, HIGH):
        assert exactly.limit(side, 0.025) == pytest.approx(nearly.limit(side, 0.025), rel=1e-6)


def test_the_limits_of_a_size_without_noise_are_the_size():
    assert interval(Size(Mean.of("a", np.full((5, 2), [0.6, 0.8])), 1)) == pytest.approx([np.sqrt(0.5)] * 3)


def test_the_lower_limit_of_a_size_of_one_mean_is_the_t_test():
    x = samples(4000, 9, name="one").T
    size = Size(Mean.of("a", x[..., None]), 1)
    significant = ttest_1samp(x, 0).pvalue < 0.025
    assert ((size.limit(LOW, 0.025) > 0) == significant).all()


def test_a_count_has_no_interval():
    assert interval(Count(3)) == (3, 3, 3)


SHAPES = {
    "flat": lambda number: np.full(number, 0.5),
    "peaked": lambda number: np.where(np.arange(number) == number // 2, 1.0, 0.0),
    "ramped": lambda number: np.linspace(0, 1, number),
}
REPETITIONS = 2000


def sweeps(name, shape, seeds, strengths, missing=0.2):
    """Many runs of a sweep: correlated strengths, noisier where stronger, seeds lost there; and the true means."""
    random, truth = stream("claims", "coverage", name, shape, seeds), SHAPES[shape](strengths)
    common, own = (random.standard_normal((seeds, REPETITIONS, number)) for number in (1, strengths))
    values = truth + np.linspace(0.2, 0.8, strengths) * (common + own) / np.sqrt(2)
    lost = random.random(values.shape) < missing * (np.arange(strengths) >= strengths - 2)
    return np.where(lost & (lost.sum(axis=0) <= seeds // 2), np.nan, values), truth


def coverage_cases(shape, seeds):
    """Estimates, each of REPETITIONS runs, and what they estimate."""
    x, truth = sweeps("dropout", shape, seeds, 6)
    others, true_others = sweeps("others", "ramped" if shape == "flat" else "flat", seeds, 4)
    base, true_base = sweeps("base", shape, 9, 8)
    untrained = 0.5 + 0.5 * stream("claims", "untrained", shape).standard_normal((30, REPETITIONS, 1))
    here, there = Mean.of("here", x), Mean.of("there", base)
    beside, before = Mean.of("here", others), Mean.of("before", untrained)
    average = truth.mean()
    return {
        "a mean": (here.mean(1), average),
        "a mean of some seeds": (here[:, -1], truth[-1]),
        "trained minus untrained": (here.mean(1) - before[:, 0], average - 0.5),
        "a largest rise": (largest(here), truth.max()),
        "a lead": (lead(here, beside), truth.max() - true_others.max()),
        "two limits": (smallest(here.mean(1), 0.8 - here.mean(1)), min(average, 0.8 - average)),
        "between experiments": (Difference(largest(here), largest(there), 0.5), truth.max() - 0.5 * true_base.max()),
        "a size": (Size(here, 1), np.sqrt(np.mean(truth**2))),
        "a size of differences": (Size(here - before, 1), np.sqrt(np.mean((truth - 0.5) ** 2))),
        "two sizes": (
            Difference(Size(here, 1), Size(beside, 1), 0.5, independent=False),
            np.sqrt(np.mean(truth**2)) - 0.5 * np.sqrt(np.mean(true_others**2)),
        ),
    }


TAIL = 0.025


def error(tail, repetitions=REPETITIONS):
    """Of a share that is measured."""
    return np.sqrt(tail * (1 - tail) / repetitions)


@pytest.mark.parametrize("seeds", [3, 9])
@pytest.mark.parametrize("shape", SHAPES)
def test_intervals_hold_the_truth_and_their_estimate(shape, seeds):
    for name, (estimate, truth) in coverage_cases(shape, seeds).items():
        low, high = (estimate.limit(side, TAIL) for side in (LOW, HIGH))
        assert ((low <= estimate.value) & (estimate.value <= high)).all(), name
        assert max(np.mean(truth < low), np.mean(high < truth)) <= TAIL + 3 * error(TAIL), name


def sharp_cases():
    """Estimates from 20 seeds, each 10,000 times; what they estimate; and how often it is below and above the limits.

    Here limits are as they should be or nearly so, where in general they are on the safe side.
    """
    x, y = samples(2, 20, 10_000, 4, name="sharp")
    size, other, opposite = (Size(Mean.of("a", one[..., :1] + 10), 1) for one in (x, y, -x))
    return {
        "a mean": (Mean.of("a", x[..., 0]), 0, (TAIL, TAIL)),
        "the largest of equals": (largest(Mean.of("a", x)), 0, (TAIL, 0)),
        "the largest by far": (largest(Mean.of("a", x + np.array([0, 0, 0, 10]))), 10, (TAIL / 4, TAIL)),
        "a size": (size, 10, (TAIL, TAIL)),
        "a difference": (Difference(size, other), 0, (TAIL, TAIL)),
        "a difference of dependent ones": (Difference(size, opposite, independent=False), 0, (TAIL / 2, TAIL / 2)),
    }


def test_the_truth_is_beyond_a_limit_as_often_as_it_may():
    """So a tail that is doubled or halved is noticed."""
    for name, (estimate, truth, tails) in sharp_cases().items():
        for side, expected in zip((LOW, HIGH), tails, strict=True):
            missed = np.mean(side * (truth - estimate.limit(side, TAIL)) > 0)
            assert missed == pytest.approx(expected, abs=4 * error(expected, 10_000)), (name, side)


def test_a_ratio_has_fiellers_limits():
    part, whole = 2 + samples(9, name="part"), 5 + samples(9, name="whole")
    found = interval(ratio(Mean.of("a", part), Mean.of("a", whole)))
    (vp, c), (_, vw) = np.cov(part, whole) / 9
    p, w, t2 = part.mean(), whole.mean(), t.isf(0.025, 8) ** 2
    roots = np.sort(np.roots([w**2 - t2 * vw, -2 * (p * w - t2 * c), p**2 - t2 * vp]))
    assert found == pytest.approx([p / w, *roots], abs=1e-5)


@pytest.mark.parametrize("seeds", [3, 9])
def test_ratios_hold_the_truth(seeds):
    random, inside = stream("claims", "ratios"), []
    for _ in range(1000):
        both = random.standard_normal(seeds)
        part, whole = (mean + random.standard_normal(seeds) + both for mean in (1.0, 3.0))
        found = interval(ratio(Mean.of("a", part), Mean.of("a", whole)))
        inside.append(found.low <= 1 / 3 <= found.high)
    assert 0.93 < np.mean(inside) < 0.97


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (3.0, 0.0, (np.inf, "finite", np.inf)),  # surely much of it, if there is a whole
        (0.0, 0.0, (np.inf, -np.inf, np.inf)),
        (3.0, -5.0, (-np.inf, -np.inf, -np.inf)),  # there is none
        (-3.0, -5.0, (-np.inf, -np.inf, -np.inf)),
        (np.nan, 1.0, (np.nan, np.nan, np.nan)),
    ],
)
def test_what_is_no_whole_has_no_finite_shares(part, whole, expected):
    spread = 0.1 * np.array([-1.0, 0.0, 1.0, -1.0, 1.0])
    found = interval(ratio(Mean.of("a", part + spread), Mean.of("a", whole - spread)))
    for value, wanted in zip(found, expected, strict=True):
        assert (0 < value < np.inf) if wanted == "finite" else np.array_equal(value, wanted, equal_nan=True)


def test_a_ratio_passes_a_limit_just_where_the_difference_passes_zero():
    one, other = 1 + samples(9, 4, name="one"), 2 + samples(9, 3, name="other")
    found = Ratio(
        lambda times: lead(Mean.of("a", one), Mean.of("a", other) * times),
        largest(Mean.of("a", one)).value,
        largest(Mean.of("a", other)).value,
    )
    for side, limit in zip((LOW, HIGH), interval(found)[1:], strict=True):
        for step in (-0.01, 0.01):
            difference = lead(Mean.of("a", one), Mean.of("a", other) * (limit + step)).limit(side, 0.025)
            assert np.sign(difference) == -np.sign(step)
