"""The parts of docs/claims.md that follow from code and runs: `python -m unit_clusters_paper.claims.document`.

Run in the repository's root, it scores the published tables and writes these parts anew.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd
import yaml

from unit_clusters_paper.claims.changes import CHANGES, belongs
from unit_clusters_paper.claims.paper import SECTIONS
from unit_clusters_paper.claims.rules import Claim, Row
from unit_clusters_paper.claims.scorecard import overall, score
from unit_clusters_paper.results.selection import read
from unit_clusters_paper.runs.files import written_whole

TEXT, FIRST, TABLES, CONFIG = "docs/claims.md", "docs/claims_first.csv", "results/published/tables", "config.yaml"

ONLY_ALIVE = "/alive"
"""The end of an id of the first scorecard that is a check now, and no verdict."""

ROWS = {claim.row_id(row): row for claims in SECTIONS.values() for claim in claims for row in claim.rows}


def fill(text: str, scored: pd.DataFrame, first: pd.DataFrame) -> str:
    """Put the generated parts of docs/claims.md between their marks.

    Args:
        text: docs/claims.md.
        scored: claims.csv of the published tables.
        first: docs/claims_first.csv.

    Raises:
        ValueError: the text lacks a mark; the message names it.
    """
    new = [rows for rows in CHANGES if _of(first, rows).empty]
    parts = {
        "rules": [_rules(section, claims) for section, claims in SECTIONS.items()],
        "changed": [_change(rows, scored, first) for rows in CHANGES if rows not in new],
        "added": ["\n".join(f"- **{rows}**. {CHANGES[rows]} Verdict: {_now(scored, rows)}" for rows in new)],
        "verdicts": [_verdicts(scored, first)],
    }
    for name, blocks in parts.items():
        begin, end = f"<!-- {name}: made by unit_clusters_paper.claims.document -->", f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise ValueError(f"docs/claims.md must hold {begin} and, after it, {end}")
        text = "\n\n".join([before + begin, *(block.replace("Q*", r"Q\*") for block in blocks), end + after])
    return text


def plain(row: Row) -> str:
    """The statistic without the strengths that a run gives it."""
    return re.sub(r" \(\{[^}]*\}\)", "", row.statistic)


def _rules(section: str, claims: Iterable[Claim]) -> str:
    """Every claim of a section, its statistics and their rules."""
    lines = [f"### {section}", "", "| claim | statistic | by | holds if |", "|---|---|---|---|"]
    for claim in claims:
        lines.append(f"| **{claim.id}** ({claim.where}) | *{claim.text}* | | |")
        for row in claim.rows:
            statistic = plain(row) + ", each good strength by itself" * row.each_strength
            lines.append(f"| {claim.row_id(row)} | {statistic} | `{row.column}` | {row.rule} |")
    return "\n".join(lines)


def _change(rows: str, scored: pd.DataFrame, first: pd.DataFrame) -> str:
    """A changed rule: why, how it was, how it is, and the verdicts."""
    before = _of(first[~first["id"].str.endswith(ONLY_ALIVE)], rows)
    was = zip(before["statistic"], before["rule"], strict=True)
    now = ((plain(row), str(row.rule)) for id, row in ROWS.items() if belongs(id, rows))
    verdict = f"- verdict: {_then(before)}; {_now(scored, rows)}"
    return "\n".join([f"**{rows}**. {CHANGES[rows]}", "", *_listed("was", was), *_listed("is", now), verdict])


def _listed(word: str, rules: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Statistics and rules; those that differ by their experiment or regulariser only, once."""
    known = set()
    for statistic, rule in rules:
        kind = re.sub(r"\b(base|wide|deep|l1|l2|dropout|rmi|vi|ari|nmi)\b", "", statistic)
        if kind not in known:
            known.add(kind)
            yield f"- {word}: {statistic}; *{rule}*"


def _verdicts(scored: pd.DataFrame, first: pd.DataFrame) -> str:
    """The verdict on each claim, by the first scorecard and by this one."""
    lines = ["| claim | first scorecard | now | with early stopping |", "|---|---|---|---|"]
    for claim in (claim.id for claims in SECTIONS.values() for claim in claims):
        now = _of(scored, claim)
        lines.append(f"| {claim} | {_then(_of(first, claim))} | {overall(now['verdict'])} | {_early(now)} |")
    return "\n".join(lines)


def _of(scorecard: pd.DataFrame, rows: str) -> pd.DataFrame:
    return scorecard[[belongs(id, rows) for id in scorecard["id"]]]


def _then(rows: pd.DataFrame) -> str:
    """By the first scorecard, which called both undecided and split rows mixed."""
    found = set(rows["verdict"])
    return "not scored" if not found else found.pop() if len(found) == 1 else "mixed"


def _now(scored: pd.DataFrame, rows: str) -> str:
    now = _of(scored, rows)
    early = _early(now)
    return f"now {overall(now['verdict'])}" + (f", with early stopping {early}" if early else "")


def _early(rows: pd.DataFrame) -> str:
    return overall(rows["early_verdict"]) if rows["early_verdict"].any() else ""


def published(root: Path) -> pd.DataFrame:
    """Score the published tables of the repository in this folder, with the limit of its configuration."""
    paths = {name: root / TABLES / f"{name}.csv.gz" for name in ("models", "modularity", "agreement", "weights")}
    paths = {name: path for name, path in paths.items() if path.exists()}
    return score(**read(paths, yaml.safe_load((root / CONFIG).read_text(encoding="utf-8"))["min_test_accuracy"]))


def main() -> None:
    text = fill(Path(TEXT).read_text(encoding="utf-8"), published(Path()), pd.read_csv(FIRST))
    with written_whole(TEXT) as temporary:
        temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
