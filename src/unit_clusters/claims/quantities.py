"""What the claims are about: each function takes a sample of networks and gives one number a sample.

A *rise* is a mean over seeds of the paired differences to the baseline network of the same experiment and seed
(L2 = 1e-5, no L1, no dropout). A strength is *good* if at least half of its seeds reach 80 % test accuracy. Each
function raises NotTestable where the tables lack what it needs.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from unit_clusters.claims.networks import PAIRS, Group, NotTestable, Sample, divide, mean
from unit_clusters.measures import FORMS, Form
from unit_clusters.sweep import REGULARIZERS

BASELINE = ("l2", 1e-5)
EXPERIMENTS = ("base", "wide", "deep")
SCORES = {"all": "element_similarity", "alive": "element_similarity_alive"}
"""Columns of agreement.csv by the units that they count."""

ALL = tuple(range(len(FORMS)))
UPSTREAM = tuple(place for place in ALL if FORMS[place].upstream)
DOWNSTREAM = tuple(place for place in ALL if not FORMS[place].upstream)

ROUNDING = 1e-9
"""Values that differ by less are equal."""


def pairs(belongs: Callable[[Form, Form], bool]) -> tuple[int, ...]:
    """Where in PAIRS those pairs of forms are that `belongs` is true of; the upstream form comes first."""
    return tuple(place for place, (a, b) in enumerate(PAIRS) if belongs(a, b))


UPSTREAM_FAMILY = pairs(lambda a, b: a.upstream and b.upstream and a.measure != b.measure)
DOWNSTREAM_FAMILY = pairs(lambda a, b: not a.upstream and not b.upstream and a.measure != b.measure)
BOTH_FAMILIES = UPSTREAM_FAMILY + DOWNSTREAM_FAMILY
"""Family agreement: 4 pairs of two different measures in each family."""

ACROSS = pairs(lambda a, b: a.upstream != b.upstream)
"""The 16 pairs between the families."""

ACROSS_RAW = pairs(lambda a, b: a.upstream != b.upstream and not b.normalized)
ACROSS_NORMALIZED = pairs(lambda a, b: a.upstream != b.upstream and b.normalized)
"""By the form of the downstream measure, 8 pairs each."""

OWN = pairs(lambda a, b: a.measure == b.measure)
"""Each measure with its own normalised form: 4 pairs, of neither kind above."""

DOWNSTREAM_ALIKE = pairs(lambda a, b: not a.upstream and a.normalized == b.normalized and not b.upstream)
DOWNSTREAM_UNLIKE = pairs(lambda a, b: not a.upstream and a.normalized != b.normalized and not b.upstream)
"""Pairs of downstream forms of which both or neither are normalised (2), and the others (4)."""


# Sweeps


def good_strengths(
    sample: Sample, experiment: str, regularizer: str, shared_with: Sequence[str] = (), least: int = 1
) -> list[int]:
    """Where the good strengths of a sweep are among the settings, from the weakest on.

    Args:
        shared_with: other experiments; only strengths that they have too.
        least: how many there must be.
    """
    group = sample.group(experiment)
    others = [sample.group(other).settings for other in shared_with]
    found = [
        place
        for place in group.sweep(regularizer)
        if group.good[place] and all(group.settings[place] in settings for settings in others)
    ]
    if len(found) < least:
        raise NotTestable(f"{experiment} has {len(found)} good strengths of {regularizer}, and this takes {least}")
    return found


def rises(
    sample: Sample, experiment: str, regularizer: str, column: str = "q", shared_with: Sequence[str] = ()
) -> Float[np.ndarray, "samples strengths layers forms"]:
    """The rise of a column of modularity.csv at each good strength; not at the baseline itself, where it is 0."""
    group = sample.group(experiment)
    if BASELINE not in group.settings:
        raise NotTestable(f"{experiment} has no baseline networks, L2 = {BASELINE[1]:g} alone")
    baseline = group.settings.index(BASELINE)
    strengths = good_strengths(sample, experiment, regularizer, shared_with)
    strengths = [place for place in strengths if place != baseline]
    if not strengths:
        raise NotTestable(f"{experiment} has no good strength of {regularizer} but the baseline")
    values = group[column]
    return sample.mean(group, values[strengths] - values[[baseline]])


def largest_rise(
    sample: Sample,
    experiment: str,
    regularizer: str,
    forms: Sequence[int] = ALL,
    layers: Sequence[int] | None = None,
    shared_with: Sequence[str] = (),
) -> Float[np.ndarray, " samples"]:
    """The rise of Q*, averaged over forms and layers (None: all), at the good strength where that is largest."""
    return largest(mean(_part(rises(sample, experiment, regularizer, "q", shared_with), forms, layers), axis=(2, 3)))


def largest_size(sample: Sample, experiment: str, regularizer: str) -> Float[np.ndarray, " samples"]:
    """The largest rise or fall of Q*, averaged over forms and layers; without a sign."""
    return largest(np.abs(mean(rises(sample, experiment, regularizer), axis=(2, 3))))


def mean_rise(
    sample: Sample, experiment: str, regularizer: str, forms: Sequence[int] = ALL
) -> Float[np.ndarray, " samples"]:
    """The rise of Q*, averaged over forms, layers and good strengths."""
    return mean(_part(rises(sample, experiment, regularizer), forms), axis=(1, 2, 3))


def last_rise(
    sample: Sample, experiment: str, regularizer: str, forms: Sequence[int], layers: Sequence[int]
) -> Float[np.ndarray, " samples"]:
    """The rise of Q* at the strongest good strength, as in Fig. S9, averaged over forms and layers."""
    return mean(_part(rises(sample, experiment, regularizer), forms, layers)[:, -1], axis=(1, 2))


def _part(
    values: Float[np.ndarray, "samples strengths layers forms"],
    forms: Sequence[int],
    layers: Sequence[int] | None = None,
) -> Float[np.ndarray, "samples strengths some_layers some_forms"]:
    if layers is None:
        return values[..., list(forms)]
    if max(layers) >= values.shape[2]:
        raise NotTestable(f"the networks have only {values.shape[2]} hidden layers")
    return values[:, :, list(layers)][..., list(forms)]


def lead(
    sample: Sample, experiment: str, forms: Sequence[int] = ALL, shared_with: Sequence[str] = ()
) -> Float[np.ndarray, " samples"]:
    """Dropout's largest rise minus the larger of L2's and L1's largest rises."""
    dropout, l2, l1 = (
        largest_rise(sample, experiment, name, forms, shared_with=shared_with) for name in ("dropout", "l2", "l1")
    )
    return dropout - np.maximum(l2, l1)


def largest(values: Float[np.ndarray, "samples strengths"]) -> Float[np.ndarray, " samples"]:
    """The largest that is not NaN."""
    return np.fmax.reduce(values, axis=1)


def fitted_change(
    values: Float[np.ndarray, "samples strengths"], doses: Float[np.ndarray, " strengths"]
) -> Float[np.ndarray, " samples"]:
    """The change from the first to the last dose along the least-squares line."""
    places = np.where(np.isnan(values), np.nan, (doses - doses[0]) / (doses[-1] - doses[0]))
    places -= mean(places, axis=1)[:, None]
    return divide(np.nansum(places * values, axis=1), np.nansum(places**2, axis=1))


def doses(group: Group, strengths: Sequence[int]) -> Float[np.ndarray, " strengths"]:
    """Where the strengths are on the scale of Fig. 3: logarithmic for L2 and L1, linear for dropout."""
    regularizer, values = group.settings[strengths[0]][0], [group.settings[place][1] for place in strengths]
    return np.array(values) if regularizer == "dropout" else np.log10(values)


# Untrained networks


def untrained_sd(sample: Sample, experiment: str, column: str) -> Float[np.ndarray, "layers forms"]:
    """Standard deviation of a column of modularity.csv over untrained networks; NaN where they do not differ.

    A yardstick, the grey band of the figures: it is that of all untrained networks in every sample.
    """
    values = sample.group(experiment, trained=False)[column][0]
    sd = pd.DataFrame(values.reshape(len(values), -1)).std().to_numpy().reshape(values.shape[1:])
    return np.where(sd > ROUNDING, sd, np.nan)


def rises_in_sd(
    sample: Sample, experiment: str, regularizer: str, column: str
) -> Float[np.ndarray, "samples strengths layers forms"]:
    """`rises`, in standard deviations of untrained networks, for each layer and form by itself."""
    return rises(sample, experiment, regularizer, column) / untrained_sd(sample, experiment, column)


def largest_change_in_sd(
    sample: Sample, experiment: str, regularizer: str, column: str
) -> Float[np.ndarray, " samples"]:
    """The size of the rise or fall in each layer and form, averaged over these, where that is largest."""
    return largest(mean(np.abs(rises_in_sd(sample, experiment, regularizer, column)), axis=(2, 3)))


def distance_from_untrained(sample: Sample, experiment: str, column: str) -> Float[np.ndarray, " samples"]:
    """How far the mean at a setting is from the untrained mean, in untrained standard deviations.

    The average over good settings, layers and forms of distances without a sign.
    """
    group, untrained = sample.group(experiment), sample.group(experiment, trained=False)
    distance = sample.mean(group, group[column][group.good]) - sample.mean(untrained, untrained[column])
    return mean(np.abs(distance) / untrained_sd(sample, experiment, column), axis=(1, 2, 3))


def spread_over_layers(sample: Sample, experiment: str) -> Float[np.ndarray, " samples"]:
    """Untrained: the range of the layers' mean Q* over the mean standard deviation in a layer; mean of forms."""
    group = sample.group(experiment, trained=False)
    means = sample.mean(group, group["q"])[:, 0]
    return mean(divide(np.ptp(means, axis=1), mean(untrained_sd(sample, experiment, "q"), axis=0)), axis=1)


# Networks as a whole


def sparsity_apart(sample: Sample) -> Float[np.ndarray, " samples"]:
    """Base, at the strongest good strengths: |L1's sparsity - L2's| over L1's rise in sparsity above the baseline."""
    group = sample.group("base")
    if BASELINE not in group.settings:
        raise NotTestable(f"base has no baseline networks, L2 = {BASELINE[1]:g} alone")
    places = [good_strengths(sample, "base", name)[-1] for name in ("l2", "l1")]
    l2, l1, baseline = sample.mean(group, group["sparsity"][[*places, group.settings.index(BASELINE)]]).T
    return share(np.abs(l1 - l2), l1 - baseline)


def steepest_fall_of_accuracy(sample: Sample, experiment: str, regularizer: str) -> Float[np.ndarray, " samples"]:
    """The largest fall of the mean test accuracy from one strength of a sweep to the next; all networks count."""
    group = sample.group(experiment)
    strengths = group.sweep(regularizer)
    if len(strengths) < 2:
        raise NotTestable(f"{experiment} has {len(strengths)} strengths of {regularizer}, and this takes 2")
    return largest(-np.diff(sample.mean(group, group["test_accuracy"][strengths]), axis=1))


def discarded_at_weaker(sample: Sample, experiment: str) -> Float[np.ndarray, " samples"]:
    """How many networks are discarded at strengths that are not among the two strongest of their sweep."""
    group = sample.group(experiment)
    weaker = [place for name in REGULARIZERS for place in group.sweep(name)[:-2]]
    if not weaker:
        raise NotTestable(f"no sweep of {experiment} has more than two strengths")
    return sample.weights[experiment, True] @ np.nansum(group["discarded"][weaker], axis=0)


def share_of_clusterings(
    sample: Sample, experiment: str, column: str, low: float, high: float
) -> Float[np.ndarray, " samples"]:
    """The share of clusterings, in trained networks, whose column is from `low` to `high`."""
    group = sample.group(experiment)
    values = group[column]
    inside = np.where(np.isnan(values), np.nan, (values >= low) & (values <= high))
    return sample.mean(group, inside, pooled=(0, 2, 3)).ravel()


# Agreement


def agreement(
    sample: Sample, experiment: str, pairs: Sequence[int], score: str, trained: bool = True
) -> Float[np.ndarray, " samples"]:
    """A column of agreement.csv averaged over layers, seeds and settings, as in Fig. 5, and over pairs of forms."""
    return mean(agreement_of_pairs(sample, experiment, score, trained)[:, list(pairs)], axis=1)


def agreement_of_pairs(
    sample: Sample, experiment: str, score: str, trained: bool = True
) -> Float[np.ndarray, "samples pairs"]:
    """A column of agreement.csv averaged over layers, seeds and settings: one panel of Fig. 5."""
    group = sample.group(experiment, trained)
    return sample.mean(group, group[score], pooled=(0, 2))[:, 0, 0]


def agreement_at(
    sample: Sample, experiment: str, strengths: Sequence[int], pairs: Sequence[int], score: str
) -> Float[np.ndarray, "samples strengths"]:
    """The same at each of some settings."""
    group = sample.group(experiment)
    return mean(sample.mean(group, group[score][list(strengths)][..., list(pairs)], pooled=(2,)), axis=(2, 3))


def excess(
    sample: Sample, experiment: str, pairs: Sequence[int], score: str, trained: bool = True
) -> Float[np.ndarray, " samples"]:
    """The mean agreement of some pairs minus that across the families."""
    within, across = (agreement(sample, experiment, places, score, trained) for places in (pairs, ACROSS))
    return within - across


def change(sample: Sample, experiment: str, pairs: Sequence[int], score: str) -> Float[np.ndarray, " samples"]:
    """Agreement in trained networks minus that in untrained ones: Fig. 5d-f."""
    trained, untrained = (agreement(sample, experiment, pairs, score, trained) for trained in (True, False))
    return trained - untrained


def growth_with_strength(
    sample: Sample, regularizer: str, pairs: Sequence[int], score: str
) -> Float[np.ndarray, " samples"]:
    """Base: the fitted change of the agreement from the weakest to the strongest good strength of a regulariser."""
    strengths = good_strengths(sample, "base", regularizer, least=2)
    values = agreement_at(sample, "base", strengths, pairs, score)
    return fitted_change(values, doses(sample.group("base"), strengths))


def growth_of_normalization(sample: Sample, regularizer: str, score: str) -> Float[np.ndarray, " samples"]:
    """Base: how much more downstream pairs of like normalisation agree than others; strongest minus weakest."""
    strengths = good_strengths(sample, "base", regularizer, least=2)
    ends = [strengths[0], strengths[-1]]
    alike, unlike = (agreement_at(sample, "base", ends, p, score) for p in (DOWNSTREAM_ALIKE, DOWNSTREAM_UNLIKE))
    return np.diff(alike - unlike, axis=1)[:, 0]


def at_strongest_l1(sample: Sample, pairs: Sequence[int], score: str) -> Float[np.ndarray, " samples"]:
    """Base: the agreement at the strongest good L1."""
    return agreement_at(sample, "base", good_strengths(sample, "base", "l1")[-1:], pairs, score)[:, 0]


def rank_correlation(
    a: Float[np.ndarray, "samples items"], b: Float[np.ndarray, "samples items"]
) -> Float[np.ndarray, " samples"]:
    """Spearman's, in each sample over the items that have both values; ties share their mean rank."""
    unknown = np.isnan(a) | np.isnan(b)
    a, b = (pd.DataFrame(np.where(unknown, np.nan, x)).rank(axis=1).to_numpy() for x in (a, b))
    a, b = (x - mean(x, axis=1)[:, None] for x in (a, b))
    return divide(np.nansum(a * b, axis=1), np.sqrt(np.nansum(a**2, axis=1) * np.nansum(b**2, axis=1)))


def likeness_of_trends(sample: Sample) -> Float[np.ndarray, " samples"]:
    """Base: rank correlation over good settings of mean Q* by an upstream and a downstream form; mean of 16 pairs."""
    group = sample.group("base")
    q = mean(sample.mean(group, group["q"][group.good]), axis=2)
    found = [rank_correlation(q[..., a], q[..., b]) for a in UPSTREAM for b in DOWNSTREAM]
    return mean(np.array(found), axis=0)


def share(part: Float[np.ndarray, " samples"], whole: Float[np.ndarray, " samples"]) -> Float[np.ndarray, " samples"]:
    """The part over the whole; huge where the whole is not above 0, so that no rule about a share holds there."""
    return part / np.where(whole <= 0, 1e-9, whole)


# The search for clusters, in all matrices


def mean_of_matrices(
    sample: Sample, values: Callable[[Group], Float[np.ndarray, "settings seeds layers forms"]]
) -> Float[np.ndarray, " samples"]:
    """The mean over all matrices of all networks, trained and untrained."""
    total, number = 0.0, 0.0
    for key, group in sample.groups.items():
        of_group = values(group)
        known = ~np.isnan(of_group)
        total = total + sample.weights[key] @ np.where(known, of_group, 0.0).sum(axis=(0, 2, 3))
        number = number + sample.weights[key] @ known.sum(axis=(0, 2, 3))
    return divide(total, number)


def median_of_matrices(
    sample: Sample, values: Callable[[Group], Float[np.ndarray, "settings seeds layers forms"]]
) -> Float[np.ndarray, " samples"]:
    """The median over all matrices of all networks, trained and untrained."""
    found, seeds = {}, {}
    for key, group in sample.groups.items():
        of_group = values(group)
        known = ~np.isnan(of_group)
        found[key], seeds[key] = of_group[known], np.nonzero(known)[1]
    values_of_all, medians = np.concatenate(list(found.values())), []
    for number in range(len(next(iter(sample.weights.values())))):
        counts = [sample.weights[key][number, seeds[key]].astype(int) for key in found]
        drawn = np.repeat(values_of_all, np.concatenate(counts))
        medians.append(np.median(drawn) if len(drawn) else np.nan)
    return np.array(medians)


def improved(group: Group) -> Float[np.ndarray, "settings seeds layers forms"]:
    """1 where Monte Carlo raised Q above the spectral start's, else 0."""
    return np.where(np.isnan(group["q"]), np.nan, group["q"] - group["q_spectral"] > ROUNDING)


def gain(group: Group) -> Float[np.ndarray, "settings seeds layers forms"]:
    """The share of Q* that Monte Carlo added to the spectral start's."""
    return divide(group["q"] - group["q_spectral"], group["q"])


def better_than(column: str, group: Group) -> Float[np.ndarray, "settings seeds layers forms"]:
    """1 where Q* is above the column's Q, -1 where it is below, 0 where they are equal."""
    difference = group["q"] - group[column]
    return np.where(np.abs(difference) <= ROUNDING, 0.0, np.sign(difference))
