"""Modularity as an aim of training (ours; networks.modular): of what, with which clusters, in which networks."""

from typing import NamedTuple


class Aim(NamedTuple):
    """What a sweep takes from the loss."""

    families: tuple[str, ...]
    """Those whose modularity is the aim."""

    clusters: str
    """Of which of KINDS."""


LEARNED, FIXED, PERMUTED = KINDS = ("learned", "fixed", "permuted")
"""Soft clusters that are learned with the network; and two controls with clusters of equal size that are given: the
same throughout, or with units that are dealt to them anew in each epoch, which cannot help."""

FAMILIES = {"upstream": ("upstream",), "downstream": ("downstream",), "both": ("upstream", "downstream")}

AIMS = {
    name if clusters == LEARNED else f"{clusters}_{name}": Aim(families, clusters)
    for clusters in KINDS
    for name, families in FAMILIES.items()
}
"""By the name of the sweep: upstream, ..., fixed_upstream, ..., permuted_both."""

DOWNSTREAM_LAYERS = 2
"""Downstream modularity can be an aim in networks of at most so many hidden layers."""

NO_AIM = (
    "downstream modularity can be an aim in networks of one or two hidden layers, not of {layers}: in deeper ones its "
    "gradient takes the Jacobian of each image, and training many times as long"
)
"""Why it cannot."""
