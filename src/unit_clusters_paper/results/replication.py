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

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from scipy import stats

from unit_clusters_paper.runs.sweep import RUN_COLUMNS

FALSE_ALARM = 0.01
"""The probability, at most, that a difference is found between runs of the same code."""

CORRELATION = 0.2
"""Allowed for between the differences of networks of one seed: as much as there is between the networks themselves."""

LEAST_ERROR = 0.1
"""An error counts as no less than this share of what as many independent networks would give. So neither rounding
counts, nor that the few values of a count happen to be equal."""

GROUP = ["experiment", "regularizer"]

SETTING = [*GROUP, "strength"]


def comparisons(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Compare means and slopes of all columns, at the settings that both runs have.

    Args:
        ours: columns of numbers of one table, NaN where there is none; indexed by RUN_COLUMNS and what else names a row
            (the cells: layer, measure and so on).
        theirs: the same of the other run.

    Returns:
        A row a comparison: GROUP; `column`, or "... missing" for the share of its gaps; `over`, "all" cells or "each",
        which is then named in further columns; `of`, "level" or "slope"; the `difference` in standard deviations of
        theirs between seeds; `t`, `df`, and `p`, for this comparison alone, NaN with too few seeds to tell.
    """
    ours, theirs = at_settings_of(ours, theirs), at_settings_of(theirs, ours)
    gaps = ours.isna().any() | theirs.isna().any()
    ours, theirs = (_with_gaps(values, gaps) for values in (ours, theirs))
    scale = _scale(theirs, gaps.index[~gaps])
    ours, theirs = (values / scale.reindex(_names(values.index, _by(values))).to_numpy() for values in (ours, theirs))
    both = theirs.index.intersection(ours.index)
    paired, unpaired = (
        [values[_names(values.index).isin(_names(both)) == in_pairs] for values in (ours, theirs)]
        for in_pairs in (True, False)
    )
    found = [*_paired(paired[0].loc[both] - paired[1].loc[both], paired[1], ~gaps), *_unpaired(*unpaired, ~gaps)]
    return pd.concat(found, ignore_index=True)


def corrected(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The `comparisons` of several tables in one, with their name in `table` and p by Bonferroni.

    Half of FALSE_ALARM is left to the levels over all cells, half to the other comparisons, which are many more.
    """
    found = pd.concat([frame.assign(table=name) for name, frame in tables.items()], ignore_index=True)
    first = (found["over"] == "all") & (found["of"] == "level")
    return found.assign(p=(2 * found["p"] * found["p"].groupby(first).transform("count")).clip(upper=1))


def at_settings_of(values: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Rows at the settings that the others have, too."""
    return values[_names(values.index, SETTING).isin(_names(others.index, SETTING))]


def _names(index: pd.MultiIndex, kept: list[str] = GROUP) -> pd.MultiIndex:
    return index.droplevel([name for name in index.names if name not in kept])


def _by(values: pd.DataFrame) -> list[str]:
    """All that names a row but strength and seed."""
    return [name for name in values.index.names if name not in ("strength", "seed")]


def _with_gaps(values: pd.DataFrame, gaps: pd.Series) -> pd.DataFrame:
    """With a column more for each that has gaps somewhere: 1 in a gap, else 0."""
    return values.join(values.loc[:, gaps].isna().astype(float).add_suffix(" missing"))


def _spread(values: pd.DataFrame) -> pd.DataFrame:
    """Standard deviation between the seeds of a strength."""
    return np.sqrt(values.groupby([*_by(values), "strength"]).var().groupby(_by(values)).mean())


def _scale(values: pd.DataFrame, whole: pd.Index) -> pd.DataFrame:
    """Their spread, or 1 where there is none.

    Where a column has gaps, a cell may have too few values to tell, so there it is the spread of the whole group.
    """
    spread = _spread(values)
    scale = np.sqrt(spread.pow(2).groupby(GROUP).transform("mean"))
    scale[whole] = spread[whole]
    return scale.where(scale > 0, 1)


def _statistics(values: pd.DataFrame, whole: pd.Series) -> Iterator[tuple[dict[str, str], pd.DataFrame]]:
    """What is averaged, by network: over all cells, and each cell if there are several; and either with weights that
    make of the average a slope over the strengths.

    Args:
        whole: which columns have no gaps. The others are averaged over all cells only: in one there may be too few.
    """
    frames = {"all": values.groupby(list(RUN_COLUMNS)).mean()}
    if len(values.index.names) > len(RUN_COLUMNS):
        frames["each"] = values.loc[:, whole.index[whole]]
    for over, frame in frames.items():
        yield {"over": over, "of": "level"}, frame
        weights = _weights(frame.index)
        yield {"over": over, "of": "slope"}, frame.mul(weights, axis=0)[weights.groupby(GROUP).transform("any")]


def _weights(index: pd.MultiIndex) -> pd.Series:
    """The rank of each row's strength among those of its group, less the mean rank."""
    ranks = index.to_frame()["strength"].groupby(GROUP).rank("dense")
    return ranks - (1 + ranks.groupby(GROUP).transform("max")) / 2


def _paired(difference: pd.DataFrame, theirs: pd.DataFrame, whole: pd.Series) -> Iterator[pd.DataFrame]:
    """Compare by the differences of pairs."""
    for (what, ours), (_, reference) in zip(_statistics(difference, whole), _statistics(theirs, whole), strict=True):
        networks, seeds = ours.groupby(_by(ours)), _seeds(ours)
        count = networks.count()
        design = 1 + (count / seeds.count() - 1) * CORRELATION  # Kish's effect of clusters
        error = np.fmax(networks.sem() * np.sqrt(design), seeds.sem())
        yield _student(networks.mean(), error, count - 1, reference, 1 / count).assign(**what)


def _unpaired(ours: pd.DataFrame, theirs: pd.DataFrame, whole: pd.Series) -> Iterator[pd.DataFrame]:
    """Compare means over seeds, with the variance of both runs together."""
    for (what, one), (_, other) in zip(_statistics(ours, whole), _statistics(theirs, whole), strict=True):
        seeds = [_seeds(frame) for frame in (one, other)]
        counts = [found.count() for found in seeds]
        df = counts[0] + counts[1] - 2
        squares = sum(found.var().fillna(0) * (count - 1) for found, count in zip(seeds, counts, strict=True))
        error = np.sqrt(squares / df * (1 / counts[0] + 1 / counts[1]))
        size = sum(1 / frame.groupby(_by(frame)).count() for frame in (one, other))
        yield _student(seeds[0].mean() - seeds[1].mean(), error, df, other, size).assign(**what)


def _seeds(values: pd.DataFrame):
    """Means over the strengths, by seed, grouped by all else."""
    return values.groupby([*_by(values), "seed"]).mean().groupby(_by(values))


def _student(
    difference: pd.DataFrame, error: pd.DataFrame, df: pd.DataFrame, reference: pd.DataFrame, size: pd.DataFrame
) -> pd.DataFrame:
    """Student's t of each difference, by group (rows) and column.

    Args:
        reference: their values, by network.
        size: the variance of the difference if all networks were independent and of variance 1.
    """
    error = np.fmax(error, LEAST_ERROR * _spread(reference) * np.sqrt(size))
    t = (difference / error).where(difference != 0, 0)
    p = pd.DataFrame(2 * stats.t.sf(t.abs(), df), t.index, t.columns)
    found = {"difference": difference, "t": t, "df": df, "p": p}
    columns = {name: frame.rename_axis(columns="column").stack() for name, frame in found.items()}
    return pd.concat(columns, axis=1).reset_index()
