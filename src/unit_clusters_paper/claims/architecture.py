"""Claims of section 4.3: wider and deeper networks (Experiments 2 and 3)."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from unit_clusters_paper.claims import quantities
from unit_clusters_paper.claims.intervals import Difference, Extreme, Mean, Ratio, largest, mean, ratio, smallest
from unit_clusters_paper.claims.networks import EARLY, Networks
from unit_clusters_paper.claims.rules import (
    ALIKE,
    HALF,
    SD,
    STEEP,
    UNNOTICED,
    Claim,
    Row,
    above,
    below,
    single,
)

EARLY_LAYERS, LATE_LAYERS = [0, 1], [3, 4]

L1_DOWNSTREAM = {"regularizer": "l1", "forms": quantities.DOWNSTREAM}

SMALL, BASE = "small networks that were trained alike", "base, trained long"
"""In words, what wide and deep networks are compared with, and what stands beside it."""


def like_trained(networks: Networks) -> str:
    """The experiment of base's architecture that is trained like wide and deep: EARLY, or base where there is none."""
    return EARLY if (EARLY, True) in networks.groups else "base"


def leads(
    networks: Networks,
    column: str,
    experiment: str,
    forms: Sequence[int] = quantities.ALL,
    only_shared: bool = False,
    small: str | None = None,
) -> tuple[Extreme, Extreme]:
    """Dropout's lead, and that in the small networks that are named, or that are `like_trained`.

    Each in its own sweeps, or at strengths that are good in both.
    """
    small = small or like_trained(networks)
    here, there = (
        quantities.dropouts_lead(networks, column, one, forms, shared_with=[other] if only_shared else [])
        for one, other in ((experiment, small), (small, experiment))
    )
    return here, there


def lead_beyond_small(networks: Networks, column: str, experiment: str, **options) -> Difference:
    return Difference(*leads(networks, column, experiment, **options))


def lead_by_small(networks: Networks, column: str, experiment: str, **options) -> Ratio:
    here, there = leads(networks, column, experiment, **options)
    return Ratio(lambda times: Difference(here, there, times), here.value, there.value)


def checks_of_lead(statistic: Callable, experiment: str, **options) -> dict:
    statistic = partial(statistic, experiment=experiment, **options)
    return {"strengths of both": partial(statistic, only_shared=True), BASE: partial(statistic, small="base")}


def rise_beyond_small(networks: Networks, column: str, experiment: str, small: str | None = None, **options) -> Mean:
    """A mean rise less that in the small networks that are named, or that are `like_trained`."""
    here, there = (
        quantities.mean_rise(networks, column, one, **options) for one in (experiment, small or like_trained(networks))
    )
    return here - there


def early_minus_late(networks: Networks, column: str, forms: Sequence[int]) -> Mean:
    early, late = (
        quantities.last_rise(networks, column, "deep", "dropout", forms, layers)
        for layers in (EARLY_LAYERS, LATE_LAYERS)
    )
    return early - late


def early_lead_minus_late(networks: Networks, column: str) -> Extreme:
    """The leads of Fig. S9: dropout's rise minus the larger of L2's and L1's, at their strongest good strengths."""
    early, late = (
        [
            quantities.last_rise(networks, column, "deep", "dropout", quantities.UPSTREAM, layers)
            - quantities.last_rise(networks, column, "deep", name, quantities.UPSTREAM, layers)
            for name in ("l2", "l1")
        ]
        for layers in (EARLY_LAYERS, LATE_LAYERS)
    )
    return smallest(*(largest(*(one - other for other in late)) for one in early))


def likeness_of_trends(networks: Networks, column: str, experiment: str, small: str | None = None) -> Ratio:
    """How like the mean rises in small networks those of each seed are, by how like them another small seed's are.

    The small networks are those that are named, or that are `like_trained`.
    """
    small = small or like_trained(networks)
    found = [_likenesses(networks, column, experiment, small, name) for name in quantities.REGULARIZERS]
    return ratio(*(quantities.sum_of(some) for some in zip(*found, strict=True)))


def _likenesses(networks: Networks, column: str, experiment: str, small: str, regularizer: str) -> tuple[Mean, Mean]:
    """Rank correlations over measures and shared strengths: of each seed, and of each small one with all others."""
    here, there = (
        np.moveaxis(
            mean(quantities.rises_by_seed(networks, column, one, regularizer, shared_with=[other]), axis=2), 1, 0
        )
        for one, other in ((experiment, small), (small, experiment))
    )
    seeds, smalls = here.reshape(len(here), -1), there.reshape(len(there), -1)
    curves = np.broadcast_to(mean(smalls, axis=0), seeds.shape)
    others = np.array([mean(np.delete(smalls, seed, axis=0), axis=0) for seed in range(len(smalls))])
    return (
        Mean.of((experiment, True), quantities.rank_correlation(seeds, curves)),
        Mean.of((small, True), quantities.rank_correlation(smalls, others)),
    )


CLAIMS = [
    Claim(
        "trends-remain",
        "4.3, Fig. 4",
        "many of the qualitative trends of Q* with regularisation remain in wide and deep networks",
        [
            Row(
                experiment,
                f"rank correlation of a {experiment} network's rises of Q* with the mean rises in {SMALL}, by that of "
                "another small network's, over measures and the strengths that are good in both; mean of seeds and "
                "regularisers",
                partial(likeness_of_trends, experiment=experiment),
                above(ALIKE, "a seed's own noise bounds both; of what is left, as in agree-scores-alike"),
                experiments=(experiment,),
                unit="times a small network's",
                checks={BASE: partial(likeness_of_trends, experiment=experiment, small="base")},
            )
            for experiment in ("wide", "deep")
        ],
    ),
    Claim(
        "wide-attenuated",
        "4.3, Fig. 4",
        "in wide networks dropout still raises Q*, but its lead shrinks",
        [
            Row(
                "rise",
                "dropout's rise of Q*, wide, mean of all measures and good strengths",
                partial(quantities.mean_rise, experiment="wide", regularizer="dropout"),
                above(0),
                experiments=("wide",),
            ),
            Row(
                "lead",
                f"dropout's lead in wide minus that in {SMALL}, mean of all measures",
                partial(lead_beyond_small, experiment="wide"),
                below(0),
                experiments=("wide",),
                checks=checks_of_lead(lead_beyond_small, "wide"),
            ),
            Row(
                "greatly",
                f"dropout's lead in wide by that in {SMALL}, mean of all measures",
                partial(lead_by_small, experiment="wide"),
                below(HALF, "greatly attenuated is less than half"),
                experiments=("wide",),
                unit="times the small networks'",
                checks=checks_of_lead(lead_by_small, "wide"),
            ),
        ],
    ),
    Claim(
        "wide-l1-downstream",
        "4.3, Fig. 4",
        "in wide networks L1 begins to raise Q* for downstream measures",
        [
            Row(
                "rise",
                "L1's rise of Q*, wide, mean of the downstream measures and good strengths",
                partial(quantities.mean_rise, experiment="wide", **L1_DOWNSTREAM),
                above(0),
                experiments=("wide",),
            ),
            Row(
                "more",
                f"that rise minus the one in {SMALL}",
                partial(rise_beyond_small, experiment="wide", **L1_DOWNSTREAM),
                above(0, "what begins in wide networks is less in small ones"),
                experiments=("wide",),
                checks={BASE: partial(rise_beyond_small, experiment="wide", small="base", **L1_DOWNSTREAM)},
            ),
        ],
    ),
    single(
        "wide-l1-degrades",
        "4.3, Fig. S3",
        "too large L1 quickly degrades wide networks' performance",
        "largest fall of mean test accuracy from one L1 strength to the next, wide, of all trained networks",
        partial(quantities.steepest_fall, experiment="wide", regularizer="l1"),
        above(STEEP, "quickly is ten percentage points in one step"),
        "test_accuracy",
        experiments=("wide",),
        unit="of the test images",
    ),
    single(
        "deep-exaggerated",
        "4.3, Fig. 4",
        "in deep networks dropout's lead grows, for upstream measures",
        f"dropout's lead in deep minus that in {SMALL}, mean of the upstream measures",
        partial(lead_beyond_small, experiment="deep", forms=quantities.UPSTREAM),
        above(0),
        experiments=("deep",),
        checks=checks_of_lead(lead_beyond_small, "deep", forms=quantities.UPSTREAM),
    ),
    single(
        "deep-lead-early",
        "4.3, Fig. S9",
        "and this lead is primarily driven by layers early in the network",
        "dropout's lead in layers 1-2 minus that in 4-5, mean of the upstream measures, each regulariser at "
        "its strongest good strength",
        early_lead_minus_late,
        above(0),
        experiments=("deep",),
    ),
    single(
        "deep-early",
        "4.3, Fig. S9",
        "there dropout's rise of upstream measures is larger in early than in late layers",
        "rise at the strongest good dropout ({deep dropout}) in layers 1-2 minus that in 4-5, mean of the "
        "upstream measures",
        partial(early_minus_late, forms=quantities.UPSTREAM),
        above(0),
        experiments=("deep",),
    ),
    single(
        "deep-late-downstream",
        "4.3, Fig. S9",
        "and its rise of downstream measures is larger in late than in early layers",
        "rise at the strongest good dropout ({deep dropout}) in layers 1-2 minus that in 4-5, mean of the "
        "downstream measures",
        partial(early_minus_late, forms=quantities.DOWNSTREAM),
        below(0),
        experiments=("deep",),
    ),
    *(
        single(
            id,
            where,
            f"{words} of untrained networks depends on depth",
            f"size, over measures, of the difference in {words} between the two layers of untrained deep "
            "networks that differ most, in standard deviations within a layer",
            partial(quantities.depth_of_untrained, experiment="deep"),
            above(UNNOTICED, "with less, the grey bands of the layers look alike"),
            column,
            experiments=(),
            unit=SD,
        )
        for id, where, words, column in [
            ("null-depth", "Fig. S9", "Q*", "q"),
            ("null-depth-k", "Fig. S10", "number of clusters", "num_clusters"),
        ]
    ),
]
