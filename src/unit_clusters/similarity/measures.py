"""The similarity measures and their forms (section 3.1, Fig. 2): one entry each, from which all else derives.

Colours are part of it, so that a further measure is one entry. They are Fig. 2's: one hue a measure, cold upstream and
warm downstream, darker when normalised. They stay apart in simulated deuteranopia and protanopia, and have a contrast
of at least 3 to white. Text needs 4.5, and has the darker shade.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from unit_clusters.similarity.normalization import normalize

Matrices = Mapping[str, Float[np.ndarray, "_units _units"]]
"""Similarity matrices of one layer, by measure: signed, before the abs() of eqs. (1) to (4) is taken."""


class Measured(NamedTuple):
    """What was measured of one layer."""

    signed: Matrices
    """From all images."""
    halves: tuple[Matrices, Matrices]
    """From every second image each; NaN where a half has too few."""


class Measure(NamedTuple):
    """What is known of a measure, but for how it is computed."""

    equation: int
    """Of the paper."""
    family: Literal["upstream", "downstream"]
    statistic: Literal["moment", "gradient"]
    symbol: str
    """The superscript of the paper."""
    words: str
    """What Fig. 2 calls it beside its family."""
    color: str
    normalized_color: str


RECORDS = {
    "cov": Measure(1, "upstream", "moment", "cov", "covariance", "#7989dc", "#323b79"),
    "i_sens": Measure(2, "upstream", "gradient", "i-sens", "gradient", "#309e72", "#166c4c"),
    "o_sens": Measure(3, "downstream", "gradient", "o-sens", "gradient", "#d07334", "#924a15"),
    "hess": Measure(4, "downstream", "moment", "hess", "covariance (Hessian)", "#da72a7", "#800253"),
}
"""By the names of tables and files, a family after the other."""

MEASURES = tuple(RECORDS)

FAMILIES: dict[str, tuple[str, ...]] = {
    family: tuple(name for name in MEASURES if RECORDS[name].family == family)
    for family in dict.fromkeys(measure.family for measure in RECORDS.values())
}
"""The measures of each."""


class Form(NamedTuple):
    """A measure, as it is or normalised by eq. (5)."""

    measure: str
    normalized: bool

    @property
    def upstream(self) -> bool:
        return RECORDS[self.measure].family == "upstream"

    @property
    def color(self) -> str:
        return self.ink if self.normalized else RECORDS[self.measure].color

    @property
    def ink(self) -> str:
        """The colour of text about the form, dark enough to be read."""
        return RECORDS[self.measure].normalized_color

    def __str__(self) -> str:
        return f"normalized {self.measure}" if self.normalized else self.measure


FORMS = tuple(Form(measure, normalized) for measure in MEASURES for normalized in (False, True))
"""All of them, each measure beside its normalised form: the order of every table and figure."""

PAIR_COLUMNS = tuple(f"{field}_{end}" for end in "ab" for field in Form._fields)
"""What names a pair of forms in a table."""

Kind = Literal["own", "upstream", "downstream", "across"]


def kind(a: Form, b: Form) -> Kind:
    """What two forms have in common: their measure, else their family, else nothing (they are from across)."""
    if a.measure == b.measure:
        return "own"
    family, other = RECORDS[a.measure].family, RECORDS[b.measure].family
    return family if family == other else "across"


def in_form(signed: Float[np.ndarray, "units units"], form: Form) -> Float[np.ndarray, "units units"]:
    """The absolute values of a signed similarity, eqs. (1) to (4); normalized by eq. (5) if the form is."""
    similarity = np.abs(signed)
    return normalize(similarity) if form.normalized else similarity


def by_form(signed: Matrices) -> dict[Form, Float[np.ndarray, "units units"]]:
    """The similarities in all FORMS of the MEASURES that are given."""
    return {form: in_form(signed[form.measure], form) for form in FORMS if form.measure in signed}
