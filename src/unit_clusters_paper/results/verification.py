"""How another run, or a part of one, compares with the published run.

On a like machine with like versions every number must be the same. Elsewhere libraries add up in another order, and
training enlarges that until networks are others (docs/reliability.md). Then no mean may differ by more than seeds do
(`replication`), and no claim that was reproduced may turn into one that is not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from unit_clusters.similarity.measures import FORMS
from unit_clusters_paper.results.published import KEYS
from unit_clusters_paper.results.replication import FALSE_ALARM, GROUP, at_settings_of, comparisons, corrected
from unit_clusters_paper.runs import sweep
from unit_clusters_paper.runs.provenance import NOT_RECORDED
from unit_clusters_paper.runs.sweep import RUN_COLUMNS

SAME = 1e-6
"""Two numbers are the same up to this difference, relative to the number or to its column's median size."""

SAME_Q = 2e-9
"""The same for modularity, absolute: it moves so far on another machine of one kind, where weights and clusters are the
same to the bit."""

ROWS = {
    "models": lambda layers: 1,
    "modularity": lambda layers: layers * len(FORMS),
    "agreement": lambda layers: layers * len(FORMS) * (len(FORMS) - 1) // 2,
    "repeats": lambda layers: layers * len(FORMS),
}
"""Of each table, how many rows a network of so many layers has."""

NO_MATTER = (
    *("machine.cores", "machine.processor", "config.pathvars", "config.published", "config.figures"),
    *("config.untrained", "config.dataset.folder"),
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


class Table(NamedTuple):
    """How a table of a run compares with the published one."""

    part: pd.DataFrame
    """By GROUP, numbers of rows: `published`; `paired`, with one row of the run each; `compared`, the same, or where
    there are no pairs, rows of the run at strengths that are published; `astray`, too few or too many by its
    configuration."""
    columns: pd.DataFrame
    """By column, of the paired rows: the share that is the `same`, and the `largest` difference."""
    comparisons: pd.DataFrame
    """`replication.comparisons`."""

    @property
    def same(self) -> pd.Series:
        """Of each column, whether all numbers that are compared are the same."""
        return (self.columns["same"] == 1) & (self.part["paired"] == self.part["compared"]).all()


def networks(config: Mapping) -> pd.DataFrame:
    """The networks that a configuration asks for: RUN_COLUMNS, and their number of `layers`."""
    rows = [run | {"layers": len(cohort.hidden)} for cohort in sweep.cohorts(config) for run in cohort.runs]
    return pd.DataFrame(rows)[[*RUN_COLUMNS, "layers"]]


def compare_all(
    run: Mapping[str, pd.DataFrame], published: Mapping[str, pd.DataFrame], config: Mapping
) -> dict[str, Table]:
    """Compare all tables, by their names; `config` is the run's."""
    layers = networks(config).set_index(list(RUN_COLUMNS))["layers"]
    return {name: compare(table, published[name], layers.map(ROWS[name])) for name, table in run.items()}


def compare(run: pd.DataFrame, published: pd.DataFrame, rows: pd.Series) -> Table:
    """Compare a table with the published one.

    Args:
        run: the run's table; columns that it alone has are left out.
        published: the published table.
        rows: how many rows each network of the run should have, by RUN_COLUMNS.

    Raises:
        ValueError: the run's table lacks a column that the published one has.
    """
    unknown = published.columns.difference(run.columns)
    if len(unknown):
        raise ValueError(f"the run's table lacks the columns {', '.join(unknown)}, which are published; make it anew")
    ours, theirs = (_numbers(table[published.columns]) for table in (run, published))
    both = theirs.index.intersection(ours.index)
    indices = {"published": theirs.index, "compared": at_settings_of(ours, theirs).index, "paired": both}
    part = pd.DataFrame({name: index.to_frame(index=False).groupby(GROUP).size() for name, index in indices.items()})
    part["compared"] = part["paired"].fillna(part["compared"])  # where there are pairs, other seeds are left out
    astray = rows.sub(run.groupby(list(RUN_COLUMNS)).size(), fill_value=0).abs().groupby(GROUP).sum().rename("astray")
    return Table(
        part.join(astray, how="outer").fillna(0).astype(int),
        _columns(ours.loc[both], theirs.loc[both]),
        comparisons(ours, theirs),
    )


def _numbers(table: pd.DataFrame) -> pd.DataFrame:
    """The columns of numbers, by those that name a row; NaN for what is infinite."""
    keys = [key for key in KEYS if key in table]
    numbers = table.drop_duplicates(keys).set_index(keys).astype(float)
    return numbers.replace([np.inf, -np.inf], np.nan).sort_index()


def _columns(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Compare number by number; two NaN are the same."""
    difference = (ours - theirs).abs()
    allowed = SAME * theirs.abs().clip(lower=theirs.abs().median(), axis=1)
    allowed.loc[:, theirs.columns.str.match("q$|q_")] = SAME_Q
    same = (difference <= allowed) | (ours.isna() & theirs.isna())
    return pd.DataFrame({"same": same.mean(), "largest": difference.max()}).rename_axis("column")


def lost_claims(run: pd.DataFrame, published: pd.DataFrame) -> list[str]:
    """The ids in claims.csv that are published as reproduced, and not reproduced in the run."""
    both = published.merge(run, on="id", suffixes=(" published", ""))
    return list(both["id"][(both["verdict published"] == "reproduced") & (both["verdict"] == "not reproduced")])


def differences(run: Mapping, published: Mapping) -> list[str]:
    """What differs between two runs' `provenance` that numbers of networks of both may depend on: a line for each."""
    shared = [name for name, found in run["config"]["experiments"].items() if found]
    shared = [name for name in shared if published["config"]["experiments"].get(name)]
    ours, theirs = (_what_matters(found, shared) for found in (run, published))
    processors = [_processors(found) for found in (run, published)]
    if not processors[0] <= processors[1]:
        ours["processors"], theirs["processors"] = ("; ".join(sorted(names)) for names in processors)
    return [
        f"{key}: {ours.get(key)}, published {theirs.get(key)}"
        for key in sorted(ours.keys() | theirs.keys())
        if ours.get(key) != theirs.get(key)
    ]


def _what_matters(found: Mapping, experiments: Sequence[str]) -> dict:
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


@dataclass(frozen=True)
class Verification:
    """How a run compares with the published one."""

    tables: Mapping[str, Table]
    """`compare_all`."""
    lost: Sequence[str]
    """`lost_claims`; they count only if the run is whole."""
    other: Sequence[str]
    """`differences`. Without any, all numbers must be the same."""

    @cached_property
    def part(self) -> pd.DataFrame:
        """Rows of all tables together."""
        return sum(table.part for table in self.tables.values())

    @cached_property
    def whole(self) -> bool:
        """Whether the run has all that is published."""
        return bool((self.part["compared"] >= self.part["published"]).all())

    @cached_property
    def same(self) -> bool:
        """Whether all numbers are."""
        return all(table.same.all() for table in self.tables.values())

    @cached_property
    def comparisons(self) -> pd.DataFrame:
        """`replication.corrected`, the clearest first, without those that have too few networks or seeds."""
        every = corrected({name: table.comparisons for name, table in self.tables.items()})
        return every.dropna(subset="p").sort_values("p", ignore_index=True)

    @property
    def found(self) -> pd.DataFrame:
        """The comparisons that find a difference."""
        return self.comparisons[self.comparisons["p"] <= FALSE_ALARM]

    @property
    def untold(self) -> list[str]:
        """What is compared and has too few networks or seeds for any comparison."""
        compared = self.part.index[self.part["compared"] > 0]
        return [" ".join(group) for group in compared.difference(self.comparisons.set_index(GROUP).index)]

    @cached_property
    def failures(self) -> list[str]:
        """Why it fails, a line each."""
        part, found = self.part, self.found
        reasons = {
            "the published run has none of its networks' experiments, regularisers and strengths": (
                not part["compared"].any()
            ),
            f"{part['astray'].sum()} rows are missing, or too many, by the run's own configuration": (
                part["astray"].any()
            ),
            "not all numbers are the same, though machine, versions and configuration are": (
                not self.same and not self.other
            ),
            f"too few networks or seeds to compare, unless all numbers are the same: {', '.join(self.untold)}": (
                not self.same and len(self.untold) > 0
            ),
            f"{len(found)} comparisons find a difference": len(found) > 0,
            f"claims that were reproduced are not: {', '.join(self.lost)}": self.whole and len(self.lost) > 0,
        }
        return [reason for reason, holds in reasons.items() if holds]


def report(found: Verification, run: pd.DataFrame, published: pd.DataFrame) -> str:
    """verification.txt: the verdict first, then the part that was compared, then how it compares.

    Args:
        found: what was compared.
        run: its models.csv.
        published: that of the published run.
    """
    which = "the whole run" if found.whole else "this part of the run"
    verdict = f"{which} {'is the same as published' if found.same else 'agrees with what is published'}"
    other = found.other or ["nothing that numbers depend on: all of them must be the same"]
    different = found.found.assign(column=found.found["column"].str.removesuffix(" missing"))
    sections = [
        "\n".join([f"FAILED: {reason}" for reason in found.failures] or [f"PASSED: {verdict}"]),
        f"What was compared, {which}:\n{_text(_part(found.part, run, published))}",
        "\n".join(["What differs in machine, versions and configuration:", *other]),
        EXPLANATION,
    ]
    if len(different):
        sections.append(f"The clearest differences:\n{_text(found.found.head(40))}")
    for name, table in found.tables.items():
        columns = table.columns.assign(verdict="similar")
        columns.loc[table.same, "verdict"] = "same"
        columns.loc[list(set(different["column"][different["table"] == name])), "verdict"] = "different"
        sections.append(f"{name}\n{_text(columns.reset_index())}")
    return "\n\n".join(sections) + "\n"


def _text(frame: pd.DataFrame) -> str:
    return frame.to_string(index=False, na_rep="", float_format="{:.3g}".format)


def _part(part: pd.DataFrame, run: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """The part that was compared, for readers."""
    lines = []
    for group, rows in part.iterrows():
        ours, theirs = (_having(frame, group) for frame in (run, published))
        pairs = ours["seed"] & theirs["seed"]
        seeds = "none"
        if rows["compared"]:
            seeds = f"{_span(ours['seed'])} with {_span(theirs['seed'])}, pooled"
            if pairs:
                seeds = f"{_span(pairs)} of {_span(theirs['seed'])}, paired"
        lines.append(
            {
                **dict(zip(GROUP, group, strict=True)),
                "strengths": f"{len(ours['strength'] & theirs['strength'])} of {len(theirs['strength'])}",
                "seeds": seeds,
                "rows": f"{rows['compared']} of {rows['published']}",
                "missing or too many": rows["astray"],
            }
        )
    return pd.DataFrame(lines)


def _having(models: pd.DataFrame, group: tuple[str, str]) -> dict[str, set]:
    """The strengths and seeds of one of GROUP."""
    of_group = models[(models["experiment"] == group[0]) & (models["regularizer"] == group[1])]
    return {name: set(of_group[name]) for name in ("strength", "seed")}


def _span(seeds: set[int]) -> str:
    return f"{min(seeds)}-{max(seeds)}"
