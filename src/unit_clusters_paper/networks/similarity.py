"""How similar the units of each hidden layer of an ensemble's networks are, by the library's closed form."""

import logging

from jaxtyping import UInt8
from torch import Tensor
from torch.nn.functional import cross_entropy

from unit_clusters.similarity.closed_form import ClosedForm
from unit_clusters.similarity.measures import Measured
from unit_clusters.similarity.options import CHUNK, Options
from unit_clusters_paper.networks.ensemble import Ensemble


def similarities(networks: Ensemble, pixels: UInt8[Tensor, "images pixels"]) -> list[list[Measured]]:
    """What is measured of each hidden layer, network by network."""
    found = []
    for model in range(len(networks)):
        found.append(similarity(networks[model : model + 1], pixels))
        logging.info("%d of %d networks", model + 1, len(networks))
    return [list(layer) for layer in zip(*found, strict=True)]


def similarity(network: Ensemble, pixels: UInt8[Tensor, "images pixels"], chunk: int = 2 * CHUNK) -> list[Measured]:
    """The four signed similarities between the units of each hidden layer, eqs. (1) to (4) without abs(), in float64.

    Args:
        network: an ensemble of one.
        pixels: images as bytes; networks see them in [0, 1].
        chunk: images at a time.

    Raises:
        ValueError: not exactly one network, or fewer than four images, two in either half.
    """
    if len(network) != 1 or len(pixels) < 4:
        raise ValueError(
            f"similarity takes one network and at least four images, not {len(network)} and {len(pixels)} images"
        )
    weights, biases = ([parameter[0] for parameter in each] for each in (network.weights, network.biases))
    layers = {str(number): number for number in range(1, len(weights))}
    form = ClosedForm(weights, biases, layers, Options(cross_entropy))
    for images in pixels.split(chunk):
        form.add(images.to(weights[0].dtype).div_(255))
    return list(form.measured().values())
