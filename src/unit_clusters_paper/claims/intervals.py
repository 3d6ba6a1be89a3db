"""Estimates from a few seeds, and limits for them that hold the truth as often as they say.

Each estimate has a `value` and one-sided limits: the truth lies beyond `limit(side, tail)` with a probability of at
most `tail`. Means over seeds are where it starts; sizes, largest values and differences are made of them. All of them
are arrays, so that a sweep, or a thousand simulated ones, is one object.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.stats import f as f_distribution
from scipy.stats import t as t_distribution

LEVEL = 0.95

LOW, HIGH = -1, 1

FAR = 1e6
"""A ratio beyond which there is none."""

Values = Float[np.ndarray, "..."] | np.float64
"""Of any shape; of none, NumPy often makes a scalar."""


class Estimate(ABC):
    """Something that is estimated from seeds."""

    @property
    @abstractmethod
    def value(self) -> Values: ...

    @abstractmethod
    def limit(self, side: int, tail: float) -> Values:
        """The lower (`LOW`) or upper (`HIGH`) limit; infinite where the seeds are too few for one."""


class Interval(NamedTuple):
    """An estimate and its limits."""

    value: float
    low: float
    high: float


def interval(estimate: Estimate) -> Interval:
    """A single estimate with its two-sided interval of `LEVEL`, which holds the estimate."""
    tail = (1 - LEVEL) / 2
    return Interval(float(estimate.value), float(estimate.limit(LOW, tail)), float(estimate.limit(HIGH, tail)))


class Part(NamedTuple):
    """What the seeds of one group of networks add to a mean, and its degrees of freedom: seeds less one."""

    seeds: Float[np.ndarray, "number ..."]
    df: Values

    def to(self, shape: tuple[int, ...]) -> "Part":
        """The same in a broader shape, as NumPy broadcasts it."""
        seeds = self.seeds[:, *[None] * (len(shape) - self.df.ndim)]
        return Part(np.broadcast_to(seeds, (len(seeds), *shape)), np.broadcast_to(self.df, shape))

    def average(self, axes: tuple[int, ...]) -> "Part":
        """Averages over axes of the `*shape`, without NaN."""
        df = divide(1.0, mean(np.where(np.isnan(self.seeds[0]), np.nan, divide(1.0, self.df, np.inf)), axes))
        return Part(mean(self.seeds, tuple(axis % self.df.ndim + 1 for axis in axes)), df)

    @property
    def errors(self) -> Float[np.ndarray, "number ..."]:
        """What each seed adds to the error: the squares add up to the squared standard error; NaN of a single seed."""
        number = len(self.seeds)
        return (self.seeds - self.seeds.mean(axis=0)) / np.sqrt(number * (number - 1) or np.nan)


@dataclass(frozen=True)
class Mean(Estimate):
    """Sums of means over the seeds of independent groups.

    A limit is Student's t times the standard error away, or the root of the sum of such squares where there are several
    groups (Banerjee 1960). Of 3 seeds against 50, Welch's can hold the truth in as few as 91 %, these hold it in 95 %.

    Values of one group stay paired by seed through sums, differences and averages. Where seeds are missing from some
    of the values that are combined, the degrees of freedom are the fewest of a sum and the harmonic mean of an average.
    """

    parts: Mapping[Hashable, Part]

    __array_ufunc__ = None  # `array - mean` is ours, not NumPy's

    @classmethod
    def of(cls, group: Hashable, values: Float[np.ndarray, "number ..."], pooled: tuple[int, ...] = ()) -> "Mean":
        """The mean of all values that are not NaN; NaN where there are none.

        Args:
            group: what the seeds belong to; means of one group are paired, of different ones independent.
            values: by seed.
            pooled: axes, counted without that of the seeds, to average over as if all values were one list.
        """
        axes = tuple(axis + 1 for axis in pooled)
        known = ~np.isnan(values)
        sums, counts = np.where(known, values, 0.0).sum(axes), known.sum(axes)
        means, seeds, present = divide(sums.sum(0), counts.sum(0)), len(values), (counts > 0).sum(0)
        # The linear part of a ratio, by seed, scaled so that the squared standard error of p present seeds is s^2 / p.
        scale = seeds * np.sqrt(divide(present * (seeds - 1.0), seeds * (present - 1.0)))
        deviations = scale * divide(sums - means * counts, counts.sum(0))
        return cls({group: Part(means + np.nan_to_num(deviations), np.maximum(present - 1.0, 0.0))})

    @property
    def shape(self) -> tuple[int, ...]:
        return next(iter(self.parts.values())).df.shape

    @property
    def value(self) -> Values:
        return np.asarray(sum(part.seeds.mean(axis=0) for part in self.parts.values()))

    @property
    def error(self) -> Values:
        """The standard error; NaN where the seeds are too few for one."""
        squares = sum((part.errors**2).sum(axis=0) for part in self.parts.values())
        return np.where(self._fewest > 0, np.sqrt(squares), np.nan)

    @property
    def _fewest(self) -> Values:
        """Degrees of freedom."""
        return np.min([part.df for part in self.parts.values()], axis=0)

    def limit(self, side: int, tail: float) -> Values:
        squares = [_t(tail, part.df) ** 2 * (part.errors**2).sum(axis=0) for part in self.parts.values()]
        return self.value + side * np.where(self._fewest > 0, np.sqrt(sum(squares)), np.inf)

    def __add__(self, other: "Mean | float | Values") -> "Mean":
        constant = not isinstance(other, Mean)
        shape = np.broadcast_shapes(self.shape, np.shape(other) if constant else other.shape)
        parts = {group: part.to(shape) for group, part in self.parts.items()}
        if constant:  # it goes to any one of the groups
            first, part = next(iter(parts.items()))
            return Mean(parts | {first: Part(part.seeds + other, part.df)})
        for group, part in ((group, part.to(shape)) for group, part in other.parts.items()):
            ours = parts.get(group, Part(np.zeros_like(part.seeds), part.df))
            parts[group] = Part(ours.seeds + part.seeds, np.minimum(ours.df, part.df))
        # What one group lacks, the sum lacks.
        gaps = np.where(np.isnan(sum(part.seeds[0] for part in parts.values())), np.nan, 0.0)
        return Mean({group: Part(part.seeds + gaps, part.df) for group, part in parts.items()})

    def __mul__(self, factor: float | Values) -> "Mean":
        return self._each(lambda part: Part(part.seeds * factor, part.df + np.zeros(np.shape(factor))))

    def __sub__(self, other: "Mean | float | Values") -> "Mean":
        return self + other * -1.0

    def __rsub__(self, other: float | Values) -> "Mean":
        return self * -1.0 + other

    def __getitem__(self, index: object) -> "Mean":
        """Index the `*shape`, not the seeds."""
        index = index if isinstance(index, tuple) else (index,)
        return self._each(lambda part: Part(part.seeds[:, *index], part.df[*index]))

    def mean(self, *axes: int) -> "Mean":
        """Averages over axes of the `*shape`, or over all of it, without NaN."""
        return self._each(lambda part: part.average(axes or tuple(range(part.df.ndim))))

    def _each(self, change: Callable[[Part], Part]) -> "Mean":
        return Mean({group: change(part) for group, part in self.parts.items()})


@dataclass(frozen=True)
class Size(Estimate):
    """How far means are from 0 over the last `over` axes: the root of the mean of their squares.

    C means d with a covariance V have an estimated mean square z = (d'd - tr V) / C, to which noise adds nothing. Its
    limits m are where |z - m| is t times the standard deviation that z has there, sqrt(4 w m + 2 tr(V^2) / C^2): at the
    limit, not at the estimate, as in Wilson's interval (1927). Here w = d'Vd / (C d'd) is the variance along d, or
    tr(V^2) / (C tr V), along an average direction, where that is larger. For the lower limit F, with degrees of freedom
    by Satterthwaite, takes the place of the second term; this is exact where there is nothing but noise in one mean.
    Roots of what is below 0 have a minus.
    """

    mean: Mean
    over: int

    @cached_property
    def _moments(self) -> tuple[Values, ...]:
        """Of squares: their mean, its first and second variance, the mean error, and degrees of freedom."""
        axes = tuple(range(-self.over, 0))
        outer = self.mean.shape[: len(self.mean.shape) - self.over]
        known = ~np.isnan(self.mean.value)
        cells = np.where(known.any(axes), known.sum(axes), np.nan)
        value = np.nan_to_num(self.mean.value).reshape(*outer, -1) / np.sqrt(cells)[..., None]
        parts = list(self.mean.parts.values())
        errors = [np.nan_to_num(part.errors).reshape(len(part.seeds), *outer, -1) for part in parts]
        errors = np.concatenate(errors) / np.sqrt(cells)[..., None]
        gram = np.einsum("s...c,t...c->...st", errors, errors)
        noise, second = np.trace(gram, axis1=-2, axis2=-1), (gram**2).sum(axis=(-2, -1))
        square = (value**2).sum(axis=-1)
        along = divide((np.einsum("s...c,...c->s...", errors, value) ** 2).sum(axis=0), square, 0.0)
        first = np.maximum(along, divide(second, noise, 0.0))
        df = np.min([part.average(axes).df for part in parts], axis=0)
        return square - noise, first, second, noise, df

    @property
    def value(self) -> Values:
        return _signed_root(self._moments[0])

    def limit(self, side: int, tail: float) -> Values:
        square, first, second, noise, df = self._moments
        t = _t(tail, df)
        if side == HIGH:
            spread = 2 * t**2 * second
        else:
            directions = np.where(noise > 0, divide(noise**2, second), 1.0)
            spread = (noise * (f_distribution.isf(tail, directions, directions * np.maximum(df, 1)) - 1)) ** 2
        middle = square + 2 * t**2 * first
        found = middle + side * np.sqrt(np.maximum(middle**2 - square**2 + spread, 0.0))
        return np.where(df > 0, _signed_root(side * np.maximum(side * found, side * square)), side * np.inf)


@dataclass(frozen=True)
class Extreme(Estimate):
    """The largest (`HIGH`) or smallest (`LOW`) of estimates along their last axis.

    If one limit of each holds with 1 - tail, the largest of the upper ones holds for the largest, which is one of them;
    of the lower ones any could be too high, so they share the tail (Bonferroni).
    """

    estimates: Estimate
    end: int

    @property
    def value(self) -> Values:
        return self._of(self.estimates.value)

    def limit(self, side: int, tail: float) -> Values:
        number = 1 if side == self.end else self.estimates.value.shape[-1]
        return self._of(self.estimates.limit(side, tail / number))

    def _of(self, values: Float[np.ndarray, "... items"]) -> Values:
        return np.asarray(self.end * np.fmax.reduce(self.end * values, axis=-1))


@dataclass(frozen=True)
class Together(Estimate):
    """Estimates side by side, along a new last axis."""

    estimates: tuple[Estimate, ...]

    @property
    def value(self) -> Float[np.ndarray, "... items"]:
        return np.stack([one.value for one in self.estimates], axis=-1)

    def limit(self, side: int, tail: float) -> Float[np.ndarray, "... items"]:
        return np.stack([one.limit(side, tail) for one in self.estimates], axis=-1)


def largest(*estimates: Estimate) -> Extreme:
    """The largest of several estimates, or of one along its last axis."""
    return Extreme(estimates[0] if len(estimates) == 1 else Together(estimates), HIGH)


def smallest(*estimates: Estimate) -> Extreme:
    """The smallest of several estimates, or of one along its last axis."""
    return Extreme(estimates[0] if len(estimates) == 1 else Together(estimates), LOW)


def lead(one: Mean, other: Mean) -> Extreme:
    """The largest of some means less the largest of others of the same seeds, each along its last axis."""
    return largest(smallest(one[..., :, None] - other[..., None, :]))


@dataclass(frozen=True)
class Difference(Estimate):
    """An estimate less `share` of another.

    Of independent ones by their own limits, with MOVER (Zou & Donner 2008); of others with half of the tail for each.
    """

    estimate: Estimate
    other: Estimate
    share: float = 1.0
    independent: bool = True

    @property
    def value(self) -> Values:
        return np.asarray(self.estimate.value - self.share * self.other.value)

    def limit(self, side: int, tail: float) -> Values:
        if not self.independent:
            return self.estimate.limit(side, tail / 2) - self.share * self.other.limit(-side, tail / 2)
        one = self.estimate.limit(side, tail) - self.estimate.value
        other = self.share * (self.other.limit(-side, tail) - self.other.value)
        return self.value + side * np.hypot(one, other)


@dataclass(frozen=True)
class Ratio(Estimate):
    """How many times a whole, which is above 0, a part is.

    Its limits are Fieller's (1954), found from those of differences: the lower one is the largest ratio r at which the
    part less r times the whole is above 0 at its lower limit. So a ratio is above a number at its whole interval just
    where that difference is above 0 at its own. They are infinite where the whole may be 0.
    """

    excess: Callable[[float], Estimate]
    """The part less so many times the whole: a single estimate."""
    part: Values
    whole: Values

    @property
    def value(self) -> Values:
        """Where the whole is not above 0, infinite; with a minus, where it is clearly none, or the part is below 0."""
        if np.isnan(self.part) or np.isnan(self.whole):
            return np.asarray(np.nan)
        if self.whole > 0:
            return np.asarray(self.part / self.whole)
        return np.asarray(-np.inf if self._none else np.copysign(np.inf, self.part))

    @cached_property
    def _none(self) -> bool:
        """Whether there is no whole: it is clearly below 0."""
        return bool(self.whole <= 0 and self.excess(-FAR).limit(HIGH, (1 - LEVEL) / 2) < 0)

    def limit(self, side: int, tail: float) -> Values:
        def inside(ratio: float) -> float:
            return side * float(self.excess(ratio).limit(side, tail))

        if np.isnan(self.value) or self._none:
            return self.value
        start = float(self.value) if self.whole > 0 else 0.0
        near = start, inside(start)
        away = side if near[1] > 0 else -side
        for step in max(abs(start), 1.0) * 2.0 ** np.arange(-3, np.log2(FAR)) if near[1] else ():
            far = start + away * step, inside(start + away * step)
            if near[1] * far[1] < 0:
                return np.asarray(brentq(inside, near[0], far[0], xtol=1e-6))
            near = far
        return np.asarray(away * np.inf if near[1] else start)


def ratio(part: Mean, whole: Mean) -> Ratio:
    """Of two means, which may be of the same seeds."""
    return Ratio(lambda times: part - whole * times, part.value, whole.value)


@dataclass(frozen=True)
class Count(Estimate):
    """How often something happened in the networks at hand: a fact, with no sampling error."""

    number: float | np.integer

    @property
    def value(self) -> Values:
        return np.asarray(float(self.number))

    def limit(self, side: int, tail: float) -> Values:
        return self.value


def _t(tail: float, df: Values) -> Values:
    """Student's t; any number where there are no degrees of freedom."""
    known, places = np.unique(np.where(df > 0, df, 1.0), return_inverse=True)
    return np.array([_quantile(tail, one) for one in known.tolist()])[places].reshape(np.shape(df))


@cache
def _quantile(tail: float, df: float) -> float:
    return float(t_distribution.isf(tail, df))


def _signed_root(squares: Values) -> Values:
    return np.sign(squares) * np.sqrt(np.abs(squares))


def divide(a: ArrayLike, b: ArrayLike, empty: float = np.nan) -> Values:
    """The ratio; `empty` where `b` is 0."""
    out = np.full(np.broadcast_shapes(np.shape(a), np.shape(b)), empty)
    return np.divide(a, b, out=out, where=np.asarray(b) != 0)


def mean(values: Values, axis: int | tuple[int, ...]) -> Values:
    """The mean along axes without NaN; NaN where there is nothing else."""
    known = ~np.isnan(values)
    return divide(np.where(known, values, 0.0).sum(axis=axis), known.sum(axis=axis))
