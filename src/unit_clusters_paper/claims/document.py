"""The parts of docs/claims.md that follow from code and runs: `python -m unit_clusters_paper.claims.document`.

Run in the repository's root, it scores the published tables and writes these parts anew.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd
import yaml

from unit_clusters_paper.claims.changes import ADDED, CHANGED, Change, belongs
from unit_clusters_paper.claims.paper import SECTIONS
from unit_clusters_paper.claims.rules import Claim, Row
from unit_clusters_paper.claims.scorecard import overall, score
from unit_clusters_paper.results.selection import read
from unit_clusters_paper.runs.files import written_whole

TEXT, FIRST, TABLES, CONFIG = "docs/claims.md", "docs/claims_first.csv", "results/published/tables", "config.yaml"

ONLY_ALIVE = "/alive"
"""The end of an id of the first scorecard that is a check now, and no verdict."""


def fill(text: str, scored: pd.DataFrame, first: pd.DataFrame) -> str:
    """Put the generated parts of docs/claims.md between their marks.

    Args:
        text: docs/claims.md.
        scored: claims.csv of the published tables.
        first: docs/claims_first.csv.

    Raises:
        ValueError: the text lacks a mark; the message names it.
    """
    parts = {
        "rules": rules(),
        "changed": changed(scored, first),
        "added": added(scored),
        "verdicts": verdicts(scored, first),
    }
    for name, lines in parts.items():
        begin, end = f"<!-- {name}: made by unit_clusters_paper.claims.document -->", f"<!-- end of {name} -->"
        text, number = re.subn(
            f"{re.escape(begin)}.*?{re.escape(end)}",
            lambda _, lines=lines, begin=begin, end=end: "\n".join([begin, "", *lines, "", end]),
            text,
            flags=re.DOTALL,
        )
        if number != 1:
            raise ValueError(f"docs/claims.md must hold {begin} and {end} once")
    return text


def rules() -> Iterator[str]:
    """A table a section: every claim, its statistics and their rules."""
    for number, (section, claims) in enumerate(SECTIONS.items()):
        yield from ([""] if number else [])
        yield from (f"### {section}", "", "| claim | statistic | by | holds if |", "|---|---|---|---|")
        for claim in claims:
            yield f"| **{claim.id}** ({claim.where}) | *{_escaped(claim.text)}* | | |"
            yield from (_rule(claim, row) for row in claim.rows)


def _rule(claim: Claim, row: Row) -> str:
    each = ", each good strength by itself" if row.each_strength else ""
    return f"| {claim.row_id(row)} | {_escaped(plain(row))}{each} | `{row.column}` | {_escaped(str(row.rule))} |"


def plain(row: Row) -> str:
    """The statistic without the strengths that a run gives it."""
    return re.sub(r" \(\{[^}]*\}\)", "", row.statistic)


def changed(scored: pd.DataFrame, first: pd.DataFrame) -> Iterator[str]:
    """Each changed rule: how it was, how it is, why, and the verdicts."""
    for number, change in enumerate(CHANGED):
        yield from ([""] if number else [])
        before = first[[belongs(id, change.rows) and not id.endswith(ONLY_ALIVE) for id in first["id"]]]
        yield f"**{change.rows}**. {_escaped(change.why)}"
        yield ""
        yield from _listed("was", zip(before["statistic"], before["rule"], strict=True))
        yield from _listed("is", ((plain(row), str(row.rule)) for row in _rows(change)))
        yield f"- verdict: {_then(before)}; {_now(scored, change.rows)}"


def _listed(word: str, rules: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Statistics and rules; those that differ by their experiment or regulariser only, once."""
    known = set()
    for statistic, rule in rules:
        kind = re.sub(r"\b(base|wide|deep|l1|l2|dropout|rmi|vi|ari|nmi)\b", "", statistic)
        if kind not in known:
            known.add(kind)
            yield f"- {word}: {_escaped(statistic)}; *{_escaped(rule)}*"


def _rows(change: Change) -> list[Row]:
    every = ((claim.row_id(row), row) for claims in SECTIONS.values() for claim in claims for row in claim.rows)
    return [row for id, row in every if belongs(id, change.rows)]


def added(scored: pd.DataFrame) -> Iterator[str]:
    """Each claim that was added, why so, and its verdict."""
    for change in ADDED:
        yield f"- **{change.rows}**. {_escaped(change.why)} Verdict: {_now(scored, change.rows)}"


def verdicts(scored: pd.DataFrame, first: pd.DataFrame) -> Iterator[str]:
    """The verdict on each claim, by the first scorecard and by this one."""
    if not scored["early_verdict"].any():
        yield "The published tables have no experiment `early`: their base networks were trained with early stopping."
        yield ""
    yield from ("| claim | first scorecard | now | with early stopping |", "|---|---|---|---|")
    for claim in (claim for claims in SECTIONS.values() for claim in claims):
        before = first[[belongs(id, claim.id) for id in first["id"]]]
        now = scored[[belongs(id, claim.id) for id in scored["id"]]]
        yield f"| {claim.id} | {_then(before)} | {overall(now['verdict'])} | {_early(now)} |"


def _then(rows: pd.DataFrame) -> str:
    """By the first scorecard, which called both undecided and split rows mixed."""
    found = set(rows["verdict"])
    return "not scored" if not found else found.pop() if len(found) == 1 else "mixed"


def _now(scored: pd.DataFrame, rows: str) -> str:
    now = scored[[belongs(id, rows) for id in scored["id"]]]
    early = _early(now)
    return f"now {overall(now['verdict'])}" + (f", with early stopping {early}" if early else "")


def _early(rows: pd.DataFrame) -> str:
    return overall(rows["early_verdict"]) if rows["early_verdict"].any() else ""


def _escaped(text: str) -> str:
    return text.replace("Q*", r"Q\*")


def published(root: Path) -> pd.DataFrame:
    """Score the published tables of the repository in this folder, with the limit of its configuration."""
    paths = {name: root / TABLES / f"{name}.csv.gz" for name in ("models", "modularity", "agreement")}
    return score(**read(paths, yaml.safe_load((root / CONFIG).read_text())["min_test_accuracy"]))


def main() -> None:
    text = fill(Path(TEXT).read_text(), published(Path()), pd.read_csv(FIRST))
    with written_whole(TEXT) as temporary:
        temporary.write_text(text)


if __name__ == "__main__":
    main()
