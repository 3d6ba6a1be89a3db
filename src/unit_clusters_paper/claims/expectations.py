"""Claims about the search for clusters (Fig. S5), discarded networks, and what was expected (section 4.1)."""

from functools import partial

import numpy as np

from unit_clusters.clusters.modularity import EQUAL
from unit_clusters_paper.claims import comparison, quantities
from unit_clusters_paper.claims.intervals import Count, Estimate, Extreme, Mean, Values, largest, lead
from unit_clusters_paper.claims.networks import Networks
from unit_clusters_paper.claims.rules import HALF, IN_BAND, UNNOTICED, VISIBLE, Claim, Effect, Row, above, below, single
from unit_clusters_paper.results.selection import PAPERS


def improved(q: Values, start: Values) -> Values:
    return np.where(np.isnan(q), np.nan, q - start > EQUAL)


def visible_gain(q: Values, start: Values) -> Values:
    return q - start - VISIBLE * q


def share_improved(networks: Networks, column: str) -> Mean:
    return quantities.mean_of_matrices(networks, improved, "q", column)


def gain_minus_visible(networks: Networks, column: str) -> Mean:
    return quantities.mean_of_matrices(networks, visible_gain, "q", column)


def gain_over_q(networks: Networks, column: str) -> float:
    gain, q = (quantities.mean_of_matrices(networks, one, "q", column) for one in (np.subtract, lambda q, start: q))
    return quantities.share(gain, q)


def above_minus_below(networks: Networks, column: str) -> Mean:
    return quantities.mean_of_matrices(networks, quantities.better, "q", column)


def below_the_line(networks: Networks, column: str) -> Estimate:
    return quantities.below_the_line(networks, column, VISIBLE)


def share_below(networks: Networks, column: str) -> float:
    number = sum(np.isfinite(q).sum() for q, _ in quantities.matrices(networks, "q", column).values())
    return float(below_the_line(networks, column).value) / number


def share_discarded(networks: Networks, column: str, experiment: str) -> float:
    return float(np.nanmean(networks.group(experiment)[column][quantities.weaker_settings(networks, experiment)]))


def half_of_others_minus_l1(networks: Networks, column: str) -> Extreme:
    others, l1 = (
        quantities.averaged(quantities.rises(networks, column, "base", *names)) for names in (["dropout", "l2"], ["l1"])
    )
    return lead(others * HALF, l1)


def l1_over_others(networks: Networks, column: str) -> float:
    others, l1 = (
        quantities.averaged(quantities.rises(networks, column, "base", *names)) for names in (["dropout", "l2"], ["l1"])
    )
    return quantities.share(largest(l1), largest(others))


def number_above_0(networks: Networks, column: str) -> Count:
    return Count(sum(np.nansum(values > 0) for (values,) in quantities.matrices(networks, column).values()))


def share_gained(networks: Networks, column: str) -> float:
    """By soft clusters, of the Q of the best hard ones; on the matrices of which it is known."""
    gain, q = (quantities.mean_of_matrices(networks, one, "soft_gain", "q_best") for one in (_first, _second))
    return quantities.share(gain, q)


def _first(gain: Values, q: Values) -> Values:
    return gain


def _second(gain: Values, q: Values) -> Values:
    return np.where(np.isnan(gain), np.nan, q)


def all_points(words: str) -> Row:
    """No point of a panel of Fig. S5 lies visibly below its diagonal."""
    return Row(
        "all",
        f"number of matrices with a Q* more than {VISIBLE:.0%} below {words}",
        below_the_line,
        below(1, "all points on or above the line means none below; nearer ones lie on it to the eye"),
        effect=Effect("of the matrices", share_below),
        experiments=(),
    )


SEARCH = [
    Claim(
        "mc-improves",
        "Fig. S5 left",
        "Monte Carlo improves on the spectral start: all points are on or above the line",
        [
            all_points("that of the spectral start")._replace(column="q_spectral"),
            Row(
                "share",
                "share of matrices on which Monte Carlo raised Q",
                share_improved,
                above(HALF, "most matrices"),
                "q_spectral",
                experiments=(),
                effect=Effect("of the matrices"),
            ),
            Row(
                "gain",
                f"what Monte Carlo added to Q minus {VISIBLE:.0%} of Q*, mean of matrices",
                gain_minus_visible,
                above(0, "less lies on the diagonal of Fig. S5 to the eye"),
                "q_spectral",
                experiments=(),
                effect=Effect("of Q*", gain_over_q),
            ),
        ],
    ),
    Claim(
        "spectral-helps",
        "Fig. S5 right",
        "starting from the spectral partition beats 1,000 steps from one cluster: all points are on or above the line",
        [
            all_points("that from one cluster in 1,000 steps")._replace(column="q_from_one_cluster"),
            Row(
                "more",
                "share of matrices where Q* is above that from one cluster in 1,000 steps, minus share where below",
                above_minus_below,
                above(0),
                "q_from_one_cluster",
                experiments=(),
                effect=Effect("of the matrices"),
            ),
        ],
    ),
    Claim(
        "soft-clusters",
        "3.2, footnote 3",
        "there are cases in which Q is largest for soft clusters",
        [
            Row(
                "",
                "number of matrices in whose best known clusters some unit would rather be divided",
                number_above_0,
                above(0, "there are cases"),
                "soft_units",
                experiments=(),
                effect=Effect("of Q, gained", share_gained),
            )
        ],
    ),
]

EXPECTED = [
    Claim(
        "discarded-extreme",
        "4.1",
        "test accuracy below 80 % happens only at the two strongest values of a sweep",
        [
            Row(
                experiment,
                f"number of networks below 80 % at other strengths than the two strongest of a sweep, {experiment}",
                partial(quantities.discarded_at_weaker, experiment=experiment),
                below(1, "only there means none elsewhere"),
                "discarded",
                (experiment,),
                Effect("of these networks", partial(share_discarded, experiment=experiment)),
            )
            for experiment in PAPERS
        ],
    ),
    single(
        "hypothesis-1",
        "4.1",
        "wrong: dropout would decrease modularity",
        "dropout's rise of Q*, mean of all measures and good strengths",
        partial(quantities.mean_rise, experiment="base", regularizer="dropout"),
        above(0, "wrong if there is no decrease"),
    ),
    single(
        "hypothesis-2",
        "4.1",
        "wrong: L2 would hardly matter",
        "size of L2's largest change of Q*, in untrained standard deviations, over measures and layers",
        partial(quantities.largest_size, experiment="base", regularizer="l2"),
        above(UNNOTICED, f"wrong if not {IN_BAND}"),
        effect=Effect("untrained SD"),
    ),
    single(
        "hypothesis-3",
        "4.1",
        "wrong, mostly: L1 would increase modularity",
        "half of the largest rise of Q* by dropout or L2 minus L1's largest rise, mean of all measures",
        half_of_others_minus_l1,
        above(0, "wrong if L1's effect is weak: less than half of that of one that was not expected to raise Q*"),
        effect=Effect("of the other's", l1_over_others),
    ),
    Claim(
        "hypothesis-4",
        "4.1",
        "wrong: all measures would agree",
        [
            *(
                Row(
                    f"trends/{regularizer}",
                    f"size of what each measure's rises of Q* with {regularizer} have for themselves, minus half of "
                    "what all measures have in common, over good strengths and layers",
                    partial(quantities.own_trend_beyond, experiment="base", regularizer=regularizer, of_shared=HALF),
                    above(0, "with less of their own than half of what they share, the measures would agree"),
                    effect=Effect(
                        "untrained SD of its own",
                        partial(quantities.own_trend_in_sd, experiment="base", regularizer=regularizer),
                    ),
                )
                for regularizer in quantities.REGULARIZERS
            ),
            Row(
                "clusters",
                f"half of the way from {comparison.UNRELATED}, to 1, minus {comparison.ELEMENT} across, base",
                comparison.half_way_minus_across,
                above(0, "wrong if nearer to what unrelated clusterings agree than to full agreement"),
                comparison.ELEMENT,
                effect=Effect(comparison.WAY, comparison.across_on_way),
            ),
        ],
    ),
]
