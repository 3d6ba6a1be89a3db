"""What counts in the tables for figures, claims and sensitivity: networks, strengths, experiments, kinds of pairs."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from unit_clusters.similarity.measures import Form, Kind, kind
from unit_clusters_paper.results.tables import whole
from unit_clusters_paper.runs.aims import AIMS
from unit_clusters_paper.runs.columns import RUN_COLUMNS
from unit_clusters_paper.runs.sweep import REGULARIZERS, UNTRAINED

RUN = list(RUN_COLUMNS)

LIMIT = "min_test_accuracy"
"""Of models.csv as `read` gives it: trained networks below it are left out (section 4.1), the same in every row."""

PAPERS = ("base", "wide", "deep")
"""Experiments 1 to 3, those of the paper."""

BASELINE = ("l2", 1e-5)
"""Regulariser and strength of the networks from which rises are counted: L2 as weak as it gets, no L1, no dropout."""


def read(paths: Mapping[str, str | Path], min_test_accuracy: float) -> dict[str, pd.DataFrame]:
    """Tables by name, from CSV, plain or gzipped; `models` gets the column LIMIT.

    Networks that were trained for modularity are left out: they are no part of the paper's questions.

    Raises:
        ValueError: a table is cut off or empty; the message names it.
    """
    tables = {name: pd.read_csv(path if str(path).endswith(".gz") else whole(path)) for name, path in paths.items()}
    tables = {
        name: table[~table["regularizer"].isin(AIMS)].reset_index(drop=True) if "regularizer" in table else table
        for name, table in tables.items()
    }
    if "models" in tables:
        tables["models"][LIMIT] = min_test_accuracy
    return tables


def limit(models: pd.DataFrame) -> str:
    """The test accuracy below which trained networks are left out, in words: 80%."""
    return f"{100 * models[LIMIT].max():g}%"


def is_untrained(table: pd.DataFrame) -> pd.Series:
    """Of each row, whether its network was only initialised."""
    return table["regularizer"] == UNTRAINED


def is_good(models: pd.DataFrame) -> pd.Series:
    """Of each network, whether it is untrained or its test accuracy reaches LIMIT; NaN does not.

    Raises:
        ValueError: the table has no LIMIT.
    """
    if LIMIT not in models:
        raise ValueError(
            f"the table of models has no column {LIMIT}: read it by unit_clusters_paper.results.selection.read"
        )
    return is_untrained(models) | (models["test_accuracy"] >= models[LIMIT])


def keep_good(table: pd.DataFrame, models: pd.DataFrame) -> pd.DataFrame:
    """The rows of `table` whose network `is_good`.

    Raises:
        ValueError: `table` holds a network that `models` does not.
    """
    runs = pd.MultiIndex.from_frame(table[RUN])
    unknown = ~runs.isin(pd.MultiIndex.from_frame(models[RUN]))
    if unknown.any():
        raise ValueError(
            f"models.csv lacks the network {dict(zip(RUN, runs[unknown][0], strict=True))}: "
            "take all tables from one and the same run of the workflow"
        )
    return table[runs.isin(pd.MultiIndex.from_frame(models.loc[is_good(models), RUN]))]


def is_good_setting(models: pd.DataFrame) -> pd.Series:
    """Whether at least half of the seeds of a setting are good, by experiment, regularizer and strength, sorted."""
    return is_good(models).groupby([models[name] for name in RUN[:3]]).mean() >= 0.5


def good_strengths(models: pd.DataFrame, experiment: str, regularizer: str) -> list[float]:
    """The good strengths of a sweep, from the weakest (Figs. S9 to S11)."""
    good = is_good_setting(models[(models["experiment"] == experiment) & (models["regularizer"] == regularizer)])
    return [strength for *_, strength in good.index[good]]


def experiments(models: pd.DataFrame) -> list[str]:
    """Those that figures show: with sweeps, and with untrained networks of their own, where there are any of each.

    Of experiments with one architecture, only the first has untrained networks in the tables. Networks of the user's
    have no sweeps.
    """
    swept, untrained = (
        list(models.loc[models["regularizer"].isin(names), "experiment"].unique())
        for names in (REGULARIZERS, [UNTRAINED])
    )
    return [name for name in swept if name in untrained or not untrained] or untrained


def kinds(agreement: pd.DataFrame) -> list[Kind]:
    """Of each row, the kind of its pair of measures."""
    measures = agreement[["measure_a", "measure_b"]]
    of_pair = {
        pair: kind(*(Form(name, False) for name in pair)) for pair in measures.drop_duplicates().itertuples(False, None)
    }
    return [of_pair[pair] for pair in measures.itertuples(False, None)]
