"""What a claim, its statistics and their rules are, and the limits that make vague words testable.

Each limit gives the paper's wording a size in terms of another effect, or of the spread of untrained networks. The
rules that changed after their numbers had been seen are in `changes`.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from unit_clusters_paper.claims.intervals import Estimate
from unit_clusters_paper.claims.networks import Networks

INFINITY = float("inf")


class Rule(NamedTuple):
    """It holds where `low` < statistic < `high`."""

    low: float
    high: float
    reason: str
    """Why these limits, where the claim does not say it: the size that we give to a word of the paper."""

    def __str__(self) -> str:
        limits = [f"above {self.low:g}"] * (self.low > -INFINITY) + [f"below {self.high:g}"] * (self.high < INFINITY)
        return " and ".join(limits) + (f": {self.reason}" if self.reason else "")

    def nearest(self, value: float) -> float:
        """The limit that a statistic is nearest to."""
        return min((self.low, self.high), key=lambda limit: abs(value - limit))

    def distance(self, value: float) -> float:
        """How far a statistic is from the nearest limit: below 0 where the rule does not hold."""
        return min(value - self.low, self.high - value)


def above(low: float, reason: str = "") -> Rule:
    return Rule(low, INFINITY, reason)


def below(high: float, reason: str = "") -> Rule:
    return Rule(-INFINITY, high, reason)


def between(low: float, high: float, reason: str = "") -> Rule:
    return Rule(low, high, reason)


Statistic = Callable[[Networks, str], Estimate]
"""Of networks and a column of their tables."""


class Row(NamedTuple):
    """One statistic and its rule."""

    suffix: str
    """Tells it from the claim's other rows; empty if there are none."""
    statistic: str
    """In words; "{base l1}" stands for the strongest good strength of L1 in base."""
    value: Statistic
    rule: Rule
    column: str = "q"
    """The paper's metric, by which the verdict is found."""
    experiments: tuple[str, ...] = ("base",)
    """Whose trained networks it is about. The seeds of the first are also shown one by one, if they are few."""
    unit: str = ""
    """Of the statistic; empty: that of the column, in UNITS."""
    checks: dict[str, Statistic] = {}  # noqa: RUF012
    """Other ways to look at it, beside CHECKS."""
    each_strength: bool = False
    """Whether there is a row for each good strength of the first experiment, given to `value` as `setting`."""
    counts: bool = True
    """Whether the verdict on the claim rests on it; if not, it shows in detail what another row sums up."""

    def at_each_strength(self, networks: Networks) -> "list[Row]":
        """The rows that this one stands for: itself, or one a good strength, if there are any."""
        group = networks.groups.get((self.experiments[0], True)) if self.each_strength else None
        rows = [] if group is None else [self._at(*setting) for setting in group.good_settings]
        return rows or [self]

    def _at(self, regularizer: str, strength: float) -> "Row":
        words = f"{regularizer} {strength:g}"
        return self._replace(
            suffix=f"{self.suffix}/{words.replace(' ', '/')}",
            statistic=f"{self.statistic}, {words}",
            value=partial(self.value, setting=(regularizer, strength)),
        )


class Claim(NamedTuple):
    """A claim of the paper, and the rows of claims.csv that score it."""

    id: str
    where: str
    text: str
    rows: list[Row]
    any_row: bool = False
    """Whether one row that holds is enough."""

    def row(self, suffix: str) -> Row:
        return next(row for row in self.rows if row.suffix == suffix)

    def row_id(self, row: Row) -> str:
        """As in claims.csv."""
        return f"{self.id}/{row.suffix}".rstrip("/")


def single(id: str, where: str, text: str, *row, **options) -> Claim:
    """A claim with one statistic; `row` and `options` are those of a Row, from `statistic` on."""
    return Claim(id, where, text, [Row("", *row, **options)])


CHECKS = {
    "q": {"best partitions": "q_best"},
    "q_from_one_cluster": {"equal steps": "q_from_one_cluster_full"},
    "element_similarity": {
        "units alive": "element_similarity_alive",
        "corrected for chance": "element_similarity_adjusted",
        "adjusted Rand index": "ari",
        "best partitions": "element_similarity_best",
        "best partitions, corrected": "element_similarity_best_adjusted",
    },
}
"""Columns by which a statistic is looked at again, beside the paper's and the marks'; no verdict rests on them."""

UNITS = {
    **dict.fromkeys(("q", "q_spectral", "q_weights", "transferability"), "in Q"),
    "contrast": "in similarity",
    "element_similarity": "in element similarity",
}
"""Of the statistics that are made of a column's values, or of differences between these."""

UNNOTICED = 1.0
"""Untrained standard deviations. A "minor" or "little" change stays in the inner grey band of Fig. S7."""
IN_BAND = "in the inner grey band of the figures, one standard deviation of untrained networks"

HALF = 0.5
"""A share. "Weak", "little", "greatly attenuated": less than half of the named effect; "much": more than half."""

SD = "untrained SD"
"""The unit: standard deviations of untrained networks."""

MODERATE = (0.25, 0.75)
"""A share. "Moderate": neither close to none of the named effect, as "little" agreement is, nor close to all, as
"very strong" agreement is."""

RARE = 0.1
"""A share. "Rarely": less than one in ten."""

ALIKE = 0.7
"""A rank correlation. "Qualitatively similar": half of the variance of the ranks is shared."""
SHARED_RANKS = "qualitatively similar is sharing half of the variance of the ranks"

STEEP = 0.1
"""Accuracy. "Quickly": ten percentage points in one step of the sweep, several times a good network's whole error."""

VISIBLE = 0.01
"""A relative gain in Q. With less, a point of Fig. S5 lies on the diagonal to the eye."""
