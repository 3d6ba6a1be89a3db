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

from unit_clusters.similarity.measures import MEASURES
from unit_clusters_paper.networks.ensemble import Ensemble

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

    hidden: list[Float[Tensor, "batch _units"]]
    probabilities: Float[Tensor, "batch classes"]


def similarities(networks: Ensemble, pixels: UInt8[Tensor, "images pixels"]) -> list[dict[str, Tensor]]:
    """By hidden layer and measure, the matrices of all networks, Float[Tensor, "models units units"] each."""
    found = []
    for model in range(len(networks)):
        found.append(similarity(networks[model : model + 1], pixels))
        log.info("%d of %d networks", model + 1, len(networks))
    return [
        dict(zip(MEASURES, map(torch.stack, zip(*layer, strict=True)), strict=True))
        for layer in zip(*found, strict=True)
    ]


def similarity(network: Ensemble, pixels: UInt8[Tensor, "images pixels"], chunk: int = CHUNK) -> list[Similarity]:
    """The four similarities between the units of each hidden layer, eqs. (1) to (4).

    Args:
        network: an ensemble of one. Products within a chunk are in its precision, sums over chunks in float64.
        pixels: images as bytes; networks see them in [0, 1].
        chunk: images at a time.

    Raises:
        ValueError: not exactly one network, or fewer than two images.
    """
    if len(network) != 1 or len(pixels) < 2:
        raise ValueError(
            f"similarity takes one network and at least two images, not {len(network)} and {len(pixels)} images"
        )
    weights = [weight[0] for weight in network.weights]
    widths = network.sizes[1:-1]
    covariances = [Covariance(units) for units in widths]
    sensitivity = InputSensitivity(weights[:-1])
    downstream = [torch.zeros(2, units, units, dtype=torch.float64) for units in widths]
    for responses in respond(network, pixels, chunk):
        sensitivity.add(responses.hidden)
        jacobians = output_jacobians(weights, responses.hidden)
        for covariance, activity, sums, jacobian in zip(
            covariances, responses.hidden, downstream, jacobians, strict=True
        ):
            covariance.add(activity)
            for total, factor in zip(sums, downstream_factors(jacobian, responses.probabilities), strict=True):
                total += factor.T @ factor
    number = len(pixels)
    layers = []
    for covariance, i_sens, sums in zip(covariances, sensitivity.sums, downstream, strict=True):
        total = torch.stack([covariance.sum * number / (number - 1), torch.from_numpy(i_sens), *sums])
        # The sums are symmetric but for rounding.
        layers.append(Similarity(*((total + total.mT) / 2 / number).abs()))
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
    """The sums in eq. (2), over chunks, of all layers with these weights.

    For one image it is P G P^T with G = W_1 W_1^T and P = D_l W_l ... D_2 W_2 D_1. Rows and columns of inactive units
    are left out.
    """

    def __init__(self, weights: list[Float[Tensor, "_outputs _inputs"]]):
        first = weights[0].double()
        self.gram = (first @ first.T).to(weights[0].dtype).numpy()
        self.weights = [weight.numpy() for weight in weights[1:]]
        self.sums = [np.zeros((len(weight),) * 2) for weight in weights]

    def add(self, hidden: list[Float[Tensor, "batch _units"]]) -> None:
        masks = [(activity > 0).numpy() for activity in hidden[: len(self.sums)]]
        mask = masks[0].astype(self.gram.dtype)
        self.sums[0] += (mask.T @ mask) * self.gram  # G, where both units are active
        totals = [np.zeros_like(total, dtype=self.gram.dtype) for total in self.sums[1:]]
        for image in zip(*masks, strict=True) if totals else ():
            active = [mask.nonzero()[0] for mask in image]
            gram, paths = _block(self.gram, active[0], active[0]), None
            for total, weight, below, above in zip(totals, self.weights, active[:-1], active[1:], strict=True):
                weight = _block(weight, above, below)
                paths = weight if paths is None else weight @ paths
                places = above[:, None] * len(total) + above
                np.add.at(total.ravel(), places.ravel(), (paths @ gram @ paths.T).ravel())
        for total, more in zip(self.sums[1:], totals, strict=True):
            total += more


def _block(
    matrix: Float[np.ndarray, "outputs inputs"], rows: Int[np.ndarray, " rows"], columns: Int[np.ndarray, " columns"]
) -> Float[np.ndarray, "rows columns"]:
    """Like matrix[rows[:, None], columns], in half the time."""
    return matrix.take(rows, 0).take(columns, 1)


def output_jacobians(
    weights: list[Float[Tensor, "_outputs _inputs"]], hidden: list[Float[Tensor, "batch _units"]]
) -> list[Float[Tensor, "batch classes _units"]]:
    """The Jacobians J of the logits by the activity of each hidden layer."""
    jacobian = weights[-1].expand(len(hidden[0]), -1, -1)
    found = [jacobian]
    for weight, activity in zip(weights[-2:0:-1], hidden[:0:-1], strict=True):
        jacobian = (jacobian * activity.sign().unsqueeze(1)) @ weight
        found.append(jacobian)
    return found[::-1]


def downstream_factors(
    jacobian: Float[Tensor, "batch classes units"], probabilities: Float[Tensor, "batch classes"]
) -> tuple[Float[Tensor, "rows units"], Float[Tensor, "rows units"]]:
    """Matrices F, stacked over images, of which F^T F is a chunk's sum in eq. (3) and in eq. (4).

    For eq. (3) F is the Jacobian J of the logits. For eq. (4) F = E^T J, since diag(p) - p p^T = E E^T with
    E = (I - p 1^T) diag(sqrt p).
    """
    p = probabilities.unsqueeze(2)
    hessian = p.sqrt() * (jacobian - p.mT @ jacobian)
    return jacobian.flatten(0, 1), hessian.flatten(0, 1)
