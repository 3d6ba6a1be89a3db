"""The null model of turned axes (`clusters.turned`) for the layers of networks."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float, Int

from unit_clusters.clusters.agreement import element_similarities
from unit_clusters.clusters.modularity import UNUSED, adjacency
from unit_clusters.clusters.restarts import DEALS
from unit_clusters.clusters.search import Clustering, degrees_of, iterated_tabu_search
from unit_clusters.clusters.shared import Side, named, one_partition, side
from unit_clusters.clusters.turned import rotation, turned, turned_clusters
from unit_clusters.similarity.measures import Form, Matrices, by_form, in_form
from unit_clusters.streams import stream
from unit_clusters_paper.results.layer_files import Searches

ROTATED = "element_similarity_rotated"
"""Of the units that are live under both measures, in axes that are turned alike for both, corrected for chance: the
mean over rotations. NaN where there are none, or fewer than two such units."""

UNRELATED = "one_partition_unrelated"
"""What `one_partition` is with the second measure's matrix in turned axes, and so unrelated to the first's. NaN where
there are no rotations, or without live units.
"""


def turned_in(
    run: str,
    layer: int,
    signed: Float[np.ndarray, "units units"],
    form: Form,
    units: Bool[np.ndarray, " units"],
    settings: Mapping,
) -> list[Clustering]:
    """`turned_clusters` of a layer of a run. As many units are turned alike, whatever the form."""
    numbers, live = range(settings["rotations"]), int(units.sum())
    rotations = [rotation_of(run, layer, live, number) for number in numbers]
    searches = [stream(run, "turned clusters", layer, str(form), live, number) for number in numbers]
    return turned_clusters(signed, form, units, rotations, searches, settings["steps"], settings["entropy"])


@lru_cache(maxsize=100)
def rotation_of(run: str, layer: int, units: int, number: int) -> Float[np.ndarray, "units units"]:
    """A rotation of so many units."""
    return rotation(units, stream(run, "turned axes", layer, number))


def rotated_agreement(run: str, layer: int, signed: Matrices, searches: Searches, settings: Mapping) -> Iterator[float]:
    """The agreement in turned axes, of each pair of forms."""
    forms, live = list(by_form(signed)), searches.labels != UNUSED
    # By form and units: those of all live units are known, those of the units live under another form, too, are found.
    found = {
        (form, units.tobytes()): labels[:, units]
        for form, units, labels in zip(forms, live, searches.turned, strict=True)
    }

    def clusters(form: Form, units: Bool[np.ndarray, " units"]) -> Int[np.ndarray, "rotations live"]:
        key = form, units.tobytes()
        if key not in found:
            searched = turned_in(run, layer, signed[form.measure], form, units, settings)
            found[key] = np.array([rotation.labels for rotation in searched])
        return found[key]

    for (a, live_a), (b, live_b) in combinations(zip(forms, live, strict=True), 2):
        both = live_a & live_b
        pairs = zip(clusters(a, both), clusters(b, both), strict=True) if both.sum() > 1 else ()
        scores = [element_similarities(*pair)[1] for pair in pairs]
        yield float(np.mean(scores)) if scores else float("nan")


def unrelated_partitions(
    run: str, layer: int, signed: Matrices, searches: Searches, settings: Mapping
) -> Iterator[float]:
    """`one_partition` with the second of each pair of forms in turned axes, in the first of the rotations."""
    forms = by_form(signed)
    real = [side(adjacency(matrix), best) for matrix, best in zip(forms.values(), searches.best, strict=True)]
    if not settings["rotations"]:
        yield from (float("nan") for _ in combinations(real, 2))
        return
    null = [
        _turned_best(run, layer, signed[form.measure], form, labels, first)
        for form, labels, first in zip(forms, searches.labels, searches.turned[:, 0], strict=True)
    ]
    for (a, _), (_, turned_b) in combinations(zip(real, null, strict=True), 2):
        yield one_partition(a, turned_b)[0]


def _turned_best(
    run: str,
    layer: int,
    signed: Float[np.ndarray, "units units"],
    form: Form,
    labels: Int[np.ndarray, " units"],
    found: Int[np.ndarray, " units"],
) -> Side:
    """A~ in turned axes, in the places of live units, and the best clusters there: the single search's, searched on."""
    live = np.flatnonzero(labels != UNUSED)
    weights = np.zeros_like(signed, dtype=np.float64)
    if len(live) > 1:
        places = np.ix_(live, live)
        part = adjacency(
            in_form(turned(signed[places].astype(np.float64), rotation_of(run, layer, len(live), 0)), form)
        )
        start, rng = named(found[live]), stream(run, "turned best", layer, str(form))
        found = found.copy()
        weights[places], found[live] = part, iterated_tabu_search(part, degrees_of(part), start, DEALS, rng)
    return side(weights, found)
