"""How far the clusters in the layers of networks agree, as rows of agreement.csv and repeats.csv."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Int

from unit_clusters.clusters.agreement import Agreement, Repeats, compare_repeats, element_similarities
from unit_clusters.clusters.modularity import UNUSED
from unit_clusters.clusters.rows import pair_rows
from unit_clusters.similarity.measures import PAIR_COLUMNS, Form, Matrices, by_form
from unit_clusters_paper.results.clustering import turned_in
from unit_clusters_paper.results.layer_files import Searches, each_network
from unit_clusters_paper.results.other_scores import OtherScores, other_scores
from unit_clusters_paper.runs.columns import RUN_COLUMNS

ROTATED = "element_similarity_rotated"
"""Of the units that are live under both measures, in axes that are turned alike for both, corrected for chance: the
mean over rotations. NaN where there are none, or fewer than two such units."""

*AGREEING, SPEARMAN = Agreement._fields
AGREEMENT = (*RUN_COLUMNS, "layer", *PAIR_COLUMNS, *AGREEING, *OtherScores._fields, SPEARMAN, ROTATED)
REPEATS = (*RUN_COLUMNS, "layer", *Form._fields, *Repeats._fields)
"""Columns of the tables of that name."""


def compare_layers(
    layers: Sequence[Sequence[Matrices]], labels: Sequence[Searches], runs: Sequence[Mapping], settings: Mapping
) -> tuple[list[dict], list[dict]]:
    """The rows of agreement.csv and of repeats.csv for all layers of a cohort; `labels` are by layer.

    Of the settings, `steps`, `entropy` and `rotations` are for the turned axes.
    """
    between, within = [], []
    networks = [Searches(*network) for searches in labels for network in zip(*searches, strict=True)]
    for (layer, run, matrices), searches in zip(each_network(layers, runs), networks, strict=True):
        here, forms = run | {"layer": layer}, by_form(matrices)
        rows = pair_rows(forms, searches.labels, searches.best)
        others = (other_scores(*pair)._asdict() for pair in combinations(searches.labels, 2))
        turned = ({ROTATED: score} for score in _rotated(run["id"], layer, matrices, searches, settings))
        between += [here | row | more | last for row, more, last in zip(rows, others, turned, strict=True)]
        for form, single, again, halves in zip(forms, searches.labels, searches.again, searches.halves, strict=True):
            within.append(here | form._asdict() | compare_repeats(single, again, halves)._asdict())
    return between, within


def _rotated(run: str, layer: int, signed: Matrices, searches: Searches, settings: Mapping) -> Iterator[float]:
    """The agreement in turned axes, of each pair of forms."""
    forms, live = list(by_form(signed)), searches.labels != UNUSED
    # By form and units: those of all live units are known, those of the units live under another form, too, are found.
    found = {
        (form, units.tobytes()): turned[:, units]
        for form, units, turned in zip(forms, live, searches.turned, strict=True)
    }

    def turned(form: Form, units: Bool[np.ndarray, " units"]) -> Int[np.ndarray, "rotations live"]:
        key = form, units.tobytes()
        if key not in found:
            clusters = turned_in(run, layer, signed[form.measure], form, units, settings)
            found[key] = np.array([rotation.labels for rotation in clusters])
        return found[key]

    for (a, live_a), (b, live_b) in combinations(zip(forms, live, strict=True), 2):
        both = live_a & live_b
        pairs = zip(turned(a, both), turned(b, both), strict=True) if both.sum() > 1 else ()
        scores = [element_similarities(*pair)[1] for pair in pairs]
        yield float(np.mean(scores)) if scores else float("nan")
