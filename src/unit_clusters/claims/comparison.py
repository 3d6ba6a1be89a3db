"""Claims of section 4.4: do the measures find the same clusters?"""

from functools import partial

import numpy as np
from jaxtyping import Float

from unit_clusters.claims import quantities as of
from unit_clusters.claims.networks import Sample
from unit_clusters.claims.rules import ALIKE, HALF, MODERATE, NEITHER_NOR, SHARED_RANKS, Claim, Row, Rule, above, below

FAMILIES = {"upstream": of.UPSTREAM_FAMILY, "downstream": of.DOWNSTREAM_FAMILY}


def own_minus_family(sample: Sample, score: str) -> Float[np.ndarray, " samples"]:
    own, family = (of.agreement(sample, "base", pairs, score) for pairs in (of.OWN, of.BOTH_FAMILIES))
    return own - family


def own_minus_family_over_own_minus_across(sample: Sample, score: str) -> Float[np.ndarray, " samples"]:
    return of.share(own_minus_family(sample, score), of.excess(sample, "base", of.OWN, score))


def downstream_change_over_untrained(sample: Sample, experiment: str, score: str) -> Float[np.ndarray, " samples"]:
    change = of.change(sample, experiment, of.DOWNSTREAM_FAMILY, score)
    return of.share(np.abs(change), of.excess(sample, experiment, of.DOWNSTREAM_FAMILY, score, trained=False))


def upstream_change_over_trained(sample: Sample, experiment: str, score: str) -> Float[np.ndarray, " samples"]:
    trained = of.agreement(sample, experiment, of.UPSTREAM_FAMILY, score)
    floor = of.agreement(sample, experiment, of.ACROSS, score, trained=False)
    return of.share(of.change(sample, experiment, of.UPSTREAM_FAMILY, score), trained - floor)


def across_change_over_gap(sample: Sample, experiment: str, score: str) -> Float[np.ndarray, " samples"]:
    gap = of.excess(sample, experiment, of.BOTH_FAMILIES, score)
    return of.share(of.change(sample, experiment, of.ACROSS, score), gap)


def raw_minus_normalized_at_l1(sample: Sample, score: str) -> Float[np.ndarray, " samples"]:
    raw, normalized = (of.at_strongest_l1(sample, pairs, score) for pairs in (of.ACROSS_RAW, of.ACROSS_NORMALIZED))
    return raw - normalized


def raw_over_family_at_l1(sample: Sample, score: str) -> Float[np.ndarray, " samples"]:
    raw, family = (of.at_strongest_l1(sample, pairs, score) for pairs in (of.ACROSS_RAW, of.BOTH_FAMILIES))
    floor = of.agreement(sample, "base", of.ACROSS, score, trained=False)
    return of.share(raw - floor, family - floor)


def order_like_element_similarity(sample: Sample, score: str) -> Float[np.ndarray, " samples"]:
    other, element = (of.agreement_of_pairs(sample, "base", name) for name in (score, "element_similarity"))
    return of.rank_correlation(other, element)


CLAIMS = [
    Claim(
        "agree-within",
        "4.4, Fig. 5a-c",
        "family agreement, upstream and downstream, exceeds agreement across",
        [
            Row(
                f"{experiment}/{family}/{units}",
                f"{score} within the {family} family minus across, {experiment}",
                partial(of.excess, experiment=experiment, pairs=pairs, score=score),
                above(0),
                experiment,
            )
            for experiment in of.EXPERIMENTS
            for family, pairs in FAMILIES.items()
            for units, score in of.SCORES.items()
        ],
    ),
    Claim(
        "agree-normalisation",
        "4.4",
        "normalising matters little: a measure and its normalised form agree more than two measures of one family",
        [
            Row(
                units,
                f"{score} of a measure with its normalised form minus that within families",
                partial(own_minus_family, score=score),
                above(0),
            )
            for units, score in of.SCORES.items()
        ],
    ),
    Claim(
        "agree-moment-gradient",
        "4.4",
        "a moderate difference between covariance-like and gradient-like measures within a family",
        [
            Row(
                units,
                f"{score} within families, from that of a measure with its normalised form (0) to that across (1)",
                partial(own_minus_family_over_own_minus_across, score=score),
                Rule(*MODERATE, NEITHER_NOR),
            )
            for units, score in of.SCORES.items()
        ],
    ),
    Claim(
        "agree-downstream-untrained",
        "4.4, Fig. 5d-f",
        "agreement among downstream measures is there before training: training changes it little",
        [
            Row(
                f"{experiment}/{units}",
                f"size of training's change of {score} within the downstream family, as a share of its excess over "
                f"that across before training, {experiment}",
                partial(downstream_change_over_untrained, experiment=experiment, score=score),
                below(HALF, "little is less than half of what was there"),
                experiment,
            )
            for experiment in of.EXPERIMENTS
            for units, score in of.SCORES.items()
        ],
    ),
    Claim(
        "agree-upstream-trained",
        "4.4, Fig. 5d-f",
        "agreement among upstream measures comes with training",
        [
            Row(
                f"{experiment}/{units}",
                f"training's change of {score} within the upstream family, as a share of its excess after training "
                f"over that across before, {experiment}",
                partial(upstream_change_over_trained, experiment=experiment, score=score),
                above(HALF, "more than half of it comes with training"),
                experiment,
            )
            for experiment in of.EXPERIMENTS
            for units, score in of.SCORES.items()
        ],
    ),
    Claim(
        "agree-across-trained",
        "4.4, Fig. 5d-f",
        "training weakly raises agreement across the families",
        [
            Row(
                f"{experiment}/{units}",
                f"training's change of {score} across, as a share of the gap between within families and across after "
                f"training, {experiment}",
                partial(across_change_over_gap, experiment=experiment, score=score),
                Rule(0, HALF, "weakly is less than half of the gap"),
                experiment,
            )
            for experiment in of.EXPERIMENTS
            for units, score in of.SCORES.items()
        ],
    ),
    Claim(
        "agree-upstream-strength",
        "4.4, Fig. S11 (i)",
        "agreement among upstream measures grows with the strength of each regulariser",
        [
            Row(
                f"{regularizer}/{units}",
                f"change of {score} within the upstream family from the weakest to the strongest good {regularizer}, "
                "along the least-squares line",
                partial(of.growth_with_strength, regularizer=regularizer, pairs=of.UPSTREAM_FAMILY, score=score),
                above(0),
            )
            for regularizer in of.REGULARIZERS
            for units, score in of.SCORES.items()
        ],
    ),
    Claim(
        "agree-downstream-normalised",
        "4.4, Fig. S11 (ii)",
        "at high L2 and L1, downstream agreement depends more on normalisation",
        [
            Row(
                f"{regularizer}/{units}",
                f"{score} of downstream pairs of like normalisation minus that of the others: at the strongest good "
                f"{regularizer} minus at the weakest",
                partial(of.growth_of_normalization, regularizer=regularizer, score=score),
                above(0),
            )
            for regularizer in ("l2", "l1")
            for units, score in of.SCORES.items()
        ],
    ),
    Claim(
        "agree-l1-unnormalised",
        "Fig. S11 (iii)",
        "at large L1, upstream and unnormalised downstream measures agree moderately, more than upstream and "
        "normalised downstream",
        [
            *(
                Row(
                    f"more/{units}",
                    f"{score} of upstream with unnormalised minus with normalised downstream, strongest good L1",
                    partial(raw_minus_normalized_at_l1, score=score),
                    above(0),
                )
                for units, score in of.SCORES.items()
            ),
            *(
                Row(
                    f"moderately/{units}",
                    f"{score} of upstream with unnormalised downstream measures, strongest good L1, from that across "
                    "before training (0) to that within families (1)",
                    partial(raw_over_family_at_l1, score=score),
                    Rule(*MODERATE, NEITHER_NOR),
                )
                for units, score in of.SCORES.items()
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
                f"rank correlation of mean {score} with mean element_similarity over the 28 pairs of measures",
                partial(order_like_element_similarity, score=score),
                above(ALIKE, SHARED_RANKS),
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
                partial(of.excess, experiment=experiment, pairs=pairs, score="transferability"),
                above(0),
                experiment,
            )
            for experiment in of.EXPERIMENTS
            for family, pairs in FAMILIES.items()
        ],
    ),
]
