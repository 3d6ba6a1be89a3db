"""Modularity as an aim of training (ours; networks.modular): what may be aimed at, in which networks."""

AIMS = {"upstream": ("upstream",), "downstream": ("downstream",), "both": ("upstream", "downstream")}
"""By the name of the sweep, the families whose modularity is the aim."""

DOWNSTREAM_LAYERS = 2
"""Downstream modularity can be an aim in networks of at most so many hidden layers."""

NO_AIM = (
    "downstream modularity can be an aim in networks of one or two hidden layers, not of {layers}: in deeper ones its "
    "gradient takes the Jacobian of each image, and training many times as long"
)
