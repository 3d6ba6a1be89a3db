"""How another run, or a part of one, compares with the published run.

On a like machine with like versions every number must be the same. Elsewhere libraries add up in another order, and
training enlarges that until networks are others (docs/reliability.md). Then no mean may differ by more than seeds do
(`replication`), and no claim that holds may turn into one that fails.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from unit_clusters.similarity.measures import FORMS
from unit_clusters_paper.results.published import KEYS
from unit_clusters_paper.results.replication import FALSE_ALARM, GROUP, comparisons, corrected
from unit_clusters_paper.results.selection import RUN
from unit_clusters_paper.runs import sweep
from unit_clusters_paper.runs.provenance import NOT_RECORDED

SAME = 1e-6
"""Two numbers are the same up to this difference, relative to the number or to its column's median size."""

SAME_Q = 2e-9
"""The same for modularity, absolute: it moves so far on another machine of one kind, where weights and clusters are the
same to the bit."""

ROWS = {
    "models": lambda layers: 1,
    "weights": lambda layers: 1,
    "modularity": lambda layers: layers * len(FORMS),
    "agreement": lambda layers: layers * len(FORMS) * (len(FORMS) - 1) // 2,
    "repeats": lambda layers: layers * len(FORMS),
}
"""Of each table, how many rows a network of so many layers has."""

NO_MATTER = (
    *("machine.cores", "machine.processor", "config.pathvars", "config.published", "config.figures"),
    *("config.untrained", "config.dataset.folder", "config.lesions"),
)
"""Of a run's provenance, that on which no number of its tables depends; of the processor it names those of the jobs."""

WHICH = ("seeds", "seeds_per_job", "sweeps")
"""Of an experiment's configuration, what says which networks there are, and not what they are like."""

EXPLANATION = f"""\
same: to within {SAME:g} of each number or of its column's median, and Q to {SAME_Q:g}
similar: no mean and no slope over the strengths differs by more than chance allows, by Student's t between pairs of
networks, or between seeds where they are others; an honest run on another machine fails with a probability of
{FALSE_ALARM:g} at most. Pooled rows of few seeds show large differences only.
different: some do. Differences are in published standard deviations between seeds, p is Bonferroni's."""


class Verification(NamedTuple):
    """How a run compares with the published one."""

    part: pd.DataFrame
    """By GROUP, `shared`."""
    astray: int
    """Rows that are missing, or too many, by the run's configuration."""
    columns: pd.DataFrame
    """By table and column, of rows that both have: the share that is the `same`, and the `largest` difference."""
    comparisons: pd.DataFrame
    """`replication.corrected`, the clearest first, without those that have too few networks or seeds."""
    lost: Sequence[str]
    """`lost_claims`; they count only if the run is whole."""
    other: Sequence[str]
    """`differences`. Without any, all numbers must be the same."""

    @property
    def whole(self) -> bool:
        """Whether the run has all that is published."""
        return bool((self.part["compared"] >= self.part["published"]).all())

    @property
    def same(self) -> pd.Series:
        """Of each column, whether all numbers that are compared are the same."""
        return (self.columns["same"] == 1) & (self.part["paired"] == self.part["compared"]).all()

    @property
    def found(self) -> pd.DataFrame:
        """The comparisons that find a difference."""
        return self.comparisons[self.comparisons["p"] <= FALSE_ALARM]

    @property
    def failures(self) -> list[str]:
        """Why it fails, a line each."""
        compared, same = self.part.index[self.part["compared"] > 0], self.same.all()
        untold = [" ".join(group) for group in compared.difference(self.comparisons.set_index(GROUP).index)]
        reasons = {
            "the published run has none of its networks' experiments, regularisers and strengths": compared.empty,
            f"{self.astray} rows are missing, or too many, by the run's own configuration": self.astray > 0,
            "not all numbers are the same, though machine, versions and configuration are": not same and not self.other,
            f"too few networks or seeds to compare, unless all numbers are the same: {', '.join(untold)}": (
                not same and len(untold) > 0
            ),
            f"{len(self.found)} comparisons find a difference": len(self.found) > 0,
            f"claims that hold as published fail: {', '.join(self.lost)}": self.whole and len(self.lost) > 0,
        }
        return [reason for reason, holds in reasons.items() if holds]


def networks(config: Mapping) -> pd.Series:
    """The networks that a configuration asks for, by RUN, and how many layers they have."""
    rows = [run | {"layers": len(cohort.hidden)} for cohort in sweep.cohorts(config) for run in cohort.runs]
    return pd.DataFrame(rows).set_index(RUN)["layers"]


def verify(
    run: Mapping[str, pd.DataFrame],
    published: Mapping[str, pd.DataFrame],
    asked: pd.Series,
    lost: Sequence[str],
    other: Sequence[str],
) -> Verification:
    """Compare a run with the published one.

    Args:
        run: its tables; columns that it alone has are left out.
        published: the published tables.
        asked: the `networks` of the run's configuration.
        lost: what `lost_claims` finds.
        other: what `differences` finds.

    Raises:
        ValueError: a table of the run lacks a column that the published one has.
    """
    astray, columns, found = 0, {}, {}
    for name, table in run.items():
        astray += asked.map(ROWS[name]).sub(table.groupby(RUN).size(), fill_value=0).abs().sum()
        ours, theirs = _numbers(table, published[name].columns), _numbers(published[name], published[name].columns)
        columns[name], found[name] = _columns(ours, theirs), comparisons(ours, theirs)
    clearest = corrected(found).dropna(subset="p").sort_values("p", ignore_index=True)
    part = shared(run["models"], published["models"])
    return Verification(part, int(astray), pd.concat(columns, names=["table", "column"]), clearest, lost, other)


def shared(run: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """What a run has of the published networks, from the tables of models.

    Returns:
        By GROUP of what is published: in words, the `strengths` and `seeds`; and numbers of networks: `published`;
        `paired`, those that the run has, too; `compared`, the same, or if there are none, networks of the run at
        strengths that are published.
    """
    lines = {}
    for group, theirs in published.groupby(GROUP):
        ours = run[(run[GROUP] == list(group)).all(axis=1) & run["strength"].isin(theirs["strength"])]
        pairs = ours.merge(theirs[RUN])
        seeds = "none"
        if len(pairs):  # other seeds are left out
            seeds = f"{_span(pairs)} of {_span(theirs)}, paired"
        elif len(ours):
            seeds = f"{_span(ours)} with {_span(theirs)}, pooled"
        strengths = f"{ours['strength'].nunique()} of {theirs['strength'].nunique()}"
        lines[group] = strengths, seeds, len(pairs), len(pairs) or len(ours), len(theirs)
    names = ["strengths", "seeds", "paired", "compared", "published"]
    return pd.DataFrame.from_dict(lines, "index", columns=names).set_index(
        pd.MultiIndex.from_tuples(lines, names=GROUP)
    )


def _span(models: pd.DataFrame) -> str:
    return f"{models['seed'].min()}-{models['seed'].max()}"


def _numbers(table: pd.DataFrame, columns: pd.Index) -> pd.DataFrame:
    """The columns of numbers, by those that name a row; NaN for what is infinite."""
    unknown = columns.difference(table.columns)
    if len(unknown):
        raise ValueError(f"the run's table lacks the columns {', '.join(unknown)}, which are published; make it anew")
    keys = [key for key in KEYS if key in columns]
    numbers = table[columns].drop_duplicates(keys).set_index(keys).astype(float)
    return numbers.replace([np.inf, -np.inf], np.nan).sort_index()


def _columns(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Compare number by number, where both have one of that name; two NaN are the same."""
    both = theirs.index.intersection(ours.index)
    ours, theirs = ours.loc[both], theirs.loc[both]
    difference = (ours - theirs).abs()
    allowed = SAME * theirs.abs().clip(lower=theirs.abs().median(), axis=1)
    allowed.loc[:, theirs.columns.str.match("q$|q_")] = SAME_Q
    same = (difference <= allowed) | (ours.isna() & theirs.isna())
    return pd.DataFrame({"same": same.mean(), "largest": difference.max()})


def lost_claims(run: pd.DataFrame, published: pd.DataFrame) -> list[str]:
    """The ids in claims.csv that hold as published, and fail in the run."""
    both = published.merge(run, on="id", suffixes=(" published", ""))
    return list(both["id"][(both["verdict published"] == "holds") & (both["verdict"] == "fails")])


def differences(run: Mapping, published: Mapping) -> list[str]:
    """What differs between two runs' `provenance` that numbers of networks of both may depend on: a line for each."""
    experiments = [{name for name, found in one["config"]["experiments"].items() if found} for one in (run, published)]
    ours, theirs = (_what_matters(found, set.intersection(*experiments)) for found in (run, published))
    processors = [_processors(found) for found in (run, published)]
    if not processors[0] <= processors[1]:
        ours["processors"], theirs["processors"] = ("; ".join(sorted(names)) for names in processors)
    return [
        f"{key}: {ours.get(key)}, published {theirs.get(key)}"
        for key in sorted(ours.keys() | theirs.keys())
        if ours.get(key) != theirs.get(key)
    ]


def _what_matters(found: Mapping, experiments: set[str]) -> dict:
    """Of a run's provenance, what numbers of these experiments may depend on, by names with dots between."""
    of_experiments = {
        name: {key: value for key, value in found["config"]["experiments"][name].items() if key not in WHICH}
        for name in experiments
    }
    parts = {part: found[part] for part in ("versions", "machine", "config")}
    parts["config"] = parts["config"] | {"experiments": of_experiments}
    flat = pd.json_normalize(parts).iloc[0].to_dict()
    return {key: value for key, value in flat.items() if not key.startswith(NO_MATTER)}


def _processors(found: Mapping) -> set[str]:
    """Those that did the jobs; if no log names them, that of the machine that put the run together."""
    named = {one["processor"] for one in found.get("processors", [])} - {NOT_RECORDED}
    return named or {found["machine"]["processor"]}


def report(found: Verification) -> str:
    """verification.txt: the verdict first, then the part that was compared, then how it compares."""
    which = "the whole run" if found.whole else "this part of the run"
    verdict = f"{which} {'is the same as published' if found.same.all() else 'agrees with what is published'}"
    other = found.other or ["nothing that numbers depend on: all of them must be the same"]
    sections = [
        "\n".join([f"FAILED: {reason}" for reason in found.failures] or [f"PASSED: {verdict}"]),
        f"What was compared, {which}; how many networks:\n{_text(found.part)}",
        "\n".join(["What differs in machine, versions and configuration:", *other]),
        EXPLANATION,
    ]
    if len(found.found):
        sections.append(f"The clearest differences:\n{_text(found.found.head(40).set_index('table'))}")
    different = set(zip(found.found["table"], found.found["column"].str.removesuffix(" missing"), strict=True))
    columns = found.columns.assign(verdict=np.where(found.same, "same", "similar"))
    columns.loc[list(different), "verdict"] = "different"
    sections += [f"{name}\n{_text(rows.loc[name])}" for name, rows in columns.groupby("table", sort=False)]
    return "\n\n".join(sections) + "\n"


def _text(frame: pd.DataFrame) -> str:
    return frame.reset_index().to_string(index=False, na_rep="", float_format="{:.3g}".format)
