"""Claims of section 4.4: do the measures find the same clusters?"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from unit_clusters_paper.claims import quantities
from unit_clusters_paper.claims.intervals import Extreme, Mean, Ratio, mean, ratio, smallest
from unit_clusters_paper.claims.networks import PAIRS, Networks, NotTestable
from unit_clusters_paper.claims.rules import (
    ALIKE,
    HALF,
    MODERATE,
    SHARED_RANKS,
    Claim,
    Row,
    Rule,
    above,
    below,
    between,
    single,
)
from unit_clusters_paper.results.selection import PAPERS

ELEMENT = "element_similarity"
FAMILIES = {"upstream": quantities.UPSTREAM_FAMILY, "downstream": quantities.DOWNSTREAM_FAMILY}
LITTLE, STRONG = MODERATE
ON_WAY = "how far {} is on the way from that of unrelated clusterings, across before training, to 1"
WAY = "of the way"


# At one setting


def least_excess(networks: Networks, column: str, experiment: str, setting: tuple[str, float] | None = None) -> Extreme:
    """Agreement within the family that has less, minus that across: at one good setting, or the least of all (None)."""
    group = networks.group(experiment)
    settings = group.good_settings if setting is None else [setting]
    if not settings or not set(settings) <= set(group.good_settings):
        raise NotTestable(f"{experiment} has no good networks there")
    places = [group.settings.index(one) for one in settings]
    upstream, downstream, across = (
        quantities.agreement_at(networks, column, experiment, places, pairs)
        for pairs in (*FAMILIES.values(), quantities.ACROSS)
    )
    return smallest(smallest(upstream - across), smallest(downstream - across))


def at_end(networks: Networks, column: str, regularizer: str, pairs: Sequence[int], end: int) -> Mean:
    """The agreement in base at the weakest (`end` 0) or strongest (-1) good strength."""
    strengths = quantities.good_strengths(networks, "base", regularizer)
    return quantities.agreement_at(networks, column, "base", strengths, pairs)[end]


def way_at_end(networks: Networks, column: str, regularizer: str, pairs: Sequence[int], end: int) -> Ratio:
    return quantities.way(networks, column, "base", at_end(networks, column, regularizer, pairs, end))


def raw_minus_normalized_at_l1(networks: Networks, column: str) -> Mean:
    raw, normalized = (
        at_end(networks, column, "l1", pairs, -1) for pairs in (quantities.ACROSS_RAW, quantities.ACROSS_NORMALIZED)
    )
    return raw - normalized


# Over the strengths of a regulariser


def growth_with_strength(networks: Networks, column: str, regularizer: str) -> Mean:
    strengths = quantities.good_strengths(networks, "base", regularizer, least=2)
    values = quantities.agreement_at(networks, column, "base", strengths, quantities.UPSTREAM_FAMILY)
    return quantities.fitted_change(values, quantities.doses(networks.group("base"), strengths))


def growth_of_normalization(networks: Networks, column: str, regularizer: str) -> Mean:
    """How much more downstream pairs of like normalisation agree than others: at the strongest minus at the weakest."""
    strengths = quantities.good_strengths(networks, "base", regularizer, least=2)
    alike, unlike = (
        quantities.agreement_at(networks, column, "base", strengths, pairs)
        for pairs in (quantities.DOWNSTREAM_ALIKE, quantities.DOWNSTREAM_UNLIKE)
    )
    return (alike - unlike)[-1] - (alike - unlike)[0]


# Over all settings


def own_minus_family(networks: Networks, column: str) -> Mean:
    own, family = (
        quantities.agreement(networks, column, "base", pairs) for pairs in (quantities.OWN, quantities.BOTH_FAMILIES)
    )
    return own - family


def family_on_way_to_across(networks: Networks, column: str) -> Ratio:
    return ratio(own_minus_family(networks, column), quantities.excess(networks, column, "base", quantities.OWN))


def across_on_way(networks: Networks, column: str) -> Ratio:
    return quantities.way(networks, column, "base", quantities.agreement(networks, column, "base", quantities.ACROSS))


def order_like_element_similarity(networks: Networks, column: str) -> Mean:
    other, element = (mean(networks.values("base", name), axis=(0, 2)) for name in (column, ELEMENT))
    return Mean.of(("base", True), quantities.rank_correlation(other, element))


# What training changed (Fig. 5d-f): a change, and the whole that it is to be a part of


def downstream_change(networks: Networks, column: str, experiment: str) -> tuple[Mean, Mean]:
    before = quantities.excess(networks, column, experiment, quantities.DOWNSTREAM_FAMILY, trained=False)
    return quantities.change(networks, column, experiment, quantities.DOWNSTREAM_FAMILY), before


def upstream_change(networks: Networks, column: str, experiment: str) -> tuple[Mean, Mean]:
    after = quantities.agreement(networks, column, experiment, quantities.UPSTREAM_FAMILY)
    return quantities.change(networks, column, experiment, quantities.UPSTREAM_FAMILY), after - quantities.unrelated(
        networks, column, experiment
    )


def across_change(networks: Networks, column: str, experiment: str) -> tuple[Mean, Mean]:
    gap = quantities.excess(networks, column, experiment, quantities.BOTH_FAMILIES)
    return quantities.change(networks, column, experiment, quantities.ACROSS), gap


Change = Callable[[Networks, str, str], tuple[Mean, Mean]]


def share_changed(networks: Networks, column: str, experiments: Sequence[str], change: Change) -> Ratio:
    """What changed by the whole that it is a part of, both summed over experiments."""
    found = (change(networks, column, experiment) for experiment in experiments)
    return ratio(*(quantities.sum_of(some) for some in zip(*found, strict=True)))


class Trained(NamedTuple):
    """What the paper says that training does to one kind of pairs."""

    statistic: str
    change: Change
    rule: Rule
    unit: str


TRAINING = {
    "downstream": Trained(
        "training's change of {score} within the downstream family, by the excess over that across before training",
        downstream_change,
        between(-HALF, HALF, "little is less than half of what was there"),
        "times the excess before",
    ),
    "upstream": Trained(
        "training's change of {score} within the upstream family, by the excess after training over that across before",
        upstream_change,
        above(HALF, "it comes with training if more than half of it does"),
        "times the excess after",
    ),
    "across": Trained(
        "training's change of {score} across, by the gap after training between within families and across",
        across_change,
        between(0, HALF, "it rises, and weakly is less than half of the gap"),
        "times the gap",
    ),
}
"""By kind of pairs."""


def training_row(column: str, kind: str, *experiments: str, suffix: str, **options) -> Row:
    statistic, change, rule, unit = TRAINING[kind]
    return Row(
        suffix,
        f"{statistic.format(score=column)}, {', '.join(experiments)}",
        partial(share_changed, experiments=experiments, change=change),
        rule,
        column,
        experiments,
        unit,
        **options,
    )


CLAIMS = [
    Claim(
        "agree-within",
        "4.4, Fig. 5a-c",
        "family agreement, upstream and downstream, exceeds agreement across",
        [
            Row(
                f"{experiment}/{family}",
                f"{ELEMENT} within the {family} family minus across, {experiment}",
                partial(quantities.excess, experiment=experiment, pairs=pairs),
                above(0),
                ELEMENT,
                (experiment,),
            )
            for experiment in PAPERS
            for family, pairs in FAMILIES.items()
        ],
    ),
    Claim(
        "agree-within-strength",
        "1, 4.4",
        "upstream and downstream clusters are consistently distinct: that holds at each good strength",
        [
            row
            for experiment in PAPERS
            for row in (
                Row(
                    experiment,
                    f"{ELEMENT} within the family that has less minus across, at the good strength where that is "
                    f"least, {experiment}",
                    partial(least_excess, experiment=experiment),
                    above(0),
                    ELEMENT,
                    (experiment,),
                ),
                Row(
                    f"{experiment}/each",
                    f"{ELEMENT} within the family that has less minus across, {experiment}",
                    partial(least_excess, experiment=experiment),
                    above(0),
                    ELEMENT,
                    (experiment,),
                    each_strength=True,
                    counts=False,
                ),
            )
        ],
    ),
    single(
        "agree-normalisation",
        "4.4",
        "normalising matters little: a measure and its normalised form agree more than two measures of one family",
        f"{ELEMENT} of a measure with its normalised form minus that within families",
        own_minus_family,
        above(0),
        ELEMENT,
    ),
    single(
        "agree-moment-gradient",
        "4.4",
        "a moderate difference between covariance-like and gradient-like measures within a family",
        f"how far {ELEMENT} within families is on the way from that of a measure with its normalised form to that "
        "across",
        family_on_way_to_across,
        between(*MODERATE, "moderate is neither close to none nor close to all"),
        ELEMENT,
        unit=WAY,
    ),
    Claim(
        "agree-downstream-untrained",
        "4.4, Fig. 5d-f",
        "agreement among downstream measures is there before training: training changes it little",
        [training_row(ELEMENT, "downstream", experiment, suffix=experiment) for experiment in PAPERS],
    ),
    Claim(
        "agree-upstream-trained",
        "4.4, Fig. 5d-f",
        "agreement among upstream measures comes with training",
        [training_row(ELEMENT, "upstream", experiment, suffix=experiment) for experiment in PAPERS],
    ),
    Claim(
        "agree-across-trained",
        "4.4, Fig. 5d-f",
        "training weakly raises agreement across the families",
        [training_row(ELEMENT, "across", experiment, suffix=experiment) for experiment in PAPERS],
    ),
    Claim(
        "agree-upstream-strength",
        "4.4, Fig. S11 (i)",
        "agreement among upstream measures grows with the strength of each regulariser",
        [
            Row(
                regularizer,
                f"change of {ELEMENT} within the upstream family from the weakest to the strongest good {regularizer}, "
                "along the least-squares line",
                partial(growth_with_strength, regularizer=regularizer),
                above(0),
                ELEMENT,
            )
            for regularizer in quantities.REGULARIZERS
        ],
    ),
    Claim(
        "agree-upstream-ends",
        "Fig. S11 (i)",
        "there is little agreement among upstream measures at low strengths, and very strong agreement at high ones",
        [
            row
            for regularizer in quantities.REGULARIZERS
            for row in (
                Row(
                    f"little/{regularizer}",
                    f"{ON_WAY.format(f'{ELEMENT} within the upstream family')}, at the weakest good {regularizer}",
                    partial(way_at_end, regularizer=regularizer, pairs=quantities.UPSTREAM_FAMILY, end=0),
                    below(LITTLE, "little is close to none, where moderate is not"),
                    ELEMENT,
                    unit=WAY,
                ),
                Row(
                    f"strong/{regularizer}",
                    f"{ON_WAY.format(f'{ELEMENT} within the upstream family')}, at the strongest good {regularizer} "
                    f"({{base {regularizer}}})",
                    partial(way_at_end, regularizer=regularizer, pairs=quantities.UPSTREAM_FAMILY, end=-1),
                    above(STRONG, "very strong is close to all, where moderate is not"),
                    ELEMENT,
                    unit=WAY,
                ),
            )
        ],
    ),
    Claim(
        "agree-downstream-normalised",
        "4.4, Fig. S11 (ii)",
        "at high L2 and L1, downstream agreement depends more on normalisation",
        [
            Row(
                regularizer,
                f"{ELEMENT} of downstream pairs of like normalisation minus that of the others: at the strongest good "
                f"{regularizer} ({{base {regularizer}}}) minus at the weakest",
                partial(growth_of_normalization, regularizer=regularizer),
                above(0),
                ELEMENT,
            )
            for regularizer in ("l2", "l1")
        ],
    ),
    Claim(
        "agree-l1-unnormalised",
        "Fig. S11 (iii)",
        "at large L1, upstream and unnormalised downstream measures agree moderately, more than upstream and "
        "normalised downstream",
        [
            Row(
                "more",
                f"{ELEMENT} of upstream with unnormalised minus with normalised downstream measures, at the strongest "
                "good L1 ({base l1})",
                raw_minus_normalized_at_l1,
                above(0),
                ELEMENT,
            ),
            Row(
                "moderately",
                f"{ON_WAY.format(f'{ELEMENT} of upstream with unnormalised downstream measures')}, at the strongest "
                "good L1 ({base l1})",
                partial(way_at_end, regularizer="l1", pairs=quantities.ACROSS_RAW, end=-1),
                between(*MODERATE, "moderate is neither close to none nor close to all"),
                ELEMENT,
                unit=WAY,
            ),
        ],
    ),
    Claim(
        "agree-scores-alike",
        "4.4",
        "the other clusim scores order the pairs of measures as element similarity does",
        [
            Row(
                score,
                f"rank correlation of a seed's mean {score} with its mean {ELEMENT} over the {len(PAIRS)} pairs of "
                "measures, mean of seeds",
                order_like_element_similarity,
                above(ALIKE, SHARED_RANKS),
                score,
                unit="rank correlation",
            )
            for score in ("rmi", "vi", "ari", "nmi")
        ],
    ),
    Claim(
        "transfer-confirms",
        "4.4, Fig. S12",
        "transferability shows the same division",
        [
            Row(
                f"{experiment}/{family}",
                f"transferability within the {family} family minus across, {experiment}",
                partial(quantities.excess, experiment=experiment, pairs=pairs),
                above(0),
                "transferability",
                (experiment,),
            )
            for experiment in PAPERS
            for family, pairs in FAMILIES.items()
        ],
    ),
    Claim(
        "transfer-training",
        "4.4, Fig. S12d-f",
        "overall, transferability shows the same trends with training: downstream little, upstream most, across weakly",
        [
            row
            for kind in TRAINING
            for row in (
                training_row("transferability", kind, *PAPERS, suffix=kind),
                *(
                    training_row("transferability", kind, experiment, suffix=f"{kind}/{experiment}", counts=False)
                    for experiment in PAPERS
                ),
            )
        ],
    ),
]
