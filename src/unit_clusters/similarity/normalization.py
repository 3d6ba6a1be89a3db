"""Similarity relative to the units' own, eq. (5)."""

import numpy as np
from jaxtyping import Float

EPSILON = 1e-12
"""The floor of the normaliser."""


def normalize(similarity: Float[np.ndarray, "*stack units units"]) -> Float[np.ndarray, "*stack units units"]:
    """Eq. (5): S_ij / max(sqrt(S_ii S_jj), EPSILON), in float64 and within [0, 1]. Zero rows stay zero."""
    similarity = np.asarray(similarity, dtype=np.float64)
    scale = np.sqrt(np.diagonal(similarity, axis1=-2, axis2=-1))
    # By Cauchy-Schwarz no entry exceeds 1; rounding can, by a few units in the last place.
    return np.minimum(similarity / np.maximum(scale[..., :, None] * scale[..., None, :], EPSILON), 1.0)
