"""Claims of section 4.2: how modularity depends on regularisation (Experiment 1)."""

from functools import partial

import numpy as np

from unit_clusters.similarity.measures import FORMS, Form
from unit_clusters_paper.claims import quantities
from unit_clusters_paper.claims.intervals import Extreme, Mean, largest, lead, smallest
from unit_clusters_paper.claims.networks import Networks
from unit_clusters_paper.claims.rules import (
    HALF,
    IN_BAND,
    INFINITY,
    RARE,
    UNNOTICED,
    Claim,
    Effect,
    Row,
    above,
    below,
    single,
)

EITHER_SIGN = np.array([1.0, -1.0])


def upstream_rise_minus_downstream(networks: Networks, column: str) -> Extreme:
    rises = quantities.rises(networks, column, "base", "dropout")
    return lead(quantities.averaged(rises, quantities.UPSTREAM), quantities.averaged(rises, quantities.DOWNSTREAM))


def first_layer_minus_second(networks: Networks, column: str) -> Extreme:
    rises = quantities.rises(networks, column, "base", "dropout")
    return lead(quantities.averaged(rises, layers=[0]), quantities.averaged(rises, layers=[1]))


def growth_of_contrast(networks: Networks, column: str) -> Mean:
    group, strengths = networks.group("base"), quantities.good_strengths(networks, "base", "dropout", least=2)
    contrast = networks.mean("base", networks.values("base", column)[strengths])
    return quantities.fitted_change(
        quantities.averaged(contrast, [FORMS.index(Form("cov", True))]), quantities.doses(group, strengths)
    )


def half_of_dropout_minus_l1(networks: Networks, column: str) -> Extreme:
    dropout, l1 = (quantities.averaged(quantities.rises(networks, column, "base", name)) for name in ("dropout", "l1"))
    changes = l1[:, None] * EITHER_SIGN
    return largest(smallest(smallest(dropout[:, None, None] * HALF - changes[None])))


def l1_over_dropout(networks: Networks, column: str) -> float:
    dropout, l1 = (quantities.averaged(quantities.rises(networks, column, "base", name)) for name in ("dropout", "l1"))
    return quantities.share(largest(largest(l1[:, None] * EITHER_SIGN)), largest(dropout))


def half_of_l2_minus_distance(networks: Networks, column: str) -> Extreme:
    l1, l2 = (quantities.averaged(quantities.rises(networks, column, "base", name)) for name in ("l1", "l2"))
    return smallest(lead(l1, l2 * (1 - HALF)), lead(l2 * (1 + HALF), l1))


def l1_over_l2(networks: Networks, column: str) -> float:
    return quantities.share(
        *(largest(quantities.averaged(quantities.rises(networks, column, "base", name))) for name in ("l1", "l2"))
    )


def half_of_l1s_sparsity_minus_distance(networks: Networks, column: str) -> Extreme:
    l1, l2, start = quantities.at_strongest(networks, column, "base", "l1", "l2")
    return smallest((l1 - start) * HALF - (l1 - l2), (l1 - start) * HALF + (l1 - l2))


def l2s_sparsity_over_l1s(networks: Networks, column: str) -> float:
    l1, l2, start = quantities.at_strongest(networks, column, "base", "l1", "l2")
    return quantities.share(l2 - start, l1 - start)


def beside_q(networks: Networks, column: str) -> float:
    sizes = (quantities.size_at_largest_rise_of_q(networks, name, "base", "dropout") for name in (column, "q"))
    return quantities.share(*sizes)


CLAIMS = [
    Claim(
        "q-dropout-largest",
        "4.2, Fig. 3",
        "dropout's largest rise exceeds L2's and L1's, for each upstream measure, and overall",
        [
            Row(
                suffix,
                f"dropout's lead in Q*, {words}",
                partial(quantities.dropouts_lead, experiment="base", forms=forms),
                above(0),
            )
            for suffix, words, forms in [
                *((str(FORMS[place]).replace(" ", "-"), str(FORMS[place]), [place]) for place in quantities.UPSTREAM),
                ("overall", "mean of all measures", quantities.ALL),
            ]
        ],
    ),
    single(
        "q-dropout-upstream",
        "4.2, Fig. 3",
        "dropout's effect is especially apparent in the upstream measures",
        "dropout's largest rise of Q*, mean of the upstream measures, minus that of the downstream measures",
        upstream_rise_minus_downstream,
        above(0),
    ),
    single(
        "q-dropout-layer1",
        "4.2, Fig. S6",
        "dropout's rise is larger in the first hidden layer than in the second",
        "dropout's largest rise of Q* in layer 1 minus that in layer 2, mean of all measures",
        first_layer_minus_second,
        above(0),
    ),
    single(
        "redundancy",
        "4.2 (bold)",
        "dropout raises Q* by making units redundant: mean normalised covariance within clusters minus between "
        "clusters grows with dropout",
        "change of that contrast from the weakest to the strongest good dropout, along the least-squares line",
        growth_of_contrast,
        above(0),
        "contrast",
    ),
    single(
        "weights-dropout",
        "4.2",
        "dropout also raises the modularity of the graph of weights, as Filan et al. (2021) found",
        "dropout's rise of the modularity of the graph of absolute weights, mean of good strengths",
        partial(quantities.mean_rise_of_networks, experiment="base", regularizer="dropout"),
        above(0),
        "q_weights",
        effect=Effect("of modularity"),
    ),
    single(
        "q-l2-increases",
        "4.2, Fig. 3",
        "L2 raises Q*",
        "L2's rise of Q*, mean of all measures and good strengths",
        partial(quantities.mean_rise, experiment="base", regularizer="l2"),
        above(0),
    ),
    Claim(
        "q-l1-weak",
        "4.2, Fig. 3",
        "L1's effect is weak, and like L2's",
        [
            Row(
                "weak",
                "half of dropout's largest rise of Q* minus L1's largest rise or fall, mean of all measures",
                half_of_dropout_minus_l1,
                above(0, "weak is less than half of dropout's"),
                effect=Effect("of dropout's", l1_over_dropout),
            ),
            Row(
                "like-l2",
                "half of L2's largest rise of Q* minus the distance of L1's from it, mean of all measures",
                half_of_l2_minus_distance,
                above(0, "like L2's is between half of it and one and a half times of it"),
                effect=Effect("of L2's", l1_over_l2),
            ),
        ],
    ),
    single(
        "sparsity-alike",
        "4.2, Fig. S2",
        "L1 and L2 end in comparable weight sparsity",
        "half of what L1 adds to the baseline's sparsity minus the distance of L1's and L2's, at the strongest "
        "good L1 ({base l1}) and L2 ({base l2})",
        half_of_l1s_sparsity_minus_distance,
        above(0, "L2 adds between half and one and a half times what L1 adds"),
        "sparsity",
        effect=Effect("of what L1 adds", l2s_sparsity_over_l1s),
    ),
    Claim(
        "k-stable",
        "4.2, Figs. 3, S7",
        "dropout's effect on Q* goes with only minor changes to the number of clusters and their relative sizes",
        [
            Row(
                suffix,
                f"size of the change in {words}, in untrained standard deviations, over measures and layers, at the "
                "good dropout at which Q* rises most",
                partial(quantities.size_at_largest_rise_of_q, experiment="base", regularizer="dropout"),
                below(UNNOTICED, f"minor is {IN_BAND}"),
                column,
                effect=Effect("of that in Q*", beside_q),
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
                partial(quantities.share_of_clusterings, experiment=experiment, low=low, high=high),
                rule,
                column,
                (experiment,),
                effect=Effect("of clusterings"),
            )
            for experiment in ("base", "deep")
            for suffix, words, column, low, high, rule in [
                ("number", "1.5 to 6.5 clusters", "num_clusters", 1.5, 6.5, above(1 - RARE, "all but one in ten")),
                ("used", "more than 6 used", "used_clusters", 7, INFINITY, below(RARE, "less than one in ten")),
            ]
        ],
    ),
    single(
        "k-training",
        "Fig. S7",
        "training has little impact on the number of clusters",
        "size of the difference in number of clusters between trained and untrained networks, in untrained "
        "standard deviations, over good settings, measures and layers",
        partial(quantities.distance_from_untrained, experiment="base"),
        below(UNNOTICED, f"little is {IN_BAND}"),
        "num_clusters",
        effect=Effect("untrained SD"),
    ),
    Claim(
        "k-trends",
        "4.2, Fig. S7",
        "there are distinctive trends by type of similarity in the number of clusters",
        [
            Row(
                regularizer,
                f"size of what each measure's change in number of clusters with {regularizer} has for itself, minus "
                "half of what all measures have in common, over good strengths and layers",
                partial(quantities.own_trend_beyond, experiment="base", regularizer=regularizer, of_shared=HALF),
                above(0, "with less of their own than half of what they share, the measures would differ little"),
                "num_clusters",
                effect=Effect(
                    "untrained SD of its own",
                    partial(quantities.own_trend_in_sd, experiment="base", regularizer=regularizer),
                ),
            )
            for regularizer in quantities.REGULARIZERS
        ],
    ),
]
