"""Claims about the search for clusters (Fig. S5), discarded networks, and what was expected (section 4.1)."""

from functools import partial

import numpy as np
from jaxtyping import Float

from unit_clusters.claims import quantities as of
from unit_clusters.claims.networks import Sample, mean
from unit_clusters.claims.rules import (
    ALIKE,
    HALF,
    IN_BAND,
    SHARED_RANKS,
    UNNOTICED,
    VISIBLE,
    Claim,
    Row,
    above,
    below,
)


def largest_rise_in_sd(sample: Sample, regularizer: str) -> Float[np.ndarray, " samples"]:
    return of.largest(mean(of.rises_in_sd(sample, "base", regularizer, "q"), axis=(2, 3)))


SEARCH = [
    Claim(
        "mc-improves",
        "Fig. S5 left",
        "Monte Carlo improves on the spectral start: share of matrices strictly improved, and median gain",
        [
            Row(
                "share",
                "share of matrices on which Monte Carlo raised Q",
                partial(of.mean_of_matrices, values=of.improved),
                above(HALF, "most matrices"),
                None,
            ),
            Row(
                "gain",
                "median over matrices of the share of Q* that Monte Carlo added",
                partial(of.median_of_matrices, values=of.gain),
                above(VISIBLE, "less lies on the diagonal of Fig. S5 to the eye"),
                None,
            ),
        ],
    ),
    Claim(
        "spectral-helps",
        "Fig. S5 right",
        "starting from the spectral partition beats starting from one cluster: at the paper's 1,000 steps, and, since "
        "that is confounded with 5,000, at equal steps",
        [
            Row(
                suffix,
                f"share of matrices where Q* is above that from one cluster in {words}, minus share where below",
                partial(of.mean_of_matrices, values=partial(of.better_than, column)),
                above(0),
                None,
            )
            for suffix, words, column in [
                ("1000-steps", "1,000 steps", "q_from_one_cluster"),
                ("equal-steps", "as many steps", "q_from_one_cluster_full"),
            ]
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
                partial(of.discarded_at_weaker, experiment=experiment),
                below(1, "only there means none elsewhere"),
                experiment,
            )
            for experiment in of.EXPERIMENTS
        ],
    ),
    Claim(
        "hypothesis-1",
        "4.1",
        "wrong: dropout would decrease modularity",
        [
            Row(
                "",
                "dropout's rise of Q*, mean of all measures and good strengths",
                partial(of.mean_rise, experiment="base", regularizer="dropout"),
                above(0, "wrong if there is no decrease"),
            )
        ],
    ),
    Claim(
        "hypothesis-2",
        "4.1",
        "wrong: L2 would hardly matter",
        [
            Row(
                "",
                "L2's largest change of Q*, in untrained standard deviations, mean of measures and layers",
                partial(of.largest_change_in_sd, experiment="base", regularizer="l2", column="q"),
                above(UNNOTICED, f"wrong if not {IN_BAND}"),
            )
        ],
    ),
    Claim(
        "hypothesis-3",
        "4.1",
        "wrong, mostly: L1 would increase modularity",
        [
            Row(
                "",
                "L1's largest rise of Q*, in untrained standard deviations, mean of measures and layers",
                partial(largest_rise_in_sd, regularizer="l1"),
                below(UNNOTICED, f"wrong if {IN_BAND}"),
            )
        ],
    ),
    Claim(
        "hypothesis-4",
        "4.1",
        "wrong: all measures would agree",
        [
            Row(
                "trends",
                "rank correlation over good settings of mean Q* by an upstream and a downstream measure, mean of pairs",
                of.likeness_of_trends,
                below(ALIKE, f"wrong if not {SHARED_RANKS}"),
            ),
            *(
                Row(
                    f"clusters/{units}",
                    f"{score} across, base",
                    partial(of.agreement, experiment="base", pairs=of.ACROSS, score=score),
                    below(HALF, "wrong if nearer to no agreement, 0, than to full agreement, 1"),
                )
                for units, score in of.SCORES.items()
            ),
        ],
    ),
]
