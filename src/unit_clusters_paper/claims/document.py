"""What follows from code and published tables: `python -m unit_clusters_paper.claims.document`.

Run in the repository's root, it scores the published tables of both data sets, and writes their scorecards and the
parts of docs/claims.md anew.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pandas as pd

from unit_clusters_paper.claims.changes import CHANGES, belongs
from unit_clusters_paper.claims.paper import CLAIMS, SECTIONS
from unit_clusters_paper.claims.rules import Claim, Row
from unit_clusters_paper.claims.scorecard import beside, score, to_markdown, verdict_on, write_csv
from unit_clusters_paper.results.selection import read
from unit_clusters_paper.runs.files import written_whole

TEXT, PUBLISHED = Path("docs/claims.md"), Path("results/published")

EARLIER = {"first": Path("docs/claims_first.csv"), "second": Path("docs/claims_second.csv")}
"""The scorecards before this one."""

OTHER_DATA = "fashion-mnist"

ONLY_ALIVE = "/alive"
"""The end of an id of the first scorecard that is a check now, and no verdict."""

ROWS = {claim.row_id(row): row for claims in SECTIONS.values() for claim in claims for row in claim.rows}


def fill(text: str, scored: pd.DataFrame, earlier: Mapping[str, pd.DataFrame]) -> str:
    """Put the generated parts of docs/claims.md between their marks.

    Args:
        text: docs/claims.md.
        scored: claims.csv of the published tables.
        earlier: the scorecards EARLIER.

    Raises:
        ValueError: the text lacks a mark; the message names it.
    """
    new = [rows for rows in CHANGES if _of(earlier["first"], rows).empty]
    parts = {
        "rules": [_rules(section, claims) for section, claims in SECTIONS.items()],
        "changed": [_change(rows, scored, earlier) for rows in CHANGES if rows not in new],
        "added": [_change(rows, scored, earlier) for rows in new],
        "verdicts": [_verdicts(scored, earlier)],
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


NUMBER = r"(?<=good )(L1|L2|l1|l2|dropout) \([\d.]+(; early [\d.]+)?\)"
"""These strengths, in an earlier scorecard."""


def _rules(section: str, claims: Iterable[Claim]) -> str:
    """Every claim of a section, its statistics and their rules."""
    lines = [f"### {section}", "", "| claim | statistic | by | holds if |", "|---|---|---|---|"]
    for claim in claims:
        lines.append(f"| **{claim.id}** ({claim.where}) | *{claim.text}* | | |")
        for row in claim.rows:
            statistic = plain(row) + ", each good strength by itself" * row.each_strength
            lines.append(f"| {claim.row_id(row)} | {statistic} | `{row.column}` | {row.rule} |")
    return "\n".join(lines)


def _change(rows: str, scored: pd.DataFrame, earlier: Mapping[str, pd.DataFrame]) -> str:
    """A changed rule: why, how it was, how it is, and the verdicts."""
    now = [(plain(row), str(row.rule)) for id, row in ROWS.items() if belongs(id, rows)]
    lines, verdicts = [f"**{rows}**. {CHANGES[rows]}", ""], []
    known: set[tuple[str, str]] = set()
    for which, scorecard in earlier.items():
        before = _of(scorecard[~scorecard["id"].str.endswith(ONLY_ALIVE)], rows)
        was = [
            (re.sub(NUMBER, r"\1", one), rule) for one, rule in zip(before["statistic"], before["rule"], strict=True)
        ]
        lines += _listed(which, [rule for rule in was if rule not in known and rule not in now])
        known.update(was)
        if len(before):
            verdicts.append(f"{which} {_then(before)}")
    lines += [*_listed("now", now), f"- verdict: {'; '.join([*verdicts, f'now {_now(scored, rows)}'])}"]
    return "\n".join(lines)


def _listed(word: str, rules: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Statistics and rules; those that differ by their experiment or regulariser only, once."""
    known = set()
    for statistic, rule in rules:
        kind = re.sub(r"\b(base|wide|deep|l1|l2|dropout|rmi|vi|ari|nmi)\b", "", statistic)
        if kind not in known:
            known.add(kind)
            yield f"- {word}: {statistic}; *{rule}*"


def _verdicts(scored: pd.DataFrame, earlier: Mapping[str, pd.DataFrame]) -> str:
    """The verdict on each claim, by the earlier scorecards and by this one."""
    lines = [f"| claim | {' | '.join(earlier)} | now | with early stopping |", f"|---|---|---|{'---|' * len(earlier)}"]
    for id in CLAIMS:
        then = " | ".join(_then(_of(scorecard, id)) for scorecard in earlier.values())
        lines.append(f"| {id} | {then} | {_verdict(scored, id)} | {_verdict(scored, id, 'early_verdict')} |")
    return "\n".join(lines)


def _of(scorecard: pd.DataFrame, rows: str) -> pd.DataFrame:
    return scorecard[[belongs(id, rows) for id in scorecard["id"]]]


def _then(rows: pd.DataFrame) -> str:
    """By an earlier scorecard; rows that differ were mixed by the first, split by the second."""
    found = {verdict.partition(": ")[0] for verdict in rows["verdict"]}
    return "not scored" if not found else found.pop() if len(found) == 1 else "mixed"


def _verdict(scored: pd.DataFrame, rows: str, column: str = "verdict") -> str:
    """On some rows of a claim."""
    return verdict_on(CLAIMS[rows.partition("/")[0]], _of(scored, rows), column)


def _now(scored: pd.DataFrame, rows: str) -> str:
    early = _verdict(scored, rows, "early_verdict")
    return _verdict(scored, rows) + (f", with early stopping {early}" if early else "")


def published(folder: Path) -> pd.DataFrame:
    """Score the published tables in this folder."""
    paths = {name: folder / "tables" / f"{name}.csv.gz" for name in ("models", "modularity", "agreement", "weights")}
    paths = {name: path for name, path in paths.items() if path.exists()}
    return score(**read(paths, limit(folder)))


def limit(folder: Path) -> float:
    """The test accuracy below which networks of a published run are left out."""
    return json.loads((folder / "provenance.json").read_text(encoding="utf-8"))["config"]["min_test_accuracy"]


def main() -> None:
    here, there = (published(folder) for folder in (PUBLISHED, PUBLISHED / OTHER_DATA))
    for folder, scored, other in ((PUBLISHED, here, there), (PUBLISHED / OTHER_DATA, there, here)):
        scored = beside(scored, other)
        write_csv(scored, folder / "claims.csv")
        with written_whole(folder / "claims.md") as temporary:
            temporary.write_text(to_markdown(scored, limit(folder)), encoding="utf-8")
    earlier = {name: pd.read_csv(path) for name, path in EARLIER.items()}
    text = fill(TEXT.read_text(encoding="utf-8"), here, earlier)
    with written_whole(TEXT) as temporary:
        temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
