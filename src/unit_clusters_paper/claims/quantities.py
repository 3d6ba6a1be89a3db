"""What the claims are about, as estimates.

A *rise* is a mean over seeds of the paired differences to the baseline network of the same experiment and seed
(L2 = 1e-5, no L1, no dropout). A strength is *good* if at least half of its seeds are, `selection.is_good`. `column` is
one of the tables' columns. Each function raises NotTestable where the tables lack what it needs.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from unit_clusters.clusters.modularity import EQUAL
from unit_clusters.similarity.measures import FORMS, Form, kind
from unit_clusters_paper.claims.intervals import (
    Count,
    Difference,
    Extreme,
    Mean,
    Ratio,
    Size,
    divide,
    largest,
    lead,
    mean,
    ratio,
)
from unit_clusters_paper.claims.networks import IN_SD, PAIRS, Group, Networks, NotTestable
from unit_clusters_paper.results.selection import BASELINE, PAPERS
from unit_clusters_paper.runs.sweep import REGULARIZERS

ALL = tuple(range(len(FORMS)))
UPSTREAM = tuple(place for place in ALL if FORMS[place].upstream)
DOWNSTREAM = tuple(place for place in ALL if not FORMS[place].upstream)


def pairs(belongs: Callable[[Form, Form], bool]) -> tuple[int, ...]:
    """Where in PAIRS those pairs of forms are that `belongs` is true of; the upstream form comes first."""
    return tuple(place for place, (a, b) in enumerate(PAIRS) if belongs(a, b))


UPSTREAM_FAMILY = pairs(lambda a, b: kind(a, b) == "upstream")
DOWNSTREAM_FAMILY = pairs(lambda a, b: kind(a, b) == "downstream")
BOTH_FAMILIES = UPSTREAM_FAMILY + DOWNSTREAM_FAMILY
"""Family agreement: 4 pairs of two different measures in each family."""

ACROSS = pairs(lambda a, b: kind(a, b) == "across")
"""The 16 pairs between the families."""

ACROSS_RAW = pairs(lambda a, b: kind(a, b) == "across" and not b.normalized)
ACROSS_NORMALIZED = pairs(lambda a, b: kind(a, b) == "across" and b.normalized)
"""By the form of the downstream measure, 8 pairs each."""

OWN = pairs(lambda a, b: kind(a, b) == "own")
"""Each measure with its own normalised form: 4 pairs, of neither kind above."""

DOWNSTREAM_ALIKE = pairs(lambda a, b: not a.upstream and a.normalized == b.normalized and not b.upstream)
DOWNSTREAM_UNLIKE = pairs(lambda a, b: not a.upstream and a.normalized != b.normalized and not b.upstream)
"""Pairs of downstream forms of which both or neither are normalised (2), and the others (4)."""


# Sweeps


def good_strengths(
    networks: Networks, experiment: str, regularizer: str, shared_with: Sequence[str] = (), least: int = 1
) -> list[int]:
    """Where the good strengths of a sweep are among the settings, from the weakest on.

    Args:
        shared_with: other experiments; only strengths that are good in them, too.
        least: how many there must be.
    """
    group = networks.group(experiment)
    good = [networks.group(other).good_settings for other in (experiment, *shared_with)]
    found = [place for place in group.sweep(regularizer) if all(group.settings[place] in one for one in good)]
    if len(found) < least:
        raise NotTestable(f"{experiment} has {len(found)} good strengths of {regularizer}, and this takes {least}")
    return found


def baseline(networks: Networks, experiment: str) -> int:
    """Where the baseline is among the settings."""
    settings = networks.group(experiment).settings
    if BASELINE not in settings:
        raise NotTestable(f"{experiment} has no baseline networks, L2 = {BASELINE[1]:g} alone")
    return settings.index(BASELINE)


def rises_by_seed(
    networks: Networks, column: str, experiment: str, regularizer: str, shared_with: Sequence[str] = ()
) -> Float[np.ndarray, "strengths seeds layers forms"]:
    """What a column of modularity.csv rises by; not at the baseline itself, where that is 0."""
    start, values = baseline(networks, experiment), networks.values(experiment, column)
    strengths = good_strengths(networks, experiment, regularizer, shared_with)
    strengths = [place for place in strengths if place != start]
    if not strengths:
        raise NotTestable(f"{experiment} has no good strength of {regularizer} but the baseline")
    return values[strengths] - values[[start]]


def rises(
    networks: Networks, column: str, experiment: str, *regularizers: str, shared_with: Sequence[str] = ()
) -> Mean:
    """The rise at each good strength of some regularisers, one after the other: (strengths, layers, forms)."""
    values = [rises_by_seed(networks, column, experiment, name, shared_with) for name in regularizers]
    return networks.mean(experiment, np.concatenate(values))


def averaged(values: Mean, forms: Sequence[int] = ALL, layers: Sequence[int] | None = None) -> Mean:
    """Average (..., layers, forms) over some forms and layers (None: all)."""
    if layers is not None and max(layers) >= values.shape[-2]:
        raise NotTestable(f"the networks have only {values.shape[-2]} hidden layers")
    return values[..., slice(None) if layers is None else list(layers), :][..., list(forms)].mean(-1, -2)


def mean_rise(networks: Networks, column: str, experiment: str, regularizer: str, forms: Sequence[int] = ALL) -> Mean:
    """Averaged over forms, layers and good strengths."""
    return averaged(rises(networks, column, experiment, regularizer), forms).mean()


def last_rise(
    networks: Networks,
    column: str,
    experiment: str,
    regularizer: str,
    forms: Sequence[int],
    layers: Sequence[int] | None = None,
) -> Mean:
    """At the strongest good strength, as in Fig. S9, averaged over forms and layers."""
    return averaged(rises(networks, column, experiment, regularizer), forms, layers)[-1]


def rises_of_lead(
    networks: Networks, column: str, experiment: str, forms: Sequence[int] = ALL, shared_with: Sequence[str] = ()
) -> tuple[Mean, Mean]:
    """Dropout's rises, and L2's and L1's, averaged over forms and layers."""
    dropout, others = (
        averaged(rises(networks, column, experiment, *names, shared_with=shared_with), forms)
        for names in (["dropout"], ["l2", "l1"])
    )
    return dropout, others


def dropouts_lead(
    networks: Networks, column: str, experiment: str, forms: Sequence[int] = ALL, shared_with: Sequence[str] = ()
) -> Extreme:
    """Dropout's largest rise less the larger of L2's and L1's largest rises, averaged over forms and layers."""
    return lead(*rises_of_lead(networks, column, experiment, forms, shared_with))


def place_of_largest(values: Mean) -> int:
    """Where the largest of some means is."""
    if np.isnan(values.value).all():
        raise NotTestable("these networks leave it undefined")
    return int(np.nanargmax(values.value))


def ratio_of_largest(one: Mean, other: Mean) -> Ratio:
    """The largest of some means by the largest of others of the same seeds, each along its last axis."""
    return Ratio(lambda times: lead(one, other * times), largest(one).value, largest(other).value)


def fitted_change(values: Mean, doses: Float[np.ndarray, " strengths"]) -> Mean:
    """The change from the first to the last dose along the least-squares line through those that have a value."""
    known = ~np.isnan(values.value)
    if known.sum() < 2:
        raise NotTestable("these networks leave it undefined")
    places = doses[known] - doses[known].mean()
    return (values[known] * (places * (doses[-1] - doses[0]) / (places**2).mean())).mean()


def doses(group: Group, strengths: Sequence[int]) -> Float[np.ndarray, " strengths"]:
    """Where the strengths are on the scale of Fig. 3: logarithmic for L2 and L1, linear for dropout."""
    regularizer, values = group.settings[strengths[0]][0], [group.settings[place][1] for place in strengths]
    return np.array(values) if regularizer == "dropout" else np.log10(values)


# Sizes, in standard deviations of untrained networks


def size_at_largest_rise_of_q(networks: Networks, column: str, experiment: str, regularizer: str) -> Size:
    """The size of the change at the good strength at which Q* rises most, over layers and forms."""
    place = place_of_largest(averaged(rises(networks, "q", experiment, regularizer)))
    return Size(rises(networks, column + IN_SD, experiment, regularizer)[place], over=2)


def largest_size(networks: Networks, column: str, experiment: str, regularizer: str) -> Extreme:
    """The size of the change, over layers and forms, at the good strength where that is largest."""
    return largest(Size(rises(networks, column + IN_SD, experiment, regularizer), over=2))


def share_near_untrained(networks: Networks, column: str, experiment: str, within: float) -> Mean:
    """The share of clusterings, at good settings, within so many standard deviations of the mean of untrained ones."""
    trained, untrained = (networks.values(experiment, column + IN_SD, trained) for trained in (True, False))
    away = np.abs(trained[networks.group(experiment).good] - mean(untrained, axis=(0, 1)))
    near = np.where(np.isnan(away), np.nan, away <= within)
    return networks.mean(experiment, near, pooled=(0, 1, 2))


def depth_of_untrained(networks: Networks, column: str, experiment: str) -> Extreme:
    """The size, over forms, of the difference between the two layers of untrained networks that differ most.

    In standard deviations within a layer, averaged over the layers.
    """
    sd = mean(networks.untrained_sd(experiment, column), axis=0)
    means = networks.mean(experiment, networks.values(experiment, column, trained=False) / sd, trained=False)[0]
    first, second = np.triu_indices(means.shape[0], k=1)
    if not len(first):
        raise NotTestable(f"the networks of {experiment} have one hidden layer")
    return largest(Size(means[first] - means[second], over=1))


def own_trend(networks: Networks, column: str, experiment: str, regularizer: str) -> Size:
    """The size of what each form's rises have for themselves, beside their mean over the forms."""
    found = rises(networks, column, experiment, regularizer)
    return Size(found - found.mean(-1)[..., None], over=3)


def shared_trend_by_own(networks: Networks, column: str, experiment: str, regularizer: str) -> Ratio:
    """The size of that mean, by `own_trend`."""
    shared = Size(rises(networks, column, experiment, regularizer).mean(-1), over=2)
    own = own_trend(networks, column, experiment, regularizer)
    return Ratio(lambda times: Difference(shared, own, times, independent=False), shared.value, own.value)


# Networks as a whole


def at_strongest(networks: Networks, column: str, experiment: str, *regularizers: str) -> list[Mean]:
    """A column of models.csv at the strongest good strength of each regulariser, and at the baseline."""
    places = [good_strengths(networks, experiment, name)[-1] for name in regularizers]
    means = networks.mean(experiment, networks.group(experiment)[column])
    return [means[place] for place in (*places, baseline(networks, experiment))]


def mean_rise_of_networks(networks: Networks, column: str, experiment: str, regularizer: str) -> Mean:
    """The rise of a column of models.csv or weights.csv, averaged over good strengths."""
    start, strengths = baseline(networks, experiment), good_strengths(networks, experiment, regularizer)
    values = networks.group(experiment)[column]
    return networks.mean(experiment, values[strengths] - values[[start]]).mean()


def steepest_fall(networks: Networks, column: str, experiment: str, regularizer: str) -> Extreme:
    """The largest fall of a column of models.csv from one strength of a sweep to the next."""
    group = networks.group(experiment)
    strengths = group.sweep(regularizer)
    if len(strengths) < 2:
        raise NotTestable(f"{experiment} has {len(strengths)} strengths of {regularizer}, and this takes 2")
    return largest(networks.mean(experiment, -np.diff(group[column][strengths], axis=0)))


def weaker_settings(networks: Networks, experiment: str) -> list[int]:
    """Where the settings are that are not among the two strongest of their sweep."""
    group = networks.group(experiment)
    weaker = [place for name in REGULARIZERS for place in group.sweep(name)[:-2]]
    if not weaker:
        raise NotTestable(f"no sweep of {experiment} has more than two strengths")
    return weaker


def discarded_at_weaker(networks: Networks, column: str, experiment: str) -> Count:
    """How many networks are discarded at these settings."""
    return Count(np.nansum(networks.group(experiment)[column][weaker_settings(networks, experiment)]))


def share_of_clusterings(networks: Networks, column: str, experiment: str, low: float, high: float) -> Mean:
    """The share of clusterings, in trained networks, whose column is from `low` to `high`."""
    values = networks.values(experiment, column)
    inside = np.where(np.isnan(values), np.nan, (values >= low) & (values <= high))
    return networks.mean(experiment, inside, pooled=(0, 1, 2))


# Agreement


def agreement(networks: Networks, column: str, experiment: str, pairs: Sequence[int], trained: bool = True) -> Mean:
    """A column of agreement.csv averaged over layers, seeds and settings, as in Fig. 5, and over pairs of forms."""
    values = networks.values(experiment, column, trained)
    return networks.mean(experiment, values, trained, pooled=(0, 1))[list(pairs)].mean()


def agreement_at(
    networks: Networks, column: str, experiment: str, settings: Sequence[int], pairs: Sequence[int]
) -> Mean:
    """The same at each of some settings."""
    values = networks.values(experiment, column)[list(settings)]
    return networks.mean(experiment, values, pooled=(1,))[:, list(pairs)].mean(-1)


def excess(networks: Networks, column: str, experiment: str, pairs: Sequence[int], trained: bool = True) -> Mean:
    """The mean agreement of some pairs less that across the families."""
    within, across = (agreement(networks, column, experiment, places, trained) for places in (pairs, ACROSS))
    return within - across


def change(networks: Networks, column: str, experiment: str, pairs: Sequence[int]) -> Mean:
    """Agreement in trained networks less that in untrained ones: Fig. 5d-f."""
    trained, untrained = (agreement(networks, column, experiment, pairs, trained) for trained in (True, False))
    return trained - untrained


def unrelated(networks: Networks, column: str, experiment: str) -> Mean:
    """What clusterings that have nothing to do with each other agree: across the families before training."""
    return agreement(networks, column, experiment, ACROSS, trained=False)


def way(networks: Networks, column: str, experiment: str, agreed: Mean) -> Ratio:
    """How far an agreement is on the way from `unrelated`, 0, to the same clusters, 1."""
    floor = unrelated(networks, column, experiment)
    return ratio(agreed - floor, 1 - floor)


# The search for clusters, in all matrices of the paper's experiments


def matrices(
    networks: Networks, *columns: str
) -> dict[tuple[str, bool], tuple[Float[np.ndarray, "settings seeds layers forms"], ...]]:
    """Columns of modularity.csv, by experiment and whether trained; NaN where one of them is."""
    found = {}
    for (experiment, trained), group in networks.groups.items():
        if experiment in PAPERS:
            values = [group[column] for column in columns]
            found[experiment, trained] = tuple(np.where(np.isnan(sum(values)), np.nan, one) for one in values)
    if not any(np.isfinite(values[0]).any() for values in found.values()):
        raise NotTestable(f"no matrix has both {' and '.join(columns)}")
    return found


def mean_of_matrices(networks: Networks, value: Callable[..., Float[np.ndarray, "..."]], *columns: str) -> Mean:
    """The mean of a function of columns over all matrices of all networks, trained and untrained."""
    means, weights = [], []
    for (experiment, trained), values in matrices(networks, *columns).items():
        of_group = value(*values)
        means.append(networks.mean(experiment, of_group, trained, pooled=(0, 1, 2)))
        weights.append(np.isfinite(of_group).sum())
    return sum_of(mean * (weight / sum(weights)) for mean, weight in zip(means, weights, strict=True) if weight)


def sum_of(means) -> Mean:
    first, *rest = means
    for one in rest:
        first = first + one
    return first


def below_the_line(networks: Networks, column: str, tolerance: float) -> Count:
    """In how many matrices Q* is below the column's Q by more than a share `tolerance` of itself."""
    return Count(
        sum(np.nansum(q - other < -tolerance * q - EQUAL) for q, other in matrices(networks, "q", column).values())
    )


def better(q: Float[np.ndarray, "..."], other: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """1 where the first is larger, -1 where it is smaller, 0 where they are equal."""
    return np.where(np.abs(q - other) <= EQUAL, 0.0, np.sign(q - other))


# Ranks


def rank_correlation(
    a: Float[np.ndarray, "samples items"], b: Float[np.ndarray, "samples items"]
) -> Float[np.ndarray, " samples"]:
    """Spearman's, in each sample over the items that have both values; ties share their mean rank."""
    unknown = np.isnan(a) | np.isnan(b)
    a, b = (pd.DataFrame(np.where(unknown, np.nan, x)).rank(axis=1).to_numpy() for x in (a, b))
    a, b = (x - mean(x, axis=1)[:, None] for x in (a, b))
    return divide(np.nansum(a * b, axis=1), np.sqrt(np.nansum(a**2, axis=1) * np.nansum(b**2, axis=1)))
