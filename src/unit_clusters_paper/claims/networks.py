"""The tables as arrays by setting and seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from unit_clusters.clusters.modularity import EQUAL
from unit_clusters.similarity.measures import FORMS, PAIR_COLUMNS, Form
from unit_clusters_paper.claims.intervals import Mean, mean
from unit_clusters_paper.results.selection import BASELINE, RUN, is_good, is_good_setting, is_untrained

EARLY = "early"
"""The experiment that trains base's networks with early stopping, as wide and deep ones are."""

MIN_SEEDS = 2
"""A single seed gives no interval."""

IN_SD = " in untrained SD"
"""After the name of a column: its values over their standard deviation in untrained networks."""

ABOVE_CHANCE = {"q": "q_above_rotated", "element_similarity": "element_similarity_above_rotated"}
"""By column, the one of what is above turned axes (`clusters.turned`): Q*, less the mean modularity there; agreement of
live units, corrected for chance, less that there."""

FEW_DEAD = 3
"""Units, one in twenty of 64. Live units count as constant where layers have, in the mean, at most so many dead ones
more than in the baseline."""

PAIRS = tuple(combinations(FORMS, 2))
"""All pairs of forms, in the order of agreement.csv."""

_SETTING = ["regularizer", "strength"]


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
    good: Bool[np.ndarray, " settings"]
    """At which settings at least half of the seeds are good."""
    columns: Mapping[str, Float[np.ndarray, "settings seeds ..."]]
    """Of models.csv and weights.csv (settings, seeds), of modularity.csv (settings, seeds, layers, forms) and of
    agreement.csv (settings, seeds, layers, pairs). NaN where there is no value and where the network is discarded, save
    that `test_accuracy` has all networks, and `discarded` is 1 or 0."""

    def __getitem__(self, column: str) -> Float[np.ndarray, "settings seeds ..."]:
        if column not in self.columns:
            raise NotTestable(f"the tables have no column {column}")
        return self.columns[column]

    @property
    def good_settings(self) -> list[tuple[str, float]]:
        return [setting for setting, good in zip(self.settings, self.good, strict=True) if good]

    def sweep(self, regularizer: str) -> list[int]:
        """Where in `settings` the strengths of a regulariser are, from the weakest on."""
        return [place for place, (name, _) in enumerate(self.settings) if name == regularizer]

    def alone(self, place: int) -> "Group":
        """One seed of these; which settings are good stays as it is."""
        columns = {name: values[:, place : place + 1] for name, values in self.columns.items()}
        return replace(self, seeds=self.seeds[place : place + 1], columns=columns)

    def repeated(self, times: int) -> "Group":
        """Each seed so many times, as if more had been trained that are like these."""
        columns = {name: np.concatenate([values] * times, axis=1) for name, values in self.columns.items()}
        return replace(self, seeds=list(range(times * len(self.seeds))), columns=columns)


@dataclass(frozen=True)
class Networks:
    """The networks of all experiments, trained and untrained."""

    groups: Mapping[tuple[str, bool], Group]
    """By experiment, and whether trained."""
    least: int = MIN_SEEDS
    """How many seeds a group must have."""

    def group(self, experiment: str, trained: bool = True) -> Group:
        """Raises NotTestable where there are fewer than `least` of these networks."""
        group = self.groups.get((experiment, trained))
        kind = "trained" if trained else "untrained"
        if group is None:
            raise NotTestable(f"the tables have no {kind} networks of {experiment}")
        if len(group.seeds) < self.least:
            raise NotTestable(f"the {kind} networks of {experiment} have one seed, which gives no interval")
        return group

    def values(
        self, experiment: str, column: str, trained: bool = True
    ) -> Float[np.ndarray, "settings seeds layers forms_or_pairs"]:
        """A column of modularity.csv or agreement.csv, which may be `IN_SD`."""
        name = column.removesuffix(IN_SD)
        values = self.group(experiment, trained)[name]
        return values if name == column else values / self.untrained_sd(experiment, name)

    def untrained_sd(self, experiment: str, column: str) -> Float[np.ndarray, "layers forms_or_pairs"]:
        """Standard deviation over untrained networks, the grey band of the figures; NaN where they do not differ."""
        if experiment == EARLY and (EARLY, False) not in self.groups:
            experiment = "base"  # which has the untrained networks of its architecture
        values = self.group(experiment, trained=False)[column][0]
        sd = pd.DataFrame(values.reshape(len(values), -1)).std().to_numpy().reshape(values.shape[1:])
        return np.where(sd > EQUAL, sd, np.nan)

    def mean(
        self,
        experiment: str,
        values: Float[np.ndarray, "settings seeds ..."],
        trained: bool = True,
        pooled: tuple[int, ...] = (),
    ) -> Mean:
        """Means over the seeds of a group, by setting and all else.

        Args:
            values: some columns of the group, or made of them.
            pooled: axes to average over together with the seeds, as numbered without that of the seeds.
        """
        return Mean.of((experiment, trained), np.moveaxis(values, 1, 0), pooled)

    def with_trained(self, experiment: str, other: str) -> "Networks":
        """The trained networks of another experiment in place of those of this one."""
        return replace(self, groups={**self.groups, (experiment, True): self.groups[other, True]})

    def at_constant_live_units(self) -> "Networks":
        """The same, with only those settings good at which layers have hardly more dead units than in the baseline."""
        groups = dict(self.groups)
        for key, group in self.groups.items():
            if BASELINE in group.settings:
                dead = mean(group["dead_units"], axis=(1, 2, 3))
                near = dead <= dead[group.settings.index(BASELINE)] + FEW_DEAD
                groups[key] = replace(group, good=group.good & near)
        return replace(self, groups=groups)

    def repeated(self, experiments: Sequence[str], times: int) -> "Networks":
        """With so many times the trained seeds of some experiments (`Group.repeated`)."""
        keys = [(experiment, True) for experiment in experiments]
        return replace(self, groups={**self.groups, **{key: self.groups[key].repeated(times) for key in keys}})

    def one_by_one(self, experiment: str) -> dict[int, "Networks"]:
        """By trained seed of an experiment: that seed alone, and all other networks."""
        group = self.groups[experiment, True]
        return {
            seed: replace(self, groups={**self.groups, (experiment, True): group.alone(place)}, least=1)
            for place, seed in enumerate(group.seeds)
        }


def arrange(
    models: pd.DataFrame, modularity: pd.DataFrame, agreement: pd.DataFrame, weights: pd.DataFrame | None = None
) -> Networks:
    """Arrange models.csv, modularity.csv, agreement.csv and weights.csv by experiment, setting and seed.

    Args:
        models: as `selection.read` gives it.
        modularity: likewise.
        agreement: likewise.
        weights: likewise; its columns join those of models.csv.

    Raises:
        ValueError: a table lacks a column that names its rows, holds a row twice, or holds a row whose network is not
            in models.csv or whose measures are unknown.
    """
    for file, table, keys in (
        ("models.csv", models, ["trained", "test_accuracy"]),
        ("modularity.csv", modularity, ["layer", *Form._fields]),
        ("agreement.csv", agreement, ["layer", *PAIR_COLUMNS]),
    ):
        missing = [name for name in (*RUN, *keys) if name not in table]
        if missing:
            raise ValueError(f"{file} lacks the columns {', '.join(missing)}; delete it and run again")
    if "q_rotated" in modularity and "element_similarity_rotated" in agreement:
        modularity = modularity.assign(**{ABOVE_CHANCE["q"]: modularity["q"] - modularity["q_rotated"]})
        above = agreement["element_similarity_alive_adjusted"] - agreement["element_similarity_rotated"]
        agreement = agreement.assign(**{ABOVE_CHANCE["element_similarity"]: above})
    if weights is not None:
        models = models.merge(weights, on=RUN, how="left", validate="one_to_one")
    good = is_good_setting(models)
    models = models.assign(discarded=(~is_good(models)).astype(float))
    groups = {}
    for experiment, trained in models[["experiment", "trained"]].drop_duplicates().itertuples(index=False):
        tables = [
            table[(table["experiment"] == experiment) & (is_untrained(table) != trained)]
            for table in (models, modularity, agreement)
        ]
        groups[experiment, trained] = _group(experiment, trained, good[experiment], *tables)
    return Networks(groups)


def _group(
    experiment: str,
    trained: bool,
    good: pd.Series,
    models: pd.DataFrame,
    modularity: pd.DataFrame,
    agreement: pd.DataFrame,
) -> Group:
    settings, seeds = pd.MultiIndex.from_frame(models[_SETTING]).unique().sort_values(), sorted(set(models["seed"]))
    runs = [settings, pd.MultiIndex.from_arrays([seeds], names=["seed"])]
    layers = pd.MultiIndex.from_arrays([sorted({*modularity["layer"], *agreement["layer"]})], names=["layer"])
    forms = pd.MultiIndex.from_tuples(FORMS, names=Form._fields)
    pairs = pd.MultiIndex.from_tuples([(*a, *b) for a, b in PAIRS], names=PAIR_COLUMNS)
    of_models = _fill("models.csv", models, runs)
    of_layers = _fill("modularity.csv", modularity, [*runs, layers, forms])
    of_layers |= _fill("agreement.csv", agreement, [*runs, layers, pairs])
    of_all = {name: of_models.pop(name) for name in ("discarded", "test_accuracy")}
    kept = of_all["discarded"] == 0
    of_kept = {
        name: np.where(kept.reshape(kept.shape + (1,) * (array.ndim - 2)), array, np.nan)
        for name, array in (of_models | of_layers).items()
    }
    return Group(experiment, trained, list(settings), seeds, good.loc[settings].to_numpy(), of_all | of_kept)


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
