"""Score the claims: intervals, verdicts, claims.csv and claims.md."""

import re
from bisect import bisect
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm

from unit_clusters_paper.claims.intervals import HIGH, LEVEL, LOW, Count, Interval, interval
from unit_clusters_paper.claims.networks import ABOVE_CHANCE, EARLY, Networks, NotTestable, arrange
from unit_clusters_paper.claims.paper import CLAIMS, MAIN, SECTIONS
from unit_clusters_paper.claims.rules import CHECKS, UNITS, Claim, Row, Rule, Statistic
from unit_clusters_paper.runs.files import written_whole

HOLDS, IN_PART, FAILS = "holds", "holds in part", "fails"
MORE_SEEDS, ON_THE_WORD, NOT_TESTABLE = "needs more seeds", "depends on the word", "not testable"
"""Verdicts. A row is never IN_PART."""

MARKS = {"early": "like for like", "live": "live units", "chance": "more than chance", "other": "other data"}
"""Other ways to look at a claim, by the beginning of their columns in claims.csv: see `EXPLANATION`."""

COLUMNS = (
    *("id", "where", "claim", "statistic", "value", "ci_low", "ci_high", "interval", "unit", "rule", "distance"),
    *("counts", "verdict", "seeds_needed"),
    *(f"{mark}_{column}" for mark in MARKS for column in ("value", "verdict")),
    *("robustness", "per_seed"),
)

FEW_SEEDS = 3
"""Up to so many seeds are also shown one by one."""

POWER, MOST_SEEDS = 0.9, 100
"""Needed seeds decide a rule with this probability, if the truth is what was found. No number is told beyond so many,
which are as many as the paper's untrained networks."""

UNDEFINED = "these networks leave it undefined"


class Judged(NamedTuple):
    """A statistic, what its limits are, the verdict that follows, and how many seeds it needs; NaN: no number."""

    found: Interval
    kind: str
    verdict: str
    seeds: float = np.nan


def score(
    models: pd.DataFrame,
    modularity: pd.DataFrame,
    agreement: pd.DataFrame,
    weights: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Score all claims of `paper.SECTIONS`.

    Args:
        models: models.csv.
        modularity: modularity.csv.
        agreement: agreement.csv.
        weights: weights.csv, if there is one.

    Returns:
        claims.csv, with the columns COLUMNS and a row a statistic. Numbers are NaN where a statistic is not testable;
        the columns of a mark are empty where it does not apply, those of EARLY also where the tables have none, those
        of other data until they are laid `beside`;
        `per_seed` is empty unless the row's experiment has at most FEW_SEEDS seeds.

    Raises:
        ValueError: the tables are not of one run, or not whole (`networks.arrange`).
    """
    networks = arrange(models, modularity, agreement, weights)
    rows = [
        _score(claim, row, networks)
        for claims in SECTIONS.values()
        for claim in claims
        for template in claim.rows
        for row in template.at_each_strength(networks)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def beside(scorecard: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """The same with the verdicts of other data, whose claims.csv is given, on the rows that are there, too."""
    there = other.set_index("id").reindex(scorecard["id"])
    found = {"other_value": there["value"].to_numpy(), "other_verdict": there["verdict"].fillna("").to_numpy()}
    return scorecard.assign(**found)


def _score(claim: Claim, row: Row, networks: Networks) -> tuple:
    """A row of claims.csv."""
    (value, low, high), kind, verdict, seeds = judge(row.value, row.column, row, networks)
    known = not np.isnan(value)
    return (
        *(claim.row_id(row), claim.where, claim.text, _statistic(row, networks), value, low, high, kind),
        *(row.unit or UNITS[row.column], str(row.rule), row.rule.distance(value) if known else np.nan),
        *(row.counts, verdict, seeds),
        *(field for mark in (_early, _live, _chance) for field in mark(row, networks)),
        *(np.nan, ""),
        *(_robustness(row, networks) if row.counts else "", _per_seed(row, networks) if known else ""),
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
    if found.low == -np.inf and found.high == np.inf:
        seeds = list(_seeds(statistic, column, row, networks).values())
        kind = f"{len(seeds)} seed{'s' * (len(seeds) > 1)}: range" if seeds else "none"
        shown = Interval(found.value, min([found.value, *seeds]), max([found.value, *seeds]))
        return Judged(shown, kind, MORE_SEEDS)
    verdict, seeds = decide(found, row.rule), np.nan
    if verdict == MORE_SEEDS:
        seeds = seeds_needed(statistic, column, row, networks)
        of_a_word = np.isnan(seeds) and row.rule.nearest(found.value) != 0  # 0 is no size that we gave to a word
        verdict = ON_THE_WORD if of_a_word else MORE_SEEDS
    return Judged(found, "count" if isinstance(estimate, Count) else "95 %", verdict, seeds)


def decide(found: Interval, rule: Rule) -> str:
    """Whether a rule holds at the whole interval, fails at the whole interval, or neither, and so needs more seeds."""
    if rule.low < found.low and found.high < rule.high:
        return HOLDS
    return FAILS if found.high <= rule.low or found.low >= rule.high else MORE_SEEDS


def seeds_needed(statistic: Statistic, column: str, row: Row, networks: Networks) -> float:
    """How many seeds of the row's first experiment would decide its rule with a probability of POWER.

    If more seeds are like those that are there, an interval of so many has the limits of these repeated. It decides
    with that probability where the rule is decided at a tail that leaves room for the chance of the estimate itself,
    by normal numbers. NaN: more than MOST_SEEDS, or no one experiment's.
    """
    if not row.experiments:
        return np.nan
    tail = norm.sf(norm.isf((1 - LEVEL) / 2) + norm.isf(1 - POWER))
    seeds = len(networks.groups[row.experiments[0], True].seeds)

    def decided(times: int) -> bool:
        estimate = statistic(networks.repeated(row.experiments, times), column)
        limits = (estimate.limit(side, tail) for side in (LOW, HIGH))
        return decide(Interval(*map(float, (estimate.value, *limits))), row.rule) != MORE_SEEDS

    multiples = range(2, MOST_SEEDS // seeds + 1)
    first = bisect(multiples, False, key=decided)
    return float(multiples[first] * seeds) if first < len(multiples) else np.nan


def overall(claim: Claim, verdicts: Iterable[str]) -> str:
    """The verdict on a claim from those on its rows, of those that are testable."""
    found = {one for one in verdicts if one and not one.startswith(NOT_TESTABLE)}
    if claim.any_row:
        found = {HOLDS} if HOLDS in found else found - {FAILS} or found
    if len(found) < 2:
        return found.pop() if found else NOT_TESTABLE
    return IN_PART if HOLDS in found else FAILS if FAILS in found else ON_THE_WORD


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


def _robustness(row: Row, networks: Networks) -> str:
    """The row's checks, each with its verdict and interval."""
    checks = {name: (row.value, column) for name, column in CHECKS.get(row.column, {}).items()}
    checks |= {name: (statistic, row.column) for name, statistic in row.checks.items()}
    return "; ".join(f"{name}: {_words(judge(*check, row, networks))}" for name, check in checks.items())


def _words(judged: Judged) -> str:
    if np.isnan(judged.found.value):
        return NOT_TESTABLE
    return "{} {:.3g} ({:.3g} to {:.3g})".format(judged.verdict, *judged.found)


def _early(row: Row, networks: Networks) -> tuple[float, str]:
    """The row on base's networks as early stopping trains them."""
    if "base" not in row.experiments or (EARLY, True) not in networks.groups:
        return (np.nan, "")
    return _mark(row, row.column, networks.with_trained("base", EARLY))


def _live(row: Row, networks: Networks) -> tuple[float, str]:
    """Agreement of live units, corrected for chance; Q* at strengths with as many live units as in the baseline."""
    if row.column == "element_similarity":
        return _mark(row, "element_similarity_alive_adjusted", networks)
    return _mark(row, row.column, networks.at_constant_live_units()) if row.column == "q" else (np.nan, "")


def _chance(row: Row, networks: Networks) -> tuple[float, str]:
    """What is above turned axes."""
    return _mark(row, ABOVE_CHANCE[row.column], networks) if row.column in ABOVE_CHANCE else (np.nan, "")


def _mark(row: Row, column: str, networks: Networks) -> tuple[float, str]:
    found, _, verdict, _ = judge(row.value, column, row, networks)
    return found.value, verdict


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
    """claims.md: the main claims, how many hold of all, and a table a section.

    Args:
        scorecard: claims.csv.
        min_test_accuracy: trained networks below it are left out.
    """
    texts = [name for name in COLUMNS if name.endswith("verdict") or name in ("robustness", "per_seed")]
    scorecard = scorecard.fillna(dict.fromkeys(texts, ""))
    of_claim = dict(iter(scorecard.groupby(scorecard["id"].str.partition("/")[0], sort=False)))
    verdicts = [verdict_on(CLAIMS[id], rows) for id, rows in of_claim.items()]
    limit = f"{100 * min_test_accuracy:g} %"
    lines = ["# The paper's claims, scored on our networks", "", *MAIN_HEADER]
    lines += [_main_line(CLAIMS[id], words, suffix, of_claim[id]) for id, (suffix, words) in MAIN.items()]
    lines += ["", summary(verdicts), "", EXPLANATION, "", "# All claims", "", TERMS.format(limit=limit)]
    for section, claims in SECTIONS.items():
        lines += ["", f"## {section}", "", *HEADER]
        for claim in claims:
            lines += _claim_lines(claim, of_claim[claim.id])
    return "\n".join(lines).replace("Q*", r"Q\*") + "\n"


EXPLANATION = """\
*Holds*: at the whole 95 % interval the number is on that side of the limit which the claim asks for; *fails*: at the
whole interval it is not. *Needs more seeds*: the interval straddles the limit, and about so many networks of each
setting would decide it nine times in ten, if the truth is what we found. *Depends on the word*: the number sits on
the limit that we gave to a word of the paper, such as "little", and a hundred seeds would not tell. *Holds in part*: a
claim has several statistics, and some hold.

The verdict is by the paper's own metric and training. The marks look again. *Like for like*: all networks are trained
alike, with early stopping. *Live units*: agreement of the units that are alive under both measures, corrected for
chance; Q* at strengths that leave as many units alive as the weakest L2 does. *More than chance*: only what is above
the same layers in randomly turned axes, which have the same spectrum and no units. *Other data*: Fashion-MNIST, or of a
run on that MNIST."""

TERMS = """\
Every claim has one or more statistics, each with a rule; *distance* is how far the number is on the right side of the
nearest limit, below 0 on the wrong side. Rows in parentheses show in detail what another row sums up, and do not count.
Other ways to look at a row, by best partitions, say, are in claims.csv. How intervals are made, and which rules changed
after their numbers had been seen, is in docs/claims.md.

A *rise* is the mean difference to the networks with L2 = 1e-5 alone, seed by seed; a strength is *good* if at least
half of its seeds reach {limit} test accuracy; a *lead* is dropout's largest rise minus the larger of L2's and L1's, at
good strengths. A *size* is the root of the mean square, less what noise alone gives; below 0 if noise gives more.
*Within* a family are the pairs of two different measures, both upstream or both downstream; *across* are the pairs of
an upstream and a downstream measure. *Small networks that were trained alike*, as wide and deep ones were, are those
of the experiment early, or of base where there is no early. Networks below {limit} test accuracy are left out, save
where a claim is about accuracy."""

MAIN_HEADER = (
    f"| the paper | we find (95 % interval) | holds if | verdict | {' | '.join(MARKS.values())} |",
    f"|---|---|---|---|{'---|' * len(MARKS)}",
)

HEADER = (
    f"| verdict | claim, and each of its statistics | value (95 % interval) | holds if | distance "
    f"| {' | '.join(MARKS.values())} |",
    f"|---|---|---|---|---|{'---|' * len(MARKS)}",
)


def counted(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of a claim that its verdict rests on."""
    return rows[rows["counts"]]


def verdict_on(claim: Claim, rows: pd.DataFrame, column: str = "verdict") -> str:
    """By a column of some of the claim's rows in claims.csv; empty where that does not apply to it."""
    verdicts = counted(rows)[column].fillna("")
    return overall(claim, verdicts) if (verdicts != "").any() else ""


def summary(verdicts: Iterable[str]) -> str:
    """How many claims hold, from the verdict on each."""
    number = Counter(verdicts)
    untested = number.pop(NOT_TESTABLE, 0)
    several = {HOLDS: "hold", IN_PART: "hold in part", FAILS: "fail", MORE_SEEDS: "need more seeds"}
    several[ON_THE_WORD] = "depend on the word"
    words = [f"{number[one]} {one if number[one] == 1 else verb}" for one, verb in several.items() if number[one]]
    rest = f"; {untested} more cannot be tested on this run" if untested else ""
    return f"**Of {number.total()} claims {', '.join(words)}**{rest}."


def _main_line(claim: Claim, words: str, suffix: str, rows: pd.DataFrame) -> str:
    """A claim in the paper's words, and one of its statistics."""
    (row,) = rows[rows["id"] == claim.row_id(claim.row(suffix))].itertuples()
    found = "" if np.isnan(row.value) else f"{row.statistic}: {_number(row)}"
    return f"| {words} | {found} | {row.rule} | **{_told(claim, rows)}** | {_marks(claim, rows)} |"


def _marks(claim: Claim, rows: pd.DataFrame) -> str:
    return " | ".join(verdict_on(claim, rows, f"{mark}_verdict") for mark in MARKS)


def _told(claim: Claim, rows: pd.DataFrame) -> str:
    """The verdict on a claim: where it holds in part, and how many seeds it needs."""
    found, rows = verdict_on(claim, rows), counted(rows)
    if found == IN_PART:
        holds = rows.loc[rows["verdict"] == HOLDS, "id"].str.partition("/")[2]
        return f"{found}: {', '.join(holds)}" if len(holds) <= SHOWN else f"{found}: {len(holds)} of {len(rows)}"
    seeds = rows.loc[rows["verdict"] == MORE_SEEDS, "seeds_needed"].max()
    return f"{found} ({seeds:.0f})" if found == MORE_SEEDS and seeds > 0 else found


SHOWN = 3
"""Up to so many rows that hold are named where a claim holds in part."""


def _claim_lines(claim: Claim, rows: pd.DataFrame) -> Iterable[str]:
    """A line for the claim, and one for each of its rows in claims.csv."""
    yield f"| **{_told(claim, rows)}** | **{claim.id}** ({claim.where}): {claim.text} | | | | {_marks(claim, rows)} |"
    for row in rows.itertuples():
        suffix = row.id.partition("/")[2]
        statistic = f"{suffix}: {row.statistic}" if suffix else row.statistic
        verdict, _, reason = row.verdict.partition(": ")
        seeds = f" ({row.seeds_needed:.0f})" if row.seeds_needed > 0 else ""
        told = f"{verdict}{seeds}" if row.counts else f"({verdict}{seeds})"
        if np.isnan(row.value):
            yield f"| {told} | {statistic} (*{reason}*) | | {row.rule} | |{' |' * len(MARKS)}"
        else:
            marks = " | ".join(
                _mark_cell(getattr(row, f"{mark}_verdict"), getattr(row, f"{mark}_value")) for mark in MARKS
            )
            yield f"| {told} | {statistic} | {_number(row)} | {row.rule} | {row.distance:.3g} | {marks} |"


def _number(row: tuple) -> str:
    limits = f"{row.ci_low:.3g} to {row.ci_high:.3g}"
    shown = {"95 %": f" ({limits})", "count": ""}.get(row.interval, f" ({row.interval}, {limits})")
    return f"{row.value:.3g} {row.unit}{shown}"


def _mark_cell(verdict: str, value: float) -> str:
    return verdict.partition(": ")[0] + ("" if np.isnan(value) else f": {value:.3g}")
