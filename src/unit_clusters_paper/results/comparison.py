"""How far the clusters in the layers of networks agree, as rows of agreement.csv and repeats.csv."""

from collections.abc import Mapping, Sequence
from itertools import combinations

from unit_clusters.clusters.agreement import Agreement, Repeats, compare_repeats
from unit_clusters.clusters.rows import pair_rows
from unit_clusters.similarity.measures import PAIR_COLUMNS, Form, Matrices, by_form
from unit_clusters_paper.results.layer_files import Searches, each_network
from unit_clusters_paper.results.other_scores import OtherScores, other_scores
from unit_clusters_paper.results.turned_axes import ROTATED, UNRELATED, rotated_agreement, unrelated_partitions
from unit_clusters_paper.runs.columns import RUN_COLUMNS

*AGREEING, SPEARMAN = Agreement._fields
AGREEMENT = (*RUN_COLUMNS, "layer", *PAIR_COLUMNS, *AGREEING, *OtherScores._fields, SPEARMAN, ROTATED, UNRELATED)
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
        rotated = rotated_agreement(run["id"], layer, matrices, searches, settings)
        unrelated = unrelated_partitions(run["id"], layer, matrices, searches, settings)
        null = (dict(zip((ROTATED, UNRELATED), scores, strict=True)) for scores in zip(rotated, unrelated, strict=True))
        between += [here | row | more | last for row, more, last in zip(rows, others, null, strict=True)]
        for form, single, again, halves in zip(forms, searches.labels, searches.again, searches.halves, strict=True):
            within.append(here | form._asdict() | compare_repeats(single, again, halves)._asdict())
    return between, within
