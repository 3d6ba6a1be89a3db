"""Random streams named by what they are for, so that nothing depends on the order of jobs."""

import hashlib
import json

import numpy as np


def stream(*identity: str | int) -> np.random.Generator:
    """The random stream of one purpose: the same identity gives the same numbers, another gives independent ones.

    The identity's SHA-256 seeds NumPy's PCG64. Example: ``stream("split", 3)``.

    Raises:
        TypeError: a part is neither str nor int; NumPy's integers are neither.
    """
    digest = hashlib.sha256(json.dumps(identity).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))
