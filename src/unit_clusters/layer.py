"""What is found in one layer of a network."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from unit_clusters.clusters.reliability import Reliability
from unit_clusters.clusters.restarts import Restarts
from unit_clusters.clusters.search import Clustering
from unit_clusters.similarity.measures import Matrices


class ByForm(dict):
    """A value for each form of each measure: "cov", "normalized cov", "i_sens", "normalized i_sens" and so on."""

    def __missing__(self, form: str) -> Any:
        raise KeyError(f"{form!r} was left out or is no measure; there are {', '.join(self)}")


class Layer(NamedTuple):
    """What was found in one layer: `signed` by measure, all that follows by form."""

    type: str
    """Of the module."""
    signed: Matrices
    """Equations (1) to (4) before abs() is taken."""
    similarity: Mapping[str, Float[np.ndarray, "units units"]]
    """Equations (1) to (4), and these normalised by eq. (5)."""
    clusters: Mapping[str, Clustering]
    """By the paper's search."""
    restarts: Mapping[str, Restarts]
    """What other searches reach."""
    best: Mapping[str, Int[np.ndarray, " units"]]
    """The cluster of each unit in the best partition that is known; UNUSED for dead units."""
    rotated: Mapping[str, Float[np.ndarray, " rotations"]]
    """Modularity that the same search finds in turned axes (`clusters.turned`), rotation by rotation."""
    reliability: Mapping[str, Reliability]
    """How far halves of the images give the same matrix, and the same clusters."""
