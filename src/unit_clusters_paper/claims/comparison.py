"""Claims of section 4.4: do the measures find the same clusters?"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from unit_clusters_paper.claims import quantities
from unit_clusters_paper.claims.intervals import Extreme, Mean, mean, smallest
from unit_clusters_paper.claims.networks import PAIRS, Networks, NotTestable
from unit_clusters_paper.claims.rules import ALIKE, HALF, MODERATE, SHARED_RANKS, Claim, Effect, Row, above, single
from unit_clusters_paper.results.selection import PAPERS

ELEMENT = "element_similarity"
FAMILIES = {"upstream": quantities.UPSTREAM_FAMILY, "downstream": quantities.DOWNSTREAM_FAMILY}
LITTLE, STRONG = MODERATE
UNRELATED = "that of unrelated clusterings, across before training"
WAY = "of the way from unrelated to the same clusters"


# At one setting


def least_excess(networks: Networks, column: str, experiment: str, setting: tuple[str, float] | None = None) -> Extreme:
    """Agreement within the family that has less, minus that across."""
    group = networks.group(experiment)
    if setting not in group.good_settings:
        raise NotTestable(f"{experiment} has no good networks there")
    place = group.settings.index(setting)
    upstream, downstream, across = (
        quantities.agreement_at(networks, column, experiment, [place], pairs)[0]
        for pairs in (*FAMILIES.values(), quantities.ACROSS)
    )
    return smallest(upstream - across, downstream - across)


def at_end(networks: Networks, column: str, regularizer: str, pairs: Sequence[int], end: int) -> Mean:
    """The agreement in base at the weakest (`end` 0) or strongest (-1) good strength."""
    strengths = quantities.good_strengths(networks, "base", regularizer)
    return quantities.agreement_at(networks, column, "base", strengths, pairs)[end]


def way_at_end(networks: Networks, column: str, regularizer: str, pairs: Sequence[int], end: int) -> float:
    return quantities.way(networks, column, "base", at_end(networks, column, regularizer, pairs, end))


def little_minus_weakest(networks: Networks, column: str, regularizer: str) -> Mean:
    weakest = at_end(networks, column, regularizer, quantities.UPSTREAM_FAMILY, 0)
    return quantities.on_the_way(networks, column, "base", LITTLE) - weakest


def strongest_minus_strong(networks: Networks, column: str, regularizer: str) -> Mean:
    strongest = at_end(networks, column, regularizer, quantities.UPSTREAM_FAMILY, -1)
    return strongest - quantities.on_the_way(networks, column, "base", STRONG)


def raw_minus_normalized_at_l1(networks: Networks, column: str) -> Mean:
    raw, normalized = (
        at_end(networks, column, "l1", pairs, -1) for pairs in (quantities.ACROSS_RAW, quantities.ACROSS_NORMALIZED)
    )
    return raw - normalized


def raw_within_moderate_at_l1(networks: Networks, column: str) -> Extreme:
    raw = at_end(networks, column, "l1", quantities.ACROSS_RAW, -1)
    low, high = (quantities.on_the_way(networks, column, "base", share) for share in MODERATE)
    return smallest(raw - low, high - raw)


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


def within_over_across(networks: Networks, column: str, experiment: str, pairs: Sequence[int]) -> float:
    return quantities.share(
        *(quantities.agreement(networks, column, experiment, places) for places in (pairs, quantities.ACROSS))
    )


def own_minus_family(networks: Networks, column: str) -> Mean:
    own, family = (
        quantities.agreement(networks, column, "base", pairs) for pairs in (quantities.OWN, quantities.BOTH_FAMILIES)
    )
    return own - family


def family_within_moderate(networks: Networks, column: str) -> Extreme:
    drop, whole = own_minus_family(networks, column), quantities.excess(networks, column, "base", quantities.OWN)
    return smallest(drop - whole * LITTLE, whole * STRONG - drop)


def family_on_way_to_across(networks: Networks, column: str) -> float:
    return quantities.share(
        own_minus_family(networks, column), quantities.excess(networks, column, "base", quantities.OWN)
    )


def half_way_minus_across(networks: Networks, column: str) -> Mean:
    return quantities.on_the_way(networks, column, "base", HALF) - quantities.agreement(
        networks, column, "base", quantities.ACROSS
    )


def across_on_way(networks: Networks, column: str) -> float:
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


def little(part: Mean, whole: Mean) -> Extreme:
    """Above 0 where the part is of a size less than half of the whole."""
    return smallest(whole * HALF - part, whole * HALF + part)


def most(part: Mean, whole: Mean) -> Extreme:
    """Above 0 where there is a whole, and the part is more than half of it."""
    return smallest(part - whole * HALF, whole)


def weak(part: Mean, whole: Mean) -> Extreme:
    """Above 0 where the part is above 0, but less than half of the whole."""
    return smallest(part, whole * HALF - part)


Change = Callable[[Networks, str, str], tuple[Mean, Mean]]


def judged(networks: Networks, column: str, experiment: str, change: Change, rule: Callable) -> Extreme:
    return rule(*change(networks, column, experiment))


def share_changed(networks: Networks, column: str, experiment: str, change: Change) -> float:
    return quantities.share(*change(networks, column, experiment))


TRAINING = {
    "downstream": (
        "half of the excess of {score} within the downstream family over that across before training, minus the size "
        "of what training changed of it, {experiment}",
        downstream_change,
        little,
        above(0, "little is less than half of what was there"),
        "of the excess before training",
    ),
    "upstream": (
        "training's change of {score} within the upstream family minus half of its excess after training over that "
        "across before, or that excess, if less, {experiment}",
        upstream_change,
        most,
        above(0, "more than half of it comes with training"),
        "of the excess after training",
    ),
    "across": (
        "training's change of {score} across, or half of the gap after training between within families and across "
        "minus that change, if less, {experiment}",
        across_change,
        weak,
        above(0, "weakly is less than half of the gap"),
        "of the gap after training",
    ),
}
"""By kind of pairs: statistic, what it is made of, rule, and the unit of its effect."""


def training_rows(column: str, *kinds: str) -> Iterator[Row]:
    """A row for each experiment and each of some kinds of TRAINING, named by both if there are several."""
    for experiment in PAPERS:
        for kind in kinds:
            statistic, change, rule, limits, unit = TRAINING[kind]
            yield Row(
                f"{experiment}/{kind}" if len(kinds) > 1 else experiment,
                statistic.format(score=column, experiment=experiment),
                partial(judged, experiment=experiment, change=change, rule=rule),
                limits,
                column,
                (experiment,),
                Effect(unit, partial(share_changed, experiment=experiment, change=change)),
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
            Row(
                experiment,
                f"{ELEMENT} within the family that has less minus across, {experiment}",
                partial(least_excess, experiment=experiment),
                above(0),
                ELEMENT,
                (experiment,),
                each_strength=True,
            )
            for experiment in PAPERS
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
        f"how far {ELEMENT} within families is inside of a quarter and three quarters of the way from that of "
        "a measure with its normalised form to that across",
        family_within_moderate,
        above(0, "moderate is neither close to none nor close to all"),
        ELEMENT,
        effect=Effect("of the way from a measure's own form to across", family_on_way_to_across),
    ),
    Claim(
        "agree-downstream-untrained",
        "4.4, Fig. 5d-f",
        "agreement among downstream measures is there before training: training changes it little",
        list(training_rows(ELEMENT, "downstream")),
    ),
    Claim(
        "agree-upstream-trained",
        "4.4, Fig. 5d-f",
        "agreement among upstream measures comes with training",
        list(training_rows(ELEMENT, "upstream")),
    ),
    Claim(
        "agree-across-trained",
        "4.4, Fig. 5d-f",
        "training weakly raises agreement across the families",
        list(training_rows(ELEMENT, "across")),
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
                    f"a quarter of the way from {UNRELATED}, to 1, minus {ELEMENT} within the upstream family at the "
                    f"weakest good {regularizer}",
                    partial(little_minus_weakest, regularizer=regularizer),
                    above(0, "little is close to none, where moderate is not"),
                    ELEMENT,
                    effect=Effect(
                        WAY, partial(way_at_end, regularizer=regularizer, pairs=quantities.UPSTREAM_FAMILY, end=0)
                    ),
                ),
                Row(
                    f"strong/{regularizer}",
                    f"{ELEMENT} within the upstream family at the strongest good {regularizer} "
                    f"({{base {regularizer}}}), minus three quarters of the way from {UNRELATED}, to 1",
                    partial(strongest_minus_strong, regularizer=regularizer),
                    above(0, "very strong is close to all, where moderate is not"),
                    ELEMENT,
                    effect=Effect(
                        WAY, partial(way_at_end, regularizer=regularizer, pairs=quantities.UPSTREAM_FAMILY, end=-1)
                    ),
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
                f"how far {ELEMENT} of upstream with unnormalised downstream measures, at the strongest good L1 "
                f"({{base l1}}), is inside of a quarter and three quarters of the way from {UNRELATED}, to 1",
                raw_within_moderate_at_l1,
                above(0, "moderate is neither close to none nor close to all"),
                ELEMENT,
                effect=Effect(WAY, partial(way_at_end, regularizer="l1", pairs=quantities.ACROSS_RAW, end=-1)),
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
                effect=Effect("rank correlation"),
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
                Effect("of that across", partial(within_over_across, experiment=experiment, pairs=pairs)),
            )
            for experiment in PAPERS
            for family, pairs in FAMILIES.items()
        ],
    ),
    Claim(
        "transfer-training",
        "4.4, Fig. S12d-f",
        "transferability shows the same trends with training: downstream little, upstream most, across weakly",
        list(training_rows("transferability", *TRAINING)),
    ),
]
