"""How similar the units of a hidden layer are: equations (1) to (4), in closed form for ReLU networks.

Between the kinks of its ReLUs such a network is linear. So with D_l, the 0/1 diagonal of the units of layer l that are
active for one image, almost everywhere

- the Jacobian of layer l's activity by the input is D_l W_l ... D_1 W_1;
- the Jacobian J of the logits by layer l's activity is W_L D_(L-1) W_(L-1) ... D_(l+1) W_(l+1);
- the Hessian of the cross-entropy by layer l's activity is J^T (diag(p) - p p^T) J, where p = softmax(logits).

Images are streamed in chunks, so memory does not grow with their number.
"""

import logging
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from unit_clusters.networks.ensemble import Ensemble
from unit_clusters.similarity.measures import MEASURES

log = logging.getLogger(__name__)

CHUNK = 100
"""Images at a time."""


class Similarity(NamedTuple):
    """The four matrices of one layer, symmetric and non-negative. A unit never active is a zero row upstream."""

    cov: Float[Tensor, "units units"]
    i_sens: Float[Tensor, "units units"]
    o_sens: Float[Tensor, "units units"]
    hess: Float[Tensor, "units units"]


class Responses(NamedTuple):
    """One network's responses to a chunk of images: the hidden layers' activities, the classes' probabilities."""

    hidden: list[Float[Tensor, "batch units"]]
    probabilities: Float[Tensor, "batch classes"]


def similarity(network: Ensemble, layer: int, pixels: UInt8[Tensor, "images pixels"], chunk: int = CHUNK) -> Similarity:
    """The four similarities between the units of one hidden layer, eqs. (1) to (4).

    Args:
        network: an ensemble of one. Products within a chunk are in its precision, sums over chunks in float64.
        layer: the hidden layer, counted from 1.
        pixels: images as bytes; networks see them in [0, 1].
        chunk: images at a time.

    Raises:
        ValueError: not exactly one network, no such hidden layer, or fewer than two images.
    """
    hidden_layers = len(network.weights) - 1
    if len(network) != 1 or not 1 <= layer <= hidden_layers or len(pixels) < 2:
        raise ValueError(
            f"similarity takes one network, one of its hidden layers (1 to {hidden_layers}) and at least two images, "
            f"not {len(network)} networks, layer {layer} and {len(pixels)} images"
        )
    weights = [weight[0] for weight in network.weights]
    covariance = Covariance(network.sizes[layer])
    sensitivity = InputSensitivity(weights, layer)
    downstream = torch.zeros(2, *covariance.sum.shape, dtype=torch.float64)
    for responses in respond(network, pixels, chunk):
        covariance.add(responses.hidden[layer - 1])
        sensitivity.add(responses.hidden)
        for total, factor in zip(downstream, downstream_factors(weights, layer, responses), strict=True):
            total += factor.T @ factor
    sums = torch.stack(
        [covariance.sum * len(pixels) / (len(pixels) - 1), torch.from_numpy(sensitivity.sum), *downstream]
    )
    # The sums are symmetric but for rounding.
    return Similarity(*((sums + sums.mT) / 2 / len(pixels)).abs())


def similarities(networks: Ensemble, pixels: UInt8[Tensor, "images pixels"]) -> list[dict[str, Tensor]]:
    """By hidden layer and measure, the matrices of all networks, Float[Tensor, "models units units"] each."""
    layers = []
    for layer in range(1, len(networks.weights)):
        found = []
        for model in range(len(networks)):
            found.append(similarity(networks[model : model + 1], layer, pixels))
            log.info("layer %d: %d of %d networks", layer, model + 1, len(networks))
        layers.append(
            {name: torch.stack(stack) for name, stack in zip(MEASURES, zip(*found, strict=True), strict=True)}
        )
    return layers


def respond(network: Ensemble, pixels: UInt8[Tensor, "images pixels"], chunk: int) -> Iterator[Responses]:
    """Show the images to the network, in eval mode, a chunk at a time."""
    for images in pixels.split(chunk):
        hidden, logits = network.forward(images.to(network.parameters.dtype).div_(255).unsqueeze(0))
        yield Responses([activity[0] for activity in hidden], logits[0].softmax(1))


class Covariance:
    """The sum in eq. (1), over chunks (Chan, Golub & LeVeque 1983)."""

    def __init__(self, units: int):
        self.count = 0
        self.mean = torch.zeros(units, dtype=torch.float64)
        self.sum = torch.zeros(units, units, dtype=torch.float64)

    def add(self, activity: Float[Tensor, "batch units"]) -> None:
        batch = len(activity)
        mean = activity.mean(0)
        centred = activity - mean
        shift = mean.double() - self.mean
        self.sum += centred.T @ centred
        self.sum += torch.outer(shift, shift) * (self.count * batch / (self.count + batch))
        self.mean += shift * (batch / (self.count + batch))
        self.count += batch


class InputSensitivity:
    """The sum in eq. (2), over chunks.

    For one image it is P G P^T with G = W_1 W_1^T and P = D_l W_l ... D_2 W_2 D_1. Rows and columns of inactive units
    are left out.
    """

    def __init__(self, weights: list[Float[Tensor, "outputs inputs"]], layer: int):
        first = weights[0].double()
        self.gram = (first @ first.T).to(weights[0].dtype).numpy()
        self.weights = [weight.numpy() for weight in weights[1:layer]]
        self.sum = np.zeros((len(weights[layer - 1]),) * 2)

    def add(self, hidden: list[Float[Tensor, "batch units"]]) -> None:
        masks = [(activity > 0).numpy() for activity in hidden[: len(self.weights) + 1]]
        if not self.weights:  # the first layer: G, where both units are active
            mask = masks[0].astype(self.gram.dtype)
            self.sum += (mask.T @ mask) * self.gram
            return
        total = np.zeros_like(self.sum, dtype=self.gram.dtype)
        for image in zip(*masks, strict=True):
            active = [mask.nonzero()[0] for mask in image]
            paths, *more = map(_block, self.weights, active[1:], active)
            for weights in more:
                paths = weights @ paths
            product = paths @ _block(self.gram, active[0], active[0]) @ paths.T
            places = active[-1][:, None] * len(total) + active[-1]
            np.add.at(total.ravel(), places.ravel(), product.ravel())
        self.sum += total


def _block(
    matrix: Float[np.ndarray, "outputs inputs"], rows: Int[np.ndarray, " rows"], columns: Int[np.ndarray, " columns"]
) -> Float[np.ndarray, "rows columns"]:
    """Like matrix[rows[:, None], columns], in half the time."""
    return matrix.take(rows, 0).take(columns, 1)


def downstream_factors(
    weights: list[Float[Tensor, "outputs inputs"]], layer: int, responses: Responses
) -> tuple[Float[Tensor, "rows units"], Float[Tensor, "rows units"]]:
    """Matrices F, stacked over images, of which F^T F is a chunk's sum in eq. (3) and in eq. (4).

    For eq. (3) F is the Jacobian J of the logits. For eq. (4) F = E^T J, since diag(p) - p p^T = E E^T with
    E = (I - p 1^T) diag(sqrt p).
    """
    p = responses.probabilities.unsqueeze(2)
    jacobian = weights[-1].expand(len(p), -1, -1)
    for weight, activity in zip(weights[-2 : layer - 1 : -1], responses.hidden[-1 : layer - 1 : -1], strict=True):
        jacobian = (jacobian * activity.sign().unsqueeze(1)) @ weight
    hessian = p.sqrt() * (jacobian - p.mT @ jacobian)
    return jacobian.flatten(0, 1), hessian.flatten(0, 1)
