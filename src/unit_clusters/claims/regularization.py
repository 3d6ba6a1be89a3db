"""Claims of section 4.2: how modularity depends on regularisation (Experiment 1)."""

from functools import partial

import numpy as np
from jaxtyping import Float

from unit_clusters.claims import quantities as of
from unit_clusters.claims.networks import Sample, mean
from unit_clusters.claims.rules import HALF, IN_BAND, INFINITY, RARE, UNNOTICED, Claim, Row, above, below
from unit_clusters.measures import FORMS, Form


def first_layer_minus_second(sample: Sample) -> Float[np.ndarray, " samples"]:
    first, second = (of.largest_rise(sample, "base", "dropout", layers=[layer]) for layer in (0, 1))
    return first - second


def growth_of_contrast(sample: Sample) -> Float[np.ndarray, " samples"]:
    group, strengths = sample.group("base"), of.good_strengths(sample, "base", "dropout", least=2)
    contrast = group["contrast"][strengths][..., [FORMS.index(Form("cov", True))]]
    return of.fitted_change(mean(sample.mean(group, contrast), axis=(2, 3)), of.doses(group, strengths))


def l1_over_dropout(sample: Sample) -> Float[np.ndarray, " samples"]:
    return of.share(*(of.largest_size(sample, "base", name) for name in ("l1", "dropout")))


def distance_from_l2_minus_from_dropout(sample: Sample) -> Float[np.ndarray, " samples"]:
    l2, l1, dropout = (of.largest_rise(sample, "base", name) for name in ("l2", "l1", "dropout"))
    return np.abs(l1 - l2) - np.abs(l1 - dropout)


CLAIMS = [
    Claim(
        "q-dropout-largest",
        "4.2, Fig. 3",
        "dropout's largest rise exceeds L2's and L1's, for each upstream measure, and overall",
        [
            Row(suffix, f"dropout's lead in Q*, {words}", partial(of.lead, experiment="base", forms=forms), above(0))
            for suffix, words, forms in [
                *((str(FORMS[place]).replace(" ", "-"), str(FORMS[place]), [place]) for place in of.UPSTREAM),
                ("overall", "mean of all measures", of.ALL),
            ]
        ],
    ),
    Claim(
        "q-dropout-layer1",
        "4.2, Fig. S6",
        "dropout's rise is larger in the first hidden layer than in the second",
        [
            Row(
                "",
                "dropout's largest rise of Q* in layer 1 minus that in layer 2, mean of all measures",
                first_layer_minus_second,
                above(0),
            )
        ],
    ),
    Claim(
        "redundancy",
        "4.2 (bold)",
        "dropout raises Q* by making units redundant: mean normalised covariance within clusters minus between "
        "clusters grows with dropout",
        [
            Row(
                "",
                "change of that contrast from the weakest to the strongest good dropout, along the least-squares line",
                growth_of_contrast,
                above(0),
            )
        ],
    ),
    Claim(
        "q-l2-increases",
        "4.2, Fig. 3",
        "L2 raises Q*",
        [
            Row(
                "",
                "L2's rise of Q*, mean of all measures and good strengths",
                partial(of.mean_rise, experiment="base", regularizer="l2"),
                above(0),
            )
        ],
    ),
    Claim(
        "q-l1-weak",
        "4.2, Fig. 3",
        "L1's effect is weak, and like L2's",
        [
            Row(
                "weak",
                "L1's largest rise or fall of Q* as a share of dropout's, mean of all measures",
                l1_over_dropout,
                below(HALF, "weak is less than half of dropout's"),
            ),
            Row(
                "like-l2",
                "distance of L1's largest rise of Q* from L2's minus its distance from dropout's, mean of all measures",
                distance_from_l2_minus_from_dropout,
                below(0, "like L2's is nearer to it than to dropout's"),
            ),
        ],
    ),
    Claim(
        "sparsity-alike",
        "4.2, Fig. S2",
        "L1 and L2 end in comparable weight sparsity",
        [
            Row(
                "",
                "distance of sparsities at the strongest good L1 and L2, as a share of L1's above the baseline's",
                of.sparsity_apart,
                below(HALF, "L2 adds between half and one and a half times what L1 adds"),
            )
        ],
    ),
    Claim(
        "k-stable",
        "4.2, Figs. 3, S7",
        "dropout hardly changes the number of clusters, nor their relative sizes",
        [
            Row(
                suffix,
                f"dropout's largest change in {words}, in untrained standard deviations, mean of measures and layers",
                partial(of.largest_change_in_sd, experiment="base", regularizer="dropout", column=column),
                below(UNNOTICED, f"hardly is {IN_BAND}"),
            )
            for suffix, words, column in [
                ("number", "number of clusters, eq. (8)", "num_clusters"),
                ("sizes", "largest cluster's share of units", "largest_share"),
            ]
        ],
    ),
    Claim(
        "k-range",
        "3.2, Fig. S7",
        "64-unit layers have about 2 to 6 clusters by eq. (8) (S7), and rarely use more than 6 (3.2; used_clusters)",
        [
            Row(
                f"{experiment}/{suffix}",
                f"share of clusterings with {words}, {experiment}",
                partial(of.share_of_clusterings, experiment=experiment, column=column, low=low, high=high),
                rule,
                experiment,
            )
            for experiment in ("base", "deep")
            for suffix, words, column, low, high, rule in [
                ("number", "1.5 to 6.5 clusters", "num_clusters", 1.5, 6.5, above(1 - RARE, "all but one in ten")),
                ("used", "more than 6 used", "used_clusters", 7, INFINITY, below(RARE, "less than one in ten")),
            ]
        ],
    ),
    Claim(
        "k-training",
        "Fig. S7",
        "training has little impact on the number of clusters",
        [
            Row(
                "",
                "distance between mean numbers of clusters of trained and untrained networks, in untrained standard "
                "deviations, mean of good settings, measures and layers",
                partial(of.distance_from_untrained, experiment="base", column="num_clusters"),
                below(UNNOTICED, f"little is {IN_BAND}"),
            )
        ],
    ),
]
