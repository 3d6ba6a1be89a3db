"""The tables as arrays by setting and seed, and samples of their seeds."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from unit_clusters.measures import FORMS
from unit_clusters.streams import stream
from unit_clusters.sweep import UNTRAINED

MIN_TEST_ACCURACY = 0.80
"""Trained networks below it, or whose accuracy is NaN, are discarded (section 4.1)."""

MIN_SEEDS = 2
"""A single seed gives no interval."""

PAIRS = tuple(combinations(FORMS, 2))
"""The 28 pairs of forms, in the order of agreement.csv."""

_SETTING = ["regularizer", "strength"]
_FORM = ["measure", "normalized"]
_PAIR = ["measure_a", "normalized_a", "measure_b", "normalized_b"]


class NotTestable(Exception):
    """The tables lack what a claim is about; the message says what."""


@dataclass(frozen=True)
class Group:
    """All networks of one experiment, either the trained or the untrained ones."""

    experiment: str
    trained: bool
    settings: list[tuple[str, float]]
    """Regulariser and strength, sorted."""
    seeds: list[int]
    columns: Mapping[str, Float[np.ndarray, "settings seeds ..."]]
    """Of models.csv (settings, seeds), modularity.csv (settings, seeds, layers, forms) and agreement.csv (settings,
    seeds, layers, pairs). NaN where there is no value and where the network is discarded, save that `test_accuracy`
    has all networks, and `discarded` is 1 or 0."""

    def __getitem__(self, column: str) -> Float[np.ndarray, "settings seeds ..."]:
        if column not in self.columns:
            raise NotTestable(f"the tables have no column {column}")
        return self.columns[column]

    def sweep(self, regularizer: str) -> list[int]:
        """Where in `settings` the strengths of a regulariser are, from the weakest on."""
        return [place for place, (name, _) in enumerate(self.settings) if name == regularizer]

    @property
    def good(self) -> Bool[np.ndarray, " settings"]:
        """The settings at which at least half of the seeds reach `MIN_TEST_ACCURACY`."""
        return (self["discarded"] == 1).sum(axis=1) <= (self["discarded"] == 0).sum(axis=1)


Groups = Mapping[tuple[str, bool], Group]
"""By experiment, and whether trained."""


def arrange(models: pd.DataFrame, modularity: pd.DataFrame, agreement: pd.DataFrame) -> Groups:
    """Arrange models.csv, modularity.csv and agreement.csv by experiment, setting and seed.

    Raises:
        ValueError: a table lacks a column that names its rows, holds a row twice, or holds a row whose network is not
            in models.csv or whose measures are unknown.
    """
    for file, table, keys in (
        ("models.csv", models, ["trained", "test_accuracy"]),
        ("modularity.csv", modularity, ["layer", *_FORM]),
        ("agreement.csv", agreement, ["layer", *_PAIR]),
    ):
        missing = [name for name in ("experiment", *_SETTING, "seed", *keys) if name not in table]
        if missing:
            raise ValueError(f"{file} lacks the columns {', '.join(missing)}; delete it and run again")
    low = ~(models["test_accuracy"] >= MIN_TEST_ACCURACY)
    models = models.assign(discarded=(models["trained"] & low).astype(float))
    groups = {}
    for experiment, trained in models[["experiment", "trained"]].drop_duplicates().itertuples(index=False):
        tables = [
            table[(table["experiment"] == experiment) & ((table["regularizer"] != UNTRAINED) == trained)]
            for table in (models, modularity, agreement)
        ]
        groups[experiment, trained] = _group(experiment, trained, *tables)
    return groups


def _group(
    experiment: str, trained: bool, models: pd.DataFrame, modularity: pd.DataFrame, agreement: pd.DataFrame
) -> Group:
    settings, seeds = pd.MultiIndex.from_frame(models[_SETTING]).unique().sort_values(), sorted(set(models["seed"]))
    runs = [settings, pd.MultiIndex.from_arrays([seeds], names=["seed"])]
    layers = pd.MultiIndex.from_arrays([sorted({*modularity["layer"], *agreement["layer"]})], names=["layer"])
    forms = pd.MultiIndex.from_tuples(FORMS, names=_FORM)
    pairs = pd.MultiIndex.from_tuples([(*a, *b) for a, b in PAIRS], names=_PAIR)
    of_models = _fill("models.csv", models, runs)
    of_layers = _fill("modularity.csv", modularity, [*runs, layers, forms])
    of_layers |= _fill("agreement.csv", agreement, [*runs, layers, pairs])
    of_all = {name: of_models.pop(name) for name in ("discarded", "test_accuracy")}
    kept = of_all["discarded"] == 0
    of_kept = {
        name: np.where(kept.reshape(kept.shape + (1,) * (array.ndim - 2)), array, np.nan)
        for name, array in (of_models | of_layers).items()
    }
    return Group(experiment, trained, list(settings), seeds, of_all | of_kept)


def _fill(file: str, table: pd.DataFrame, axes: list[pd.MultiIndex]) -> dict[str, Float[np.ndarray, "..."]]:
    """Each numeric column of a table as an array, one axis for each index, NaN where the table has no row."""
    keys = [name for index in axes for name in index.names]
    if table.duplicated(keys).any():
        raise ValueError(f"{file} holds {_words(table[table.duplicated(keys)], keys)} twice; make it anew")
    places = [index.get_indexer(pd.MultiIndex.from_frame(table[list(index.names)])) for index in axes]
    unknown = np.any([place < 0 for place in places], axis=0)
    if unknown.any():
        raise ValueError(
            f"{file} holds {_words(table[unknown], keys)}, a network that models.csv lacks or measures that "
            "are unknown: take all tables from one and the same run of the workflow"
        )
    arrays = {}
    for name in table.columns.difference([*keys, "experiment", "trained"]).intersection(
        table.select_dtypes("number").columns
    ):
        arrays[name] = np.full([len(index) for index in axes], np.nan)
        arrays[name][tuple(places)] = table[name]
    return arrays


def _words(rows: pd.DataFrame, keys: list[str]) -> str:
    return str(rows[["experiment", *keys]].iloc[0].to_dict())


@dataclass(frozen=True)
class Sample:
    """How often each seed counts in each of several samples of the networks.

    Seeds are drawn for an experiment as a whole, since its runs are paired by seed over all settings.
    """

    groups: Groups
    weights: Mapping[tuple[str, bool], Float[np.ndarray, "samples seeds"]]

    def group(self, experiment: str, trained: bool = True) -> Group:
        """Raises NotTestable where there are fewer than `MIN_SEEDS` of these networks."""
        group = self.groups.get((experiment, trained))
        kind = "trained" if trained else "untrained"
        if group is None:
            raise NotTestable(f"the tables have no {kind} networks of {experiment}")
        if len(group.seeds) < MIN_SEEDS:
            raise NotTestable(f"the {kind} networks of {experiment} have one seed, which gives no interval")
        return group

    def mean(
        self, group: Group, values: Float[np.ndarray, "settings seeds ..."], pooled: tuple[int, ...] = ()
    ) -> Float[np.ndarray, "samples settings ..."]:
        """Means over seeds in each sample, without NaN; NaN where no seed has a value.

        Args:
            values: one of the group's columns, or made of them.
            pooled: axes of `values` to average over together with the seeds; their length becomes 1.
        """
        known = ~np.isnan(values)
        total, number = self._sum(group, np.where(known, values, 0.0), pooled), self._sum(group, known, pooled)
        return divide(total, number)

    def _sum(
        self, group: Group, values: Float[np.ndarray, "settings seeds ..."], pooled: tuple[int, ...]
    ) -> Float[np.ndarray, "samples settings ..."]:
        summed = values.sum(axis=pooled, keepdims=True, dtype=float)
        return np.tensordot(self.weights[group.experiment, group.trained], summed, axes=(1, 1))


def bootstrap(groups: Groups, replicates: int) -> Sample:
    """The networks as they are in sample 0, and `replicates` samples of as many seeds drawn with replacement."""
    weights = {}
    for (experiment, trained), group in groups.items():
        number = len(group.seeds)
        random = stream("bootstrap", experiment) if trained else stream("bootstrap", experiment, UNTRAINED)
        counts = random.multinomial(number, np.full(number, 1 / number), size=replicates)
        weights[experiment, trained] = np.vstack([np.ones(number), counts])
    return Sample(groups, weights)


def one_by_one(groups: Groups, experiment: str) -> Sample:
    """Each sample has one trained seed of the experiment, and all of the other networks."""
    number = len(groups[experiment, True].seeds)
    weights = {key: np.ones((number, len(group.seeds))) for key, group in groups.items()}
    return Sample(groups, weights | {(experiment, True): np.eye(number)})


def divide(a: Float[np.ndarray, "..."], b: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """The ratio, NaN where `b` is 0."""
    return np.divide(a, b, out=np.full(np.broadcast_shapes(np.shape(a), np.shape(b)), np.nan), where=np.asarray(b) != 0)


def mean(values: Float[np.ndarray, "..."], axis: int | tuple[int, ...]) -> Float[np.ndarray, "..."]:
    """The mean along axes without NaN; NaN where there is nothing else."""
    known = ~np.isnan(values)
    return divide(np.where(known, values, 0.0).sum(axis=axis), known.sum(axis=axis))
