"""What a claim, its statistics and their rules are, and the limits that make vague words testable.

The limits stood here before any number was seen. Each gives the paper's wording a size in terms of another effect, or
of the spread of untrained networks.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from unit_clusters.claims.networks import Sample

INFINITY = float("inf")


class Rule(NamedTuple):
    """It holds where `low` < statistic < `high`."""

    low: float
    high: float
    reason: str
    """Why these limits, where the claim does not say it."""

    def __str__(self) -> str:
        if self.high == INFINITY:
            limits = f"above {self.low:g}"
        elif self.low == -INFINITY:
            limits = f"below {self.high:g}"
        else:
            limits = f"between {self.low:g} and {self.high:g}"
        return f"{limits}: {self.reason}" if self.reason else limits


def above(low: float, reason: str = "") -> Rule:
    return Rule(low, INFINITY, reason)


def below(high: float, reason: str = "") -> Rule:
    return Rule(-INFINITY, high, reason)


class Row(NamedTuple):
    """One statistic and its rule."""

    suffix: str
    """Tells it from the claim's other rows; empty if there are none."""
    statistic: str
    value: Callable[[Sample], Float[np.ndarray, " samples"]]
    rule: Rule
    experiment: str | None = "base"
    """Whose seeds are also shown one by one, if they are few; None: no one experiment's."""


class Claim(NamedTuple):
    """A claim of the paper, and the rows of claims.csv that score it."""

    id: str
    where: str
    text: str
    rows: list[Row]


UNNOTICED = 1.0
"""Untrained standard deviations. A "minor" or "little" change stays in the inner grey band of Fig. S7."""
IN_BAND = "in the inner grey band of the figures, one standard deviation of untrained networks"

HALF = 0.5
"""A share. "Weak", "little", "greatly attenuated": less than half of the named effect; "much": more than half."""

MODERATE = (0.25, 0.75)
"""A share. "Moderate": neither close to none of the named effect nor close to all."""
NEITHER_NOR = "moderate is neither close to none nor close to all"

RARE = 0.1
"""A share. "Rarely": less than one in ten; "consistently": all but one in ten."""

ALIKE = 0.7
"""A rank correlation. "Qualitatively similar": half of the variance of the ranks is shared."""
SHARED_RANKS = "qualitatively similar is sharing half of the variance of the ranks"

STEEP = 0.1
"""Accuracy. "Quickly": ten percentage points in one step of the sweep, several times a good network's whole error."""

VISIBLE = 0.01
"""A relative gain in Q. With less, a point of Fig. S5 lies on the diagonal to the eye."""
