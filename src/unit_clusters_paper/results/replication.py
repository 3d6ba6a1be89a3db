"""Whether the means of two runs differ by more than their seeds do.

Where both runs have a network of one experiment, regulariser, strength and seed, the pair's difference is taken. What
it leaves is rounding, which each network enlarges for itself: with and without AVX-512, differences were not correlated
between the networks of one seed (docs/reliability.md). So networks count there, with some allowance (CORRELATION), and
seeds where their means vary more. Where a regulariser's seeds are others, networks share split, initialisation and
order of batches with those of their seed, so only seeds count.

What is compared, by Student's t, is the mean of every column over an experiment's regulariser, and its slope over the
strengths; of all layers and measures together, and of each. A difference is found when it is too large to come about by
chance among so many comparisons (Bonferroni). Without pairs and with few seeds only large ones are.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from unit_clusters_paper.runs.columns import RUN_COLUMNS

FALSE_ALARM = 0.01
"""The probability, at most, that a difference is found between runs of the same code."""

CORRELATION = 0.2
"""Allowed for between the differences of networks of one seed: as much as there is between the networks themselves."""

LEAST_ERROR = 0.1
"""An error counts as no less than this share of what as many independent networks would give. So neither rounding
counts, nor that the few values of a count happen to be equal."""

GROUP = ["experiment", "regularizer"]


def comparisons(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Compare means and slopes of all columns, at the settings that both runs have.

    Args:
        ours: columns of numbers of one table, NaN where there is none; indexed by RUN_COLUMNS and what else names a row
            (the cells: layer, measure and so on).
        theirs: the same of the other run.

    Returns:
        A row a comparison: GROUP; `of`, "level" or "slope"; `over`, "all" cells or the name of one; `column`, or
        "... missing" for the share of its gaps; the `difference` in standard deviations of theirs between seeds, if
        there are any; `t`, `df`, and `p`, for this comparison alone, NaN with too few seeds to tell.
    """
    ours, theirs = at_settings_of(ours, theirs), at_settings_of(theirs, ours)
    gaps = ours.isna().any() | theirs.isna().any()
    scale = _spread(theirs, [name for name in theirs.index.names if name not in ("strength", "seed")])
    scale = scale.mask(scale == 0, 1)
    scale.loc[:, gaps] = 1  # in a cell with gaps there may be too few values to tell
    ours, theirs = (_statistics(_scaled(values, scale), gaps) for values in (ours, theirs))
    pairs = ours.index.intersection(theirs.index)
    unpaired = [values[~_names(values.index, GROUP).isin(_names(pairs, GROUP))] for values in (ours, theirs)]
    found = zip(_paired(ours.loc[pairs] - theirs.loc[pairs]), _unpaired(*unpaired), strict=True)
    return _students(*map(pd.concat, found), _spread(theirs, GROUP))


def corrected(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The `comparisons` of several tables in one, with their name in `table` and p by Bonferroni.

    Half of FALSE_ALARM is left to the levels over all cells, half to the other comparisons, which are many more.
    """
    found = pd.concat([frame.assign(table=name) for name, frame in tables.items()], ignore_index=True)
    first = (found["over"] == "all") & (found["of"] == "level")
    return found.assign(p=(2 * found["p"] * found["p"].groupby(first).transform("count")).clip(upper=1))


def at_settings_of(values: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Rows at the settings that the others have, too."""
    settings = [_names(frame.index, [*GROUP, "strength"]) for frame in (values, others)]
    return values[settings[0].isin(settings[1])]


def _names(index: pd.MultiIndex, kept: list[str]) -> pd.MultiIndex:
    return index.droplevel([name for name in index.names if name not in kept])


def _spread(values: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Standard deviation between the seeds of a strength."""
    return np.sqrt(values.groupby([*by, "strength"]).var().groupby(by).mean())


def _scaled(values: pd.DataFrame, scale: pd.DataFrame) -> pd.DataFrame:
    """In units of the scale, so that all cells count alike in their average."""
    return values / scale.reindex(_names(values.index, scale.index.names)).to_numpy()


def _statistics(values: pd.DataFrame, gaps: pd.Series) -> pd.DataFrame:
    """Of each network what is averaged, with columns `of`, `over` and `column`.

    That is each column over all cells, and in each if there are several; and either with weights that make of the
    average a slope over the strengths. Of columns with gaps there is the average alone, since a cell may have too few
    values, and beside it the share of the gaps.
    """
    missing = values.loc[:, gaps].isna().astype(float).add_suffix(" missing")
    means = values.join(missing).groupby(list(RUN_COLUMNS)).mean()
    levels = pd.concat({"all": means}, axis=1, names=["over", "column"])
    cells = [name for name in values.index.names if name not in RUN_COLUMNS]
    if cells:
        each = values.loc[:, ~gaps].unstack(cells)
        each.columns = pd.MultiIndex.from_tuples(
            [(" ".join(map(str, cell)), name) for name, *cell in each.columns], names=["over", "column"]
        )
        levels = levels.join(each)
    ranks = levels.index.to_frame()["strength"].groupby(GROUP).rank("dense")
    weights = ranks - (1 + ranks.groupby(GROUP).transform("max")) / 2
    slopes = levels.mul(weights, axis=0)[weights.groupby(GROUP).transform("any")]
    return pd.concat({"level": levels, "slope": slopes}, axis=1, names=["of"])


def _paired(difference: pd.DataFrame) -> tuple[pd.DataFrame, ...]:
    """By the differences of pairs: the difference, its error, degrees of freedom, and the number of networks."""
    networks, seeds = difference.groupby(GROUP), _by_seed(difference)
    count = networks.count()
    design = 1 + (count / seeds.count() - 1) * CORRELATION  # Kish's effect of clusters
    return networks.mean(), np.fmax(networks.sem() * np.sqrt(design), seeds.sem()), count - 1, count


def _unpaired(ours: pd.DataFrame, theirs: pd.DataFrame) -> tuple[pd.DataFrame, ...]:
    """The same by means over seeds, with the variance of both runs together."""
    one, other = _by_seed(ours), _by_seed(theirs)
    df = one.count() + other.count() - 2
    squares = sum(seeds.var().fillna(0) * (seeds.count() - 1) for seeds in (one, other))
    error = np.sqrt(squares / df * (1 / one.count() + 1 / other.count()))
    networks = 1 / sum(1 / values.groupby(GROUP).count() for values in (ours, theirs))
    return one.mean() - other.mean(), error, df, networks


def _by_seed(values: pd.DataFrame):
    """Means over the strengths, by seed, grouped by all else."""
    return values.groupby([*GROUP, "seed"]).mean().groupby(GROUP)


def _students(
    difference: pd.DataFrame, error: pd.DataFrame, df: pd.DataFrame, networks: pd.DataFrame, spread: pd.DataFrame
) -> pd.DataFrame:
    """Student's t of each difference, by group (rows) and statistic (columns).

    Args:
        networks: how many independent ones would have an error of the spread over the root of their number.
        spread: standard deviation between the seeds of a strength.
    """
    spread = spread.loc[difference.index]
    t = (difference / np.fmax(error, LEAST_ERROR * spread / np.sqrt(networks))).where(difference != 0, 0)
    p = pd.DataFrame(2 * stats.t.sf(t.abs(), df), t.index, t.columns)
    found = {"difference": difference / spread.where(spread > 0, 1), "t": t, "df": df, "p": p}
    columns = {name: frame.T.stack(GROUP, future_stack=True) for name, frame in found.items()}
    return pd.DataFrame(columns).reset_index()
