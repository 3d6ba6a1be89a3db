"""What one choice at a time does to the headline numbers: dropout's lead in modularity, and agreement between measures.

Some choices can be made anew from the tables of the published run. For the others a few networks are trained, or their
matrices clustered, once for each choice: an experiment of the preset `sensitivity`.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from unit_clusters_paper.results.selection import BASELINE, LIMIT, RUN, is_good, is_good_setting, is_untrained, kinds
from unit_clusters_paper.runs.sweep import REGULARIZERS

REFERENCE = "reference"
"""The experiment that the others of the preset are compared with."""

AS_IN_THE_PAPER = "as in the paper"

LONG, EARLY = "base", "early"
"""The published run's networks of Experiment 1, by the two training protocols."""

NUMBERS = {
    "lead": "dropout's lead in Q*: its largest rise minus the larger of L2's and L1's",
    "upstream": "agreement within the upstream family",
    "downstream": "agreement within the downstream family",
    "across": "agreement across the families",
}
"""The headline numbers, in words. Q* is the mean of the eight measures and of all layers."""

COLUMNS = ("source", "choice", "networks", *(c for name in NUMBERS for c in (name, f"{name}_se")))
"""The table: a row a choice; errors are standard errors over seeds, NaN with a single one."""


class Tables(NamedTuple):
    """models.csv, modularity.csv and agreement.csv, as `selection.read` gives them, or some of their rows."""

    models: pd.DataFrame
    modularity: pd.DataFrame
    agreement: pd.DataFrame

    def of(self, experiment: str) -> "Tables":
        return Tables(*(table[table["experiment"] == experiment] for table in self))


class Choice(NamedTuple):
    """How the headline numbers are read off the tables; the defaults are the paper's."""

    least_accuracy: float | None = None
    """In place of the tables' LIMIT."""
    q: str = "q"
    """Column of modularity.csv."""
    score: str = "element_similarity"
    """Column of agreement.csv."""


CHOICES = {
    "accuracy cut-off: 90 %": Choice(least_accuracy=0.9),
    "accuracy cut-off: 95 %": Choice(least_accuracy=0.95),
    "dead units: left out of agreement": Choice(score="element_similarity_alive"),
    "agreement: corrected for chance": Choice(score="element_similarity_adjusted"),
    "search: best partitions known": Choice(q="q_best", score="element_similarity_best"),
}
"""What can be chosen anew from tables, one thing at a time."""


def published_rows(tables: Tables) -> Iterator[dict]:
    """Rows from the published run: as in the paper, then one other choice each."""
    here = {"source": "published run"}
    yield here | {"choice": AS_IN_THE_PAPER} | headline(tables.of(LONG), Choice())
    for name, choice in CHOICES.items():
        yield here | {"choice": name} | headline(tables.of(LONG), choice)
    yield here | {"choice": "protocol: early stopping"} | headline(tables.of(EARLY), Choice())


def variant_rows(tables: Tables, variants: Mapping[str, Mapping[str, object]]) -> Iterator[dict]:
    """Rows from a run of the preset: its reference, then its other experiments.

    Args:
        tables: of that run.
        variants: by experiment, what the configuration sets there in another way than in the reference, by its key.
    """
    here = {"source": "a few networks"}
    yield here | {"choice": AS_IN_THE_PAPER} | headline(tables.of(REFERENCE), Choice())
    for experiment, differences in variants.items():
        name = "; ".join(f"{key}: {value}" for key, value in differences.items())
        yield here | {"choice": name} | headline(tables.of(experiment), Choice())


def headline(tables: Tables, choice: Choice) -> dict[str, float]:
    """The NUMBERS and their standard errors over seeds, and how many networks they are from."""
    models, modularity, agreement = (table[~is_untrained(table)] for table in tables)
    if choice.least_accuracy is not None:
        models = models.assign(**{LIMIT: choice.least_accuracy})
    often = is_good_setting(models).reindex(pd.MultiIndex.from_frame(models[RUN[:3]])).to_numpy()
    good = pd.MultiIndex.from_frame(models.loc[is_good(models) & often, RUN])
    modularity, agreement = (
        table[pd.MultiIndex.from_frame(table[RUN]).isin(good)] for table in (modularity, agreement)
    )
    of_pair = np.array(kinds(agreement), dtype=str)
    by_seed = {"lead": leads(modularity.groupby(RUN[1:])[choice.q].mean())} | {
        name: agreement[of_pair == name].groupby("seed")[choice.score].mean() for name in list(NUMBERS)[1:]
    }
    found = {"networks": len(good)}
    for name, values in by_seed.items():
        found |= {name: values.mean(), f"{name}_se": values.sem()}
    return found


def leads(q: pd.Series) -> pd.Series:
    """Of each seed, dropout's rise of Q minus the larger of L2's and L1's, at the strengths of the largest mean rise.

    Args:
        q: indexed by regularizer, strength and seed.
    """
    q = q.unstack("seed")
    rises = q - q.loc[BASELINE] if BASELINE in q.index else q * np.nan
    largest = {
        regularizer: of_strength.loc[of_strength.mean(axis=1).idxmax()]
        for regularizer, of_strength in rises.groupby("regularizer")
        if not of_strength.isna().all(axis=None)
    }
    if not largest.keys() >= set(REGULARIZERS):
        return pd.Series(dtype=float)
    other = max((largest[name] for name in ("l2", "l1")), key=pd.Series.mean)
    return (largest["dropout"] - other).dropna()
