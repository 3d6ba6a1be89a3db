"""Claims of section 4.3: wider and deeper networks (Experiments 2 and 3)."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from jaxtyping import Float

from unit_clusters.claims import quantities as of
from unit_clusters.claims.networks import Sample
from unit_clusters.claims.rules import HALF, STEEP, UNNOTICED, Claim, Row, above, below


def lead_beyond_base(
    sample: Sample, experiment: str, forms: Sequence[int] = of.ALL, share: float = 1.0
) -> Float[np.ndarray, " samples"]:
    """Dropout's lead minus a share of that in base networks, both at strengths that both experiments have."""
    here = of.lead(sample, experiment, forms, shared_with=["base"])
    return here - share * of.lead(sample, "base", forms, shared_with=[experiment])


def early_minus_late(sample: Sample, forms: Sequence[int]) -> Float[np.ndarray, " samples"]:
    early, late = (of.last_rise(sample, "deep", "dropout", forms, layers) for layers in ([0, 1], [3, 4]))
    return early - late


CLAIMS = [
    Claim(
        "wide-attenuated",
        "4.3, Fig. 4",
        "in wide networks dropout still raises Q*, but its lead shrinks",
        [
            Row(
                "rise",
                "dropout's rise of Q*, wide, mean of all measures and good strengths",
                partial(of.mean_rise, experiment="wide", regularizer="dropout"),
                above(0),
                "wide",
            ),
            Row(
                "lead",
                "dropout's lead in wide minus that in base, mean of all measures, at shared strengths",
                partial(lead_beyond_base, experiment="wide"),
                below(0),
                "wide",
            ),
            Row(
                "greatly",
                "dropout's lead in wide minus half of that in base, mean of all measures, at shared strengths",
                partial(lead_beyond_base, experiment="wide", share=HALF),
                below(0, "greatly attenuated is less than half"),
                "wide",
            ),
        ],
    ),
    Claim(
        "wide-l1-downstream",
        "4.3, Fig. 4",
        "in wide networks L1 raises Q* for downstream measures",
        [
            Row(
                "",
                "L1's rise of Q*, wide, mean of the downstream measures and good strengths",
                partial(of.mean_rise, experiment="wide", regularizer="l1", forms=of.DOWNSTREAM),
                above(0),
                "wide",
            )
        ],
    ),
    Claim(
        "wide-l1-degrades",
        "4.3, Fig. S3",
        "too large L1 quickly degrades wide networks' performance",
        [
            Row(
                "",
                "largest fall of mean test accuracy from one L1 strength to the next, wide, of all trained networks",
                partial(of.steepest_fall_of_accuracy, experiment="wide", regularizer="l1"),
                above(STEEP, "quickly is ten percentage points in one step"),
                "wide",
            )
        ],
    ),
    Claim(
        "deep-exaggerated",
        "4.3, Fig. 4",
        "in deep networks dropout's lead grows, for upstream measures",
        [
            Row(
                "",
                "dropout's lead in deep minus that in base, mean of the upstream measures, at shared strengths",
                partial(lead_beyond_base, experiment="deep", forms=of.UPSTREAM),
                above(0),
                "deep",
            )
        ],
    ),
    Claim(
        "deep-early",
        "4.3, Fig. S9",
        "there dropout's rise of upstream measures is larger in early than in late layers",
        [
            Row(
                "",
                "rise at the strongest good dropout in layers 1-2 minus that in 4-5, mean of the upstream measures",
                partial(early_minus_late, forms=of.UPSTREAM),
                above(0),
                "deep",
            )
        ],
    ),
    Claim(
        "deep-late-downstream",
        "4.3, Fig. S9",
        "and its rise of downstream measures is larger in late than in early layers",
        [
            Row(
                "",
                "rise at the strongest good dropout in layers 1-2 minus that in 4-5, mean of the downstream measures",
                partial(early_minus_late, forms=of.DOWNSTREAM),
                below(0),
                "deep",
            )
        ],
    ),
    Claim(
        "null-depth",
        "Figs. S9, S10",
        "Q* of untrained networks depends on depth",
        [
            Row(
                "",
                "range of the layers' mean Q* in untrained deep networks, in standard deviations within a layer, mean "
                "of all measures",
                partial(of.spread_over_layers, experiment="deep"),
                above(UNNOTICED, "with less, the grey bands of the layers look alike"),
                None,
            )
        ],
    ),
]
