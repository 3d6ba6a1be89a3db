"""Names and forms of the eight similarity measures (section 3.1, Fig. 2)."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

MEASURES = ("cov", "i_sens", "o_sens", "hess")
"""Equations (1) to (4): the first two are upstream, the last two downstream."""

EPSILON = 1e-12
"""The floor of the normaliser in eq. (5)."""


class Form(NamedTuple):
    """One of the eight: a measure, as it is or normalised by eq. (5)."""

    measure: str
    normalized: bool

    @property
    def upstream(self) -> bool:
        return self.measure in ("cov", "i_sens")

    def __str__(self) -> str:
        return f"normalized {self.measure}" if self.normalized else self.measure


Kind = Literal["own", "upstream", "downstream", "across"]


def kind(a: Form, b: Form) -> Kind:
    """What two forms have in common: their measure, else their family, else nothing (they are from across)."""
    if a.measure == b.measure:
        return "own"
    if a.upstream != b.upstream:
        return "across"
    return "upstream" if a.upstream else "downstream"


FORMS = tuple(Form(measure, normalized) for measure in MEASURES for normalized in (False, True))
"""All eight, upstream first, each measure beside its normalised form: the order of every table and figure."""


def normalize(similarity: Float[np.ndarray, "*stack units units"]) -> Float[np.ndarray, "*stack units units"]:
    """Eq. (5): S_ij / max(sqrt(S_ii S_jj), EPSILON), in float64 and within [0, 1]. Zero rows stay zero."""
    similarity = np.asarray(similarity, dtype=np.float64)
    scale = np.sqrt(np.diagonal(similarity, axis1=-2, axis2=-1))
    # By Cauchy-Schwarz no entry exceeds 1; rounding can, by a few units in the last place.
    return np.minimum(similarity / np.maximum(scale[..., :, None] * scale[..., None, :], EPSILON), 1.0)


def all_forms(similarity: Mapping[str, Float[np.ndarray, "units units"]]) -> list[Float[np.ndarray, "units units"]]:
    """The matrices of all eight FORMS, from those of the four MEASURES."""
    return [normalize(similarity[form.measure]) if form.normalized else similarity[form.measure] for form in FORMS]
