"""How another run, or a part of one, compares with the published run.

On a like machine, with like versions, every number must be the same. Elsewhere libraries add up in another order, and
training enlarges that until networks are others (docs/reliability.md). Their numbers must then agree within the error
that the published spread over seeds and the run's own leave.

Where both runs have a network of one regulariser, strength and seed, the difference is taken pair by pair. What a pair
leaves is rounding, enlarged by each network for itself (measured: no correlation between the networks of a seed), so
networks count, and where their seeds' means vary more than that, seeds do. Where no seeds match, networks of one seed
share their split, initialisation and order of batches, so seeds count. Each mean over an experiment's regulariser is
compared, over all layers and measures together and one by one, and the slope over the strengths, by Student's t; a
difference counts when it is too large for chance among so many comparisons (Bonferroni).
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from unit_clusters import sweep
from unit_clusters.measures import FORMS
from unit_clusters.published import KEYS
from unit_clusters.tables import RUN

SAME = 1e-6
"""Two numbers count as the same up to this difference, relative to the number or to its column's median size."""

SAME_Q = 2e-9
"""The same for modularity, absolute: so much it moves on a like machine, where weights and clusters stay to the bit."""

FALSE_ALARM = 0.01
"""The probability that a run of the same code on another machine is found to differ."""

LEAST_ERROR = 0.1
"""An error counts as no less than this share of what as many networks of independent seeds would give. So rounding in
the last digits does not count, nor that the few values of a count happen to be equal."""

CORRELATION = 0.2
"""x"""

GROUP = ["experiment", "regularizer"]

SETTING = [*GROUP, "strength"]

PARTS_ONLY = ("seeds", "seeds_per_job", "sweeps")
"""Of an experiment's configuration, what says which of its networks there are, not what they are like."""

NO_MATTER = ("machine.cores", "config.pathvars", "config.published", "config.figures", "config.dataset.folder")
"""Parts of a run's provenance on which no number of its tables depends."""

REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"


class Table(NamedTuple):
    """How a table of a run compares with the published one."""

    part: pd.DataFrame
    """By GROUP: `rows` that both have, `published` rows, and `lacking`: rows that the run should have and has not, or
    has and should not have."""
    columns: pd.DataFrame
    """By column: `rows` that both have, the share that are the `same`, and the `largest` absolute difference."""
    comparisons: pd.DataFrame
    """A row a comparison: GROUP, `column`, `mean` (all layers and measures, or which), `of` (level or slope),
    `difference` in published standard deviations between seeds, `t`, `df`, and `p`, Bonferroni's."""


class Verdict(NamedTuple):
    """The outcome, and why."""

    passed: bool
    same: bool
    """Whether all numbers are the same."""
    failures: list[str]


def networks(config: Mapping) -> pd.DataFrame:
    """The networks that a configuration asks for: RUN and the number of `layers`."""
    rows = [run | {"layers": len(cohort.layers)} for cohort in sweep.cohorts(config) for run in cohort.runs]
    return pd.DataFrame(rows)[[*RUN, "layers"]]


ROWS = {
    "models": lambda layers: 1,
    "modularity": lambda layers: layers * len(FORMS),
    "agreement": lambda layers: layers * len(FORMS) * (len(FORMS) - 1) // 2,
    "repeats": lambda layers: layers * len(FORMS),
}
"""How many rows a network of so many layers has in each table."""


def compare(run: pd.DataFrame, published: pd.DataFrame, expected: pd.Series) -> Table:
    """Compare a table with the published one.

    Args:
        run: the run's table; columns that it alone has are left out.
        published: the published table.
        expected: how many rows each network of the run should have, by RUN.

    Raises:
        ValueError: the run's table lacks a column that the published one has.
    """
    unknown = published.columns.difference(run.columns)
    if len(unknown):
        raise ValueError(f"the run's table lacks the columns {', '.join(unknown)}; make it anew")
    keys = [key for key in KEYS if key in published]
    ours, theirs = (_numbers(table[published.columns], keys) for table in (run, published))
    both = theirs.index.intersection(ours.index)
    part = pd.DataFrame(
        {
            "rows": _count(both.to_frame(index=False)),
            "published": _count(published),
            "lacking": _lacking(run.drop_duplicates(keys), expected),
        }
    )
    return Table(
        part.fillna(0).astype(int), _columns(ours.loc[both], theirs.loc[both]), _comparisons(ours, theirs)
    )


def _numbers(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The columns of numbers, by the columns that name a row; NaN for what is infinite."""
    return table.drop_duplicates(keys).set_index(keys).astype(float).replace([np.inf, -np.inf], np.nan).sort_index()


def _count(rows: pd.DataFrame) -> pd.Series:
    return rows.groupby(GROUP).size()


def _lacking(run: pd.DataFrame, expected: pd.Series) -> pd.Series:
    """By GROUP, how many rows are too few or too many."""
    found = run.groupby(list(RUN)).size()
    return expected.sub(found, fill_value=0).abs().groupby(GROUP).sum()


def _columns(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Compare the rows that both have number by number; two NaN are the same."""
    difference = (ours - theirs).abs()
    allowed = SAME * theirs.abs().clip(lower=theirs.abs().median(), axis=1)
    modularity = theirs.columns[theirs.columns.str.match("q$|q_")]
    allowed[modularity] = SAME_Q
    same = (difference <= allowed) | (ours.isna() & theirs.isna())
    return pd.DataFrame({"rows": len(theirs), "same": same.mean(), "largest": difference.max()})


def _comparisons(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Compare means and slopes of all columns at the settings that both have, without correction of p."""
    ours, theirs = _of_settings(ours, theirs), _of_settings(theirs, ours)
    gaps = ours.isna().any() | theirs.isna().any()
    ours, theirs = (_with_gaps(values, gaps) for values in (ours, theirs))
    scale = _scale(theirs, gaps.index[~gaps])
    ours, theirs = (values / scale.reindex(_groups(values.index, _by(values))).to_numpy() for values in (ours, theirs))
    both = theirs.index.intersection(ours.index)
    paired, unpaired = (
        [values[_groups(values.index).isin(_groups(both)) == matched] for values in (ours, theirs)]
        for matched in (True, False)
    )
    found = [*_paired(paired[0].loc[both] - paired[1].loc[both], paired[1], ~gaps), *_unpaired(*unpaired, ~gaps)]
    return pd.concat(found, ignore_index=True)


def _groups(index: pd.MultiIndex, names: list[str] = GROUP) -> pd.MultiIndex:
    return index.droplevel([name for name in index.names if name not in names])


def _of_settings(values: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Rows at the settings that the others have, too."""
    return values[_groups(values.index, SETTING).isin(_groups(others.index, SETTING))]


def _with_gaps(values: pd.DataFrame, gaps: pd.Series) -> pd.DataFrame:
    """With a column more for each that has gaps somewhere: 1 in a gap, else 0."""
    return values.join(values.loc[:, gaps].isna().astype(float).add_suffix(" missing"))


def _by(values: pd.DataFrame) -> list[str]:
    return [name for name in values.index.names if name not in ("strength", "seed")]


def _spread(values: pd.DataFrame) -> pd.DataFrame:
    """Standard deviation between the seeds of a strength, by all but strength and seed."""
    return np.sqrt(values.groupby([*_by(values), "strength"]).var().groupby(_by(values)).mean())


def _scale(values: pd.DataFrame, whole: pd.Index) -> pd.DataFrame:
    """Their spread, or 1 where there is none. Where a column has gaps, a layer and measure may have too few values to
    tell, so there it is that of the whole group."""
    spread = _spread(values)
    scale = np.sqrt(spread.pow(2).groupby(GROUP).transform("mean"))
    scale[whole] = spread[whole]
    return scale.where(scale > 0, 1)


def _statistics(values: pd.DataFrame, whole: pd.Series) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """What is averaged, by network: all layers and measures together, and each if there are several; and either with
    weights that make of the average a slope over the strengths.

    Args:
        whole: the columns without gaps. The others are averaged over all only: one by one there may be too few.
    """
    frames = {"all": values.groupby(list(RUN)).mean()}
    if len(values.index.names) > len(RUN):
        frames["each"] = values.loc[:, whole.index[whole]]
    for over, frame in frames.items():
        yield over, "level", frame
        weights = _weights(frame.index)
        yield over, "slope", frame.mul(weights, axis=0)[weights.groupby(GROUP).transform("any")]


def _weights(index: pd.MultiIndex) -> pd.Series:
    """The rank of each row's strength among those of its group, less the mean rank."""
    ranks = index.to_frame()["strength"].groupby(GROUP).rank("dense")
    return ranks - (1 + ranks.groupby(GROUP).transform("max")) / 2


def _paired(difference: pd.DataFrame, theirs: pd.DataFrame, whole: pd.Series) -> Iterator[pd.DataFrame]:
    """Compare by the differences between pairs of networks."""
    statistics = zip(_statistics(difference, whole), _statistics(theirs, whole), strict=True)
    for (over, of, ours), (_, _, reference) in statistics:
        networks, seeds = ours.groupby(_by(ours)), _seeds(ours)
        count = networks.count()
        design = 1 + (count / seeds.count() - 1) * CORRELATION
        error = np.fmax(networks.sem() * np.sqrt(design), seeds.sem())
        yield _student(networks.mean(), error, count - 1, reference, 1 / count).assign(over=over, of=of)


def _unpaired(ours: pd.DataFrame, theirs: pd.DataFrame, whole: pd.Series) -> Iterator[pd.DataFrame]:
    """Compare means over seeds, with the variance of both together."""
    for (over, of, one), (_, _, other) in zip(_statistics(ours, whole), _statistics(theirs, whole), strict=True):
        seeds = [_seeds(frame) for frame in (one, other)]
        counts = [found.count() for found in seeds]
        df = counts[0] + counts[1] - 2
        squares = sum(found.var().fillna(0) * (count - 1) for found, count in zip(seeds, counts, strict=True))
        error = np.sqrt(squares / df * (1 / counts[0] + 1 / counts[1]))
        size = sum(1 / frame.groupby(_by(frame)).count() for frame in (one, other))
        yield _student(seeds[0].mean() - seeds[1].mean(), error, df, other, size).assign(over=over, of=of)


def _seeds(values: pd.DataFrame):
    """Means over the strengths, by seed, grouped by all else."""
    return values.groupby([*_by(values), "seed"]).mean().groupby(_by(values))


def _student(
    difference: pd.DataFrame, error: pd.DataFrame, df: pd.DataFrame, reference: pd.DataFrame, size: pd.DataFrame
) -> pd.DataFrame:
    """Student's t of each difference, by group (rows) and column.

    Args:
        reference: the published values, by network.
        size: the variance of the difference if all networks were independent and of variance 1.
    """
    least = np.fmax(
        LEAST_ERROR * _spread(reference) * np.sqrt(size), SAME * reference.abs().groupby(_by(reference)).mean()
    )
    t = (difference / np.fmax(error, least)).where(difference != 0, 0)
    p = pd.DataFrame(2 * stats.t.sf(t.abs(), df), t.index, t.columns)
    found = {"difference": difference, "t": t, "df": df, "p": p}
    columns = {name: frame.rename_axis(columns="column").stack() for name, frame in found.items()}
    return pd.concat(columns, axis=1).reset_index()
