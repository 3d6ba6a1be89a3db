"""Claims of section 4.2: how modularity depends on regularisation (Experiment 1)."""

from functools import partial

import numpy as np

from unit_clusters.similarity.measures import FORMS, Form
from unit_clusters_paper.claims import quantities
from unit_clusters_paper.claims.intervals import Difference, Extreme, Mean, Ratio, lead, ratio
from unit_clusters_paper.claims.networks import Networks
from unit_clusters_paper.claims.rules import (
    HALF,
    INFINITY,
    MODERATE,
    RARE,
    UNNOTICED,
    Claim,
    Row,
    above,
    below,
    between,
    single,
)


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


def l1_by_dropout(networks: Networks, column: str) -> Ratio:
    """L1's largest rise or fall, by dropout's largest rise."""
    l1, dropout = (quantities.rises_by_seed(networks, column, "base", name) for name in ("l1", "dropout"))
    either, dropout = (networks.mean("base", rises) for rises in (np.concatenate([l1, -l1]), dropout))
    return quantities.ratio_of_largest(quantities.averaged(either), quantities.averaged(dropout))


def l1_by_l2(networks: Networks, column: str) -> Ratio:
    l1, l2 = (quantities.averaged(quantities.rises(networks, column, "base", name)) for name in ("l1", "l2"))
    return quantities.ratio_of_largest(l1, l2)


def l2s_sparsity_by_l1s(networks: Networks, column: str) -> Ratio:
    l1, l2, start = quantities.at_strongest(networks, column, "base", "l1", "l2")
    return ratio(l2 - start, l1 - start)


def beside_q(networks: Networks, column: str) -> Ratio:
    """A change in untrained standard deviations, by that of Q*, where dropout raises Q* most."""
    here, of_q = (quantities.size_at_largest_rise_of_q(networks, name, "base", "dropout") for name in (column, "q"))
    return Ratio(lambda times: Difference(here, of_q, times, independent=False), here.value, of_q.value)


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
                "L1's largest rise or fall of Q* by dropout's largest rise, mean of all measures",
                l1_by_dropout,
                below(HALF, "weak is less than half of dropout's"),
                unit="times dropout's",
            ),
            Row(
                "like-l2",
                "L1's largest rise of Q* by L2's, mean of all measures",
                l1_by_l2,
                between(1 - HALF, 1 + HALF, "like L2's is between half of it and one and a half times of it"),
                unit="times L2's",
            ),
        ],
    ),
    single(
        "sparsity-alike",
        "4.2, Fig. S2",
        "L1 and L2 end in comparable weight sparsity",
        "what L2 adds to the baseline's sparsity by what L1 adds, at the strongest good L1 ({base l1}) and L2 "
        "({base l2})",
        l2s_sparsity_by_l1s,
        between(1 - HALF, 1 + HALF, "L2 adds between half and one and a half times what L1 adds"),
        "sparsity",
        unit="times L1's",
    ),
    Claim(
        "k-stable",
        "4.2, Figs. 3, S7",
        "dropout's effect on Q* goes with only minor changes to the number of clusters and their relative sizes",
        [
            Row(
                suffix,
                f"size of the change in {words}, by that of the change in Q*, both in untrained standard deviations, "
                "over measures and layers, at the good dropout at which Q* rises most",
                beside_q,
                below(MODERATE[0], "minor, beside a dramatic effect, is close to none of it"),
                column,
                unit="times that of Q*",
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
                unit="of clusterings",
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
        "for the most part, training has little impact on the number of clusters",
        "share of clusterings, at good settings, whose number of clusters is within one standard deviation of the mean "
        "of untrained networks",
        partial(quantities.share_near_untrained, experiment="base", within=UNNOTICED),
        above(HALF, "the most part; little is in the inner gray band of the figure, one standard deviation"),
        "num_clusters",
        unit="of clusterings",
    ),
    Claim(
        "k-trends",
        "4.2, Fig. S7",
        "there are distinctive trends by type of similarity in the number of clusters",
        [
            Row(
                regularizer,
                f"size of what the measures' changes in number of clusters with {regularizer} have in common, by the "
                "size of what each has for itself, over good strengths and layers",
                partial(quantities.shared_trend_by_own, experiment="base", regularizer=regularizer),
                below(1 / HALF, "with less of their own than half of what they share, they would differ little"),
                "num_clusters",
                unit="times their own",
            )
            for regularizer in quantities.REGULARIZERS
        ],
    ),
]
