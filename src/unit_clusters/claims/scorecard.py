"""Score the claims: intervals, verdicts, claims.csv and claims.md."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

from unit_clusters.claims.networks import Groups, NotTestable, Sample, arrange, bootstrap, one_by_one
from unit_clusters.claims.paper import SECTIONS
from unit_clusters.claims.rules import Claim, Row, Rule
from unit_clusters.files import written_whole

COLUMNS = ("id", "where", "claim", "statistic", "value", "ci_low", "ci_high", "rule", "verdict", "per_seed")

REPRODUCED, MIXED, NOT_REPRODUCED, NOT_TESTABLE = "reproduced", "mixed", "not reproduced", "not testable"

REPLICATES = 2000

FEW_SEEDS = 3
"""Up to so many seeds are also shown one by one."""


def score(
    models: pd.DataFrame, modularity: pd.DataFrame, agreement: pd.DataFrame, replicates: int = REPLICATES
) -> pd.DataFrame:
    """Score all claims of `paper.SECTIONS`.

    Args:
        models: models.csv.
        modularity: modularity.csv.
        agreement: agreement.csv.
        replicates: how many bootstrap samples.

    Returns:
        claims.csv, with the columns COLUMNS and a row a statistic; `value`, `ci_low` and `ci_high` are NaN where it is
        not testable, and `per_seed` is "" unless the row's experiment has at most FEW_SEEDS seeds.

    Raises:
        ValueError: the tables are not of one run, or not whole (`networks.arrange`).
    """
    groups = arrange(models, modularity, agreement)
    sample = bootstrap(groups, replicates)
    rows = [
        (f"{claim.id}/{row.suffix}".rstrip("/"), claim.where, claim.text, row.statistic, *_score(row, groups, sample))
        for claims in SECTIONS.values()
        for claim in claims
        for row in claim.rows
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _score(row: Row, groups: Groups, sample: Sample) -> tuple[float, float, float, str, str, str]:
    """Value, interval, rule, verdict and per_seed of one row."""
    untested = (np.nan, np.nan, np.nan, str(row.rule))
    try:
        values = row.value(sample)
    except NotTestable as reason:
        return *untested, f"{NOT_TESTABLE}: {reason}", ""
    if np.isnan(values[0]):
        return *untested, f"{NOT_TESTABLE}: these networks leave it undefined", ""
    low, high = interval(values[1:])
    return values[0], low, high, str(row.rule), verdict(low, high, row.rule), _per_seed(row, groups)


def _per_seed(row: Row, groups: Groups) -> str:
    if row.experiment is None or len(groups[row.experiment, True].seeds) > FEW_SEEDS:
        return ""
    values = row.value(one_by_one(groups, row.experiment))
    seeds = groups[row.experiment, True].seeds
    return "; ".join(f"{seed}: {value:.3g}" for seed, value in zip(seeds, values, strict=True))


def interval(values: Float[np.ndarray, " replicates"]) -> tuple[float, float]:
    """The 95 % percentile interval, without the replicates in which the statistic is undefined."""
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(low), float(high)


def verdict(low: float, high: float, rule: Rule) -> str:
    """Whether the rule holds at the whole interval, fails at the whole interval, or neither."""
    if rule.low < low and high < rule.high:
        return REPRODUCED
    if high <= rule.low or low >= rule.high:
        return NOT_REPRODUCED
    return MIXED


def overall(verdicts: Iterable[str]) -> str:
    """The verdict on a claim from those on its rows: that of all that are testable, or mixed where these differ."""
    found = {one for one in verdicts if not one.startswith(NOT_TESTABLE)}
    if not found:
        return NOT_TESTABLE
    return found.pop() if len(found) == 1 else MIXED


def write_csv(scorecard: pd.DataFrame, path: str | Path) -> None:
    """Write claims.csv, numbers to six significant digits."""
    with written_whole(path) as temporary:
        scorecard.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")


def to_markdown(scorecard: pd.DataFrame) -> str:
    """claims.md: how many claims hold, and a table a section."""
    of_claim = dict(iter(scorecard.groupby(scorecard["id"].str.partition("/")[0])))
    verdicts = {id: overall(rows["verdict"]) for id, rows in of_claim.items()}
    lines = ["# The paper's claims, scored on our networks", "", summary(verdicts.values()), "", EXPLANATION]
    for section, claims in SECTIONS.items():
        lines += ["", f"## {section}", "", *HEADER]
        for claim in claims:
            lines += _claim_lines(claim, verdicts[claim.id], of_claim[claim.id])
    return "\n".join(lines).replace("Q*", r"Q\*") + "\n"


EXPLANATION = """\
A claim has one or more statistics, each with a rule that was fixed before the numbers were seen. A statistic is
*reproduced* if the rule holds at its whole 95 % bootstrap interval (over seeds, drawn together for all strengths),
*not reproduced* if it fails at the whole interval, and *mixed* otherwise. A claim is mixed, too, if its statistics
differ.

A *rise* is the mean difference to the networks with L2 = 1e-5 alone, seed by seed; a strength is *good* if at least
half of its seeds reach 80 % test accuracy; a *lead* is dropout's largest rise minus the larger of L2's and L1's, at
good strengths. *Within* a family are the pairs of two different measures, both upstream or both downstream; *across*
are the pairs of an upstream and a downstream measure. `element_similarity_alive` leaves out units that are unused
under either measure. Networks below 80 % test accuracy are left out, save where a claim is about accuracy."""


HEADER = (
    "| verdict | claim, and each of its statistics | value | 95 % interval | holds if | each seed |",
    "|---|---|---|---|---|---|",
)


def summary(verdicts: Iterable[str]) -> str:
    """How many claims hold, from the verdict on each."""
    number = Counter(verdicts)
    untested = number.pop(NOT_TESTABLE, 0)
    words = ", ".join(f"{number[one]} {one}" for one in (REPRODUCED, MIXED, NOT_REPRODUCED))
    rest = f"; {untested} more cannot be tested on this run" if untested else ""
    return f"**{words} of {number.total()} claims**{rest}."


def _claim_lines(claim: Claim, verdict: str, rows: pd.DataFrame) -> Iterable[str]:
    """A line for the claim, and one for each of its rows in claims.csv."""
    untested = int(rows["value"].isna().sum())
    part = f" ({untested} of {len(rows)} not testable)" if 0 < untested < len(rows) else ""
    yield f"| **{verdict}**{part} | **{claim.id}** ({claim.where}): {claim.text} | | | | |"
    for row in rows.itertuples():
        suffix = row.id.partition("/")[2]
        statistic = f"{suffix}: {row.statistic}" if suffix else row.statistic
        if np.isnan(row.value):
            verdict, _, reason = row.verdict.partition(": ")
            yield f"| {verdict} | {statistic} (*{reason}*) | | | {row.rule} | |"
        else:
            numbers = f"{row.value:.3g} | {row.ci_low:.3g} to {row.ci_high:.3g}"
            yield f"| {row.verdict} | {statistic} | {numbers} | {row.rule} | {row.per_seed} |"
