"""Score the claims: intervals, verdicts, claims.csv and claims.md."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from unit_clusters_paper.claims.intervals import Count, Interval, interval
from unit_clusters_paper.claims.networks import EARLY, Networks, NotTestable, arrange
from unit_clusters_paper.claims.paper import SECTIONS
from unit_clusters_paper.claims.rules import CHECKS, CORRECTED, EFFECTS, Claim, Row, Rule, Statistic
from unit_clusters_paper.runs.files import written_whole

COLUMNS = (
    *("id", "where", "claim", "statistic", "value", "ci_low", "ci_high", "interval", "rule", "verdict"),
    *("effect", "effect_unit", "robustness"),
    *("early_value", "early_ci_low", "early_ci_high", "early_verdict", "per_seed"),
)

REPRODUCED, SPLIT, UNDECIDED = "reproduced", "split", "undecided"
NOT_REPRODUCED, NOT_TESTABLE = "not reproduced", "not testable"

FEW_SEEDS = 3
"""Up to so many seeds are also shown one by one."""

UNDEFINED = "these networks leave it undefined"


class Judged(NamedTuple):
    """A statistic, what its limits are, and the verdict that follows."""

    found: Interval
    kind: str
    verdict: str


def score(
    models: pd.DataFrame, modularity: pd.DataFrame, agreement: pd.DataFrame, weights: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Score all claims of `paper.SECTIONS`.

    Args:
        models: models.csv.
        modularity: modularity.csv.
        agreement: agreement.csv.
        weights: weights.csv, if there is one.

    Returns:
        claims.csv, with the columns COLUMNS and a row a statistic. Numbers are NaN where a statistic is not testable;
        the columns of early stopping are empty unless the row is about base and the tables have the experiment EARLY;
        `per_seed` is empty unless the row's experiment has at most FEW_SEEDS seeds.

    Raises:
        ValueError: the tables are not of one run, or not whole (`networks.arrange`).
    """
    networks = arrange(models, modularity, agreement, weights)
    rows = [
        (claim.row_id(row), claim.where, claim.text, *_score(row, networks))
        for claims in SECTIONS.values()
        for claim in claims
        for template in claim.rows
        for row in template.at_each_strength(networks)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _score(row: Row, networks: Networks) -> tuple:
    """All of a row of claims.csv from the statistic on."""
    (value, low, high), kind, verdict = judge(row.value, row.column, row, networks)
    return (
        *(_statistic(row, networks), value, low, high, kind, str(row.rule), verdict),
        *(*_effect(row, networks), _robustness(row, networks)),
        *(*_early(row, networks), "" if np.isnan(value) else _per_seed(row, networks)),
    )


def judge(statistic: Statistic, column: str, row: Row, networks: Networks) -> Judged:
    """Estimate a statistic by a column, and hold it against the rule of a row."""
    nothing = Interval(np.nan, np.nan, np.nan)
    try:
        estimate = statistic(networks, column)
    except NotTestable as reason:
        return Judged(nothing, "", f"{NOT_TESTABLE}: {reason}")
    found = interval(estimate)
    if np.isnan(found.value):
        return Judged(nothing, "", f"{NOT_TESTABLE}: {UNDEFINED}")
    if not np.isfinite(found).all():
        seeds = list(_seeds(statistic, column, row, networks).values())
        kind = f"{len(seeds)} seed{'s' * (len(seeds) > 1)}: range" if seeds else "none"
        return Judged(Interval(found.value, min([found.value, *seeds]), max([found.value, *seeds])), kind, UNDECIDED)
    return Judged(found, "count" if isinstance(estimate, Count) else "95 %", verdict(found.low, found.high, row.rule))


def verdict(low: float, high: float, rule: Rule) -> str:
    """Whether the rule holds at the whole interval, fails at the whole interval, or neither."""
    if rule.low < low and high < rule.high:
        return REPRODUCED
    if high <= rule.low or low >= rule.high:
        return NOT_REPRODUCED
    return UNDECIDED


def overall(verdicts: Iterable[str]) -> str:
    """The verdict on a claim from those on its rows: that of all that are testable, or split where these differ."""
    found = {one for one in verdicts if not one.startswith(NOT_TESTABLE)}
    if not found:
        return NOT_TESTABLE
    return found.pop() if len(found) == 1 else SPLIT


def _statistic(row: Row, networks: Networks) -> str:
    """In words, with the strengths that it is taken at."""
    return re.sub(r"\{(\w+) (\w+)\}", lambda match: _strongest(networks, *match.groups()), row.statistic)


def _strongest(networks: Networks, experiment: str, regularizer: str) -> str:
    """The strongest good strength; where early stopping has another one than base, that too."""
    found = []
    for name in (experiment, EARLY) if experiment == "base" else (experiment,):
        settings = networks.groups[name, True].good_settings if (name, True) in networks.groups else []
        found.append(max((strength for other, strength in settings if other == regularizer), default=None))
    first, *others = ("none" if strength is None else f"{strength:.3g}" for strength in found)
    return first + "".join(f"; {EARLY} {other}" for other in others if other not in (first, "none"))


def _effect(row: Row, networks: Networks) -> tuple[float, str]:
    """How large, and its unit."""
    size, column = row.value, row.column
    if row.effect is None:
        column, unit = EFFECTS[column]
    else:
        size, unit = row.effect.size or row.value, row.effect.unit
        if column in CORRECTED:
            column, unit = CORRECTED[column], f"{unit}, corrected for chance"
    value = _value(size, column, networks)
    return value, "" if np.isnan(value) else unit


def _robustness(row: Row, networks: Networks) -> str:
    """The row's checks, each with its verdict and interval."""
    checks = {name: (row.value, column) for name, column in CHECKS.get(row.column, {}).items()}
    checks |= {name: (statistic, row.column) for name, statistic in row.checks.items()}
    return "; ".join(f"{name}: {_words(judge(*check, row, networks))}" for name, check in checks.items())


def _words(judged: Judged) -> str:
    if np.isnan(judged.found.value):
        return NOT_TESTABLE
    return "{} {:.3g} ({:.3g} to {:.3g})".format(judged.verdict, *judged.found)


def _early(row: Row, networks: Networks) -> tuple[float, float, float, str]:
    """The row on base's networks as early stopping trains them."""
    if "base" not in row.experiments or (EARLY, True) not in networks.groups:
        return (np.nan, np.nan, np.nan, "")
    found, _, verdict = judge(row.value, row.column, row, networks.with_trained("base", EARLY))
    return (*found, verdict)


def _per_seed(row: Row, networks: Networks) -> str:
    if not row.experiments or len(networks.groups[row.experiments[0], True].seeds) > FEW_SEEDS:
        return ""
    return "; ".join(f"{seed}: {value:.3g}" for seed, value in _seeds(row.value, row.column, row, networks).items())


def _seeds(statistic: Statistic, column: str, row: Row, networks: Networks) -> dict[int, float]:
    """The statistic of each seed of the row's experiment, alone; without those that leave it undefined."""
    seeds = networks.one_by_one(row.experiments[0]) if row.experiments else {}
    values = {seed: _value(statistic, column, one) for seed, one in seeds.items()}
    return {seed: value for seed, value in values.items() if not np.isnan(value)}


def _value(statistic: Statistic, column: str, networks: Networks) -> float:
    """NaN where it cannot be had."""
    try:
        found = statistic(networks, column)
    except NotTestable:
        return np.nan
    return float(getattr(found, "value", found))


def write_csv(scorecard: pd.DataFrame, path: str | Path) -> None:
    """Write claims.csv, numbers to six significant digits."""
    with written_whole(path) as temporary:
        scorecard.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")


# claims.md


def to_markdown(scorecard: pd.DataFrame, min_test_accuracy: float) -> str:
    """claims.md: how many claims hold, and a table a section.

    Args:
        scorecard: claims.csv.
        min_test_accuracy: trained networks below it are left out.
    """
    scorecard = scorecard.fillna({name: "" for name in ("robustness", "early_verdict", "per_seed")})
    of_claim = dict(iter(scorecard.groupby(scorecard["id"].str.partition("/")[0])))
    verdicts = [overall(rows["verdict"]) for rows in of_claim.values()]
    explanation = EXPLANATION.format(limit=f"{100 * min_test_accuracy:g} %")
    lines = ["# The paper's claims, scored on our networks", "", summary(verdicts), "", explanation]
    for section, claims in SECTIONS.items():
        lines += ["", f"## {section}", "", *HEADER]
        for claim in claims:
            lines += _claim_lines(claim, of_claim[claim.id])
    return "\n".join(lines).replace("Q*", r"Q\*") + "\n"


EXPLANATION = """\
A claim has one or more statistics, each with a rule. A statistic is *reproduced* if the rule holds at its whole 95 %
interval, *not reproduced* if it fails at the whole interval, and *undecided* if the interval straddles the limit. A
claim is *split* if its statistics differ. The paper's own metric gives the verdict. An effect size, other ways to look
at it, and for base networks the same with early stopping stand beside it and change nothing. How intervals are made,
and which rules changed after their numbers had been seen, is in docs/claims.md.

A *rise* is the mean difference to the networks with L2 = 1e-5 alone, seed by seed; a strength is *good* if at least
half of its seeds reach {limit} test accuracy; a *lead* is dropout's largest rise minus the larger of L2's and L1's, at
good strengths. A *size* is the root of the mean square, less what noise alone gives; below 0 if noise gives more.
*Within* a family are the pairs of two different measures, both upstream or both downstream; *across* are the pairs of
an upstream and a downstream measure. *Small networks that were trained alike*, as wide and deep ones were, are those
of the experiment early, or of base where there is no early. Networks below {limit} test accuracy are left out, save
where a claim is about accuracy."""


HEADER = (
    "| verdict | claim, and each of its statistics | value | 95 % interval | holds if | effect size "
    "| with early stopping | otherwise | each seed |",
    "|---|---|---|---|---|---|---|---|---|",
)


def summary(verdicts: Iterable[str]) -> str:
    """How many claims hold, from the verdict on each."""
    number = Counter(verdicts)
    untested = number.pop(NOT_TESTABLE, 0)
    words = ", ".join(f"{number[one]} {one}" for one in (REPRODUCED, SPLIT, UNDECIDED, NOT_REPRODUCED))
    rest = f"; {untested} more cannot be tested on this run" if untested else ""
    return f"**{words} of {number.total()} claims**{rest}."


def _claim_lines(claim: Claim, rows: pd.DataFrame) -> Iterable[str]:
    """A line for the claim, and one for each of its rows in claims.csv."""
    found = overall(rows["verdict"])
    early = _compared(found, overall(rows["early_verdict"])) if rows["early_verdict"].any() else ""
    yield f"| **{found}**{_numbers(rows)} | **{claim.id}** ({claim.where}): {claim.text} | | | | | {early} | | |"
    for row in rows.itertuples():
        suffix = row.id.partition("/")[2]
        statistic = f"{suffix}: {row.statistic}" if suffix else row.statistic
        if np.isnan(row.value):
            verdict, _, reason = row.verdict.partition(": ")
            yield f"| {verdict} | {statistic} (*{reason}*) | | | {row.rule} | | {row.early_verdict} | | |"
        else:
            yield f"| {row.verdict} | {statistic} | {' | '.join(_cells(row))} |"


def _numbers(rows: pd.DataFrame) -> str:
    """How many of a claim's rows have which verdict, where they differ."""
    number = rows["verdict"].str.partition(": ")[0].value_counts()
    return f" ({', '.join(f'{count} {one}' for one, count in number.items())})" if len(number) > 1 else ""


def _cells(row: tuple) -> Iterable[str]:
    yield f"{row.value:.3g}"
    limits = f"{row.ci_low:.3g} to {row.ci_high:.3g}"
    yield {"95 %": limits, "count": "a count"}.get(row.interval, f"{row.interval}, {limits}")
    yield row.rule
    yield "" if np.isnan(row.effect) else f"{row.effect:.3g} {row.effect_unit}"
    yield f"{_compared(row.verdict, row.early_verdict)}: {row.early_value:.3g}" if row.early_verdict else ""
    yield row.robustness
    yield row.per_seed


def _compared(verdict: str, early: str) -> str:
    """The verdict with early stopping, and where it is another one a word about that."""
    found = early.partition(": ")[0]
    if found == verdict or NOT_TESTABLE in (found, verdict):
        return found
    return f"{found} (**{'opposite' if {found, verdict} == {REPRODUCED, NOT_REPRODUCED} else 'differs'}**)"
