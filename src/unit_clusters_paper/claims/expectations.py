"""Claims about the search for clusters (Fig. S5), discarded networks, and what was expected (section 4.1)."""

from functools import partial

import numpy as np

from unit_clusters.clusters.modularity import EQUAL
from unit_clusters_paper.claims import comparison, quantities
from unit_clusters_paper.claims.intervals import Count, Estimate, Mean, Ratio, Values, ratio
from unit_clusters_paper.claims.networks import Networks
from unit_clusters_paper.claims.rules import HALF, IN_BAND, SD, UNNOTICED, VISIBLE, Claim, Row, above, below, single
from unit_clusters_paper.results.selection import PAPERS


def improved(q: Values, start: Values) -> Values:
    return np.where(np.isnan(q), np.nan, q - start > EQUAL)


def share_improved(networks: Networks, column: str) -> Mean:
    return quantities.mean_of_matrices(networks, improved, "q", column)


def gain_by_q(networks: Networks, column: str) -> Ratio:
    gain, q = (quantities.mean_of_matrices(networks, one, "q", column) for one in (np.subtract, lambda q, start: q))
    return ratio(gain, q)


def above_minus_below(networks: Networks, column: str) -> Mean:
    return quantities.mean_of_matrices(networks, quantities.better, "q", column)


def below_the_line(networks: Networks, column: str) -> Estimate:
    return quantities.below_the_line(networks, column, VISIBLE)


def l1_by_others(networks: Networks, column: str) -> Ratio:
    """L1's largest rise, by dropout's and L2's."""
    others, l1 = (
        quantities.averaged(quantities.rises(networks, column, "base", *names)) for names in (["dropout", "l2"], ["l1"])
    )
    return quantities.ratio_of_largest(l1, others)


def number_above_0(networks: Networks, column: str) -> Count:
    return Count(sum(np.nansum(values > 0) for (values,) in quantities.matrices(networks, column).values()))


def all_points(words: str) -> Row:
    """No point of a panel of Fig. S5 lies visibly below its diagonal."""
    return Row(
        "all",
        f"number of matrices with a Q* more than {VISIBLE:.0%} below {words}",
        below_the_line,
        below(1, "all points on or above the line means none below; nearer ones lie on it to the eye"),
        unit="matrices",
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
                unit="of the matrices",
            ),
            Row(
                "gain",
                "what Monte Carlo added to Q by Q*, means over matrices",
                gain_by_q,
                above(VISIBLE, "less lies on the diagonal of Fig. S5 to the eye"),
                "q_spectral",
                experiments=(),
                unit="times Q*",
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
                unit="of the matrices",
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
                unit="matrices",
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
                "networks",
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
        unit=SD,
    ),
    single(
        "hypothesis-3",
        "4.1",
        "wrong, mostly: L1 would increase modularity",
        "L1's largest rise of Q* by the largest of dropout and L2, mean of all measures",
        l1_by_others,
        below(HALF, "wrong if L1's effect is weak: less than half of that of one that was not expected to raise Q*"),
        unit="times the other's",
    ),
    Claim(
        "hypothesis-4",
        "4.1",
        "wrong: all measures would agree",
        [
            *(
                Row(
                    f"trends/{regularizer}",
                    f"size of what the measures' rises of Q* with {regularizer} have in common, by the size of what "
                    "each has for itself, over good strengths and layers",
                    partial(quantities.shared_trend_by_own, experiment="base", regularizer=regularizer),
                    below(1 / HALF, "with less of their own than half of what they share, the measures would agree"),
                    unit="times their own",
                )
                for regularizer in quantities.REGULARIZERS
            ),
            Row(
                "clusters",
                comparison.ON_WAY.format(f"{comparison.ELEMENT} across") + ", base",
                comparison.across_on_way,
                below(HALF, "wrong if nearer to what unrelated clusterings agree than to full agreement"),
                comparison.ELEMENT,
                unit=comparison.WAY,
            ),
        ],
        any_row=True,
    ),
]
