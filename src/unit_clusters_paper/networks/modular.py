"""Modularity as an aim of training, with soft clusters that are learned with the network.

The loss that is minimized has one term more,

    - sum over hidden layers l of [upstream * Q(S_l, P_l) + downstream * Q(T_l, P_l)],    P_l = softmax(RATE * theta_l),

where Q is eq. (6) for soft clusters: with A the similarity normalized by eq. (5), without its diagonal, divided by its
sum, Q(A, P) = tr(P^T A P) - |P^T A 1|^2. P_l says with which probability a unit is in each of CLUSTERS clusters. Its
theta_l are parameters of the network in training, and no part of it afterwards. Both similarities are those of the
batch, dropout included:

    S_l = |C_l|, C_l the covariance of the layer's activities over the batch's images (eq. 1)
    T_l = |E[J_l^T J_l]|, J_l the Jacobian of the logits by these activities (eq. 3)

J of the last hidden layer is its weights W_3, the same for all images. That of the one before is W_3 D W_2, with D the
diagonal of the slopes d of the ReLUs between. So E[J^T J] = W_2^T (W_3^T W_3 * E[d d^T]) W_2, an elementwise product in
the middle. Of a layer further down it does not factor, and needs the product of each image: networks of more than
DOWNSTREAM_LAYERS hidden layers are refused.

All gradients are in closed form. The slopes of ReLUs count as constant, as for automatic differentiation.

Two controls have clusters that are given: CLUSTERS blocks of equal size, as far as it goes, unit u of n in block
CLUSTERS * u // n. They are the same throughout; or at the beginning of each epoch the units of each layer are dealt to
them anew, by a random permutation that all networks of the architecture and the seed share. Their theta are so large
that P is 0 or 1 to the bit, where the gradient by theta is 0. So nothing else is done about them.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import pad

from unit_clusters.similarity.normalization import EPSILON
from unit_clusters.streams import stream
from unit_clusters_paper.networks.ensemble import Stack
from unit_clusters_paper.networks.products import aligned_product
from unit_clusters_paper.runs.aims import DOWNSTREAM_LAYERS, FIXED, LEARNED, NO_AIM, PERMUTED

CLUSTERS = 8
"""At most, in a layer."""

RATE = 10
"""How much faster the assignments learn than the weights: Adam's steps are as long for theta as for a weight."""

CERTAIN = 100
"""That theta of a unit in a given cluster; its others are 0. exp(-RATE * CERTAIN) is 0 in float64, too."""


class Modularity:
    """The term of some networks: their strengths, and their assignments.

    Args:
        strengths: of each network, upstream and downstream.
        clusters: of each network, whether they are learned, fixed or permuted (runs.aims).
        sizes: units per layer, inputs and logits included.
        seed: of all of them.

    Attributes:
        theta: a row a network, all layers' (width, CLUSTERS); random at first, by the architecture and the seed.
            Narrower layers have units more, which are dead.
        slopes: of the loss by theta, as `add_gradients` leaves it.

    Raises:
        ValueError: downstream is the aim in networks of more than DOWNSTREAM_LAYERS hidden layers.
    """

    def __init__(self, strengths: Float[Tensor, "models 2"], clusters: Sequence[str], sizes: Sequence[int], seed: int):
        self.units = tuple(sizes[1:-1])
        self.upstream, self.downstream = chosen = strengths.any(0).tolist()
        if self.downstream and len(self.units) > DOWNSTREAM_LAYERS:
            raise ValueError(NO_AIM.format(layers=len(self.units)))
        self.strengths = strengths.T[chosen, None, :, None, None]
        width = max(self.units) + max(self.units) % 2  # rows end where a vector of the processor does, as in `Stack`
        self._shape = (len(self.units), width, CLUSTERS)
        drawn = stream("assignments", *sizes, seed).normal(0, 1 / RATE, self._shape)
        blocks = self._blocks([np.arange(units) for units in self.units])
        rows = np.array([{LEARNED: drawn, FIXED: blocks, PERMUTED: blocks}[name] for name in clusters])
        self.theta = strengths.new_tensor(rows).flatten(1)
        self.slopes = torch.zeros_like(self.theta)
        self._permuted = torch.tensor([name == PERMUTED for name in clusters], device=strengths.device)
        self._deals = stream("permuted clusters", *sizes, seed)

    def keep(self, models: Bool[Tensor, " models"]) -> None:
        """Forget all other networks."""
        self.strengths, self._permuted = self.strengths[:, :, models], self._permuted[models]
        self.theta, self.slopes = self.theta[models], self.slopes[models]

    def deal(self) -> None:
        """Begin an epoch: deal units to permuted clusters anew."""
        dealt = self._blocks([self._deals.permutation(units) for units in self.units])
        self.theta[self._permuted] = self.theta.new_tensor(dealt).flatten()

    def assignments(self, theta: Float[Tensor, "models numbers"]) -> list[Float[Tensor, "models _units clusters"]]:
        """P of each layer, given such rows as `theta` has."""
        return [layer[:, :units] for layer, units in zip(self._softmax(theta).unbind(1), self.units, strict=True)]

    def _softmax(self, theta: Float[Tensor, "models numbers"]) -> Float[Tensor, "models layers width clusters"]:
        return theta.mul(RATE).unflatten(1, self._shape).softmax(3)

    def _widened(self, similarity: Float[Tensor, "models _units _units"]) -> Float[Tensor, "models width width"]:
        more = self._shape[1] - similarity.shape[1]
        return pad(similarity, (0, more, 0, more)) if more else similarity

    def _blocks(self, places: Sequence[np.ndarray]) -> Float[np.ndarray, "layers width clusters"]:
        """A network's theta: units in blocks of equal size by their places in each layer."""
        theta = np.zeros(self._shape)
        for layer, place in zip(theta, places, strict=True):
            layer[np.arange(len(place)), CLUSTERS * place // len(place)] = CERTAIN
        return theta

    def add_gradients(
        self,
        stack: Stack,
        hidden: Sequence[Float[Tensor, "models _units batch"]],
        masks: Sequence[Float[Tensor, "models _units batch"]] | None,
        out: Stack,
    ) -> list[Float[Tensor, "models _units batch"]] | None:
        """Add those by weights to `out`, set `slopes` to those by theta, and return those by hidden activities, if any.

        All layers are padded with dead units to one width, and taken together: what is done about them is mostly small.

        Args:
            stack: the networks.
            hidden: their activities, after dropout.
            masks: of dropout.
            out: of the shape of `stack`.
        """
        centered = [activity - activity.mean(2, keepdim=True) for activity in hidden] if self.upstream else []
        similarities = [aligned_product(activity, activity.mT).div_(activity.shape[2]) for activity in centered]
        sensitivity = Sensitivity(stack, hidden, masks) if self.downstream else None
        if sensitivity:
            similarities += sensitivity.similarities
        families, layers = len(self.strengths), len(self.units)
        assignment = self._softmax(self.theta)
        found, by_assignment = descent(
            torch.cat([self._widened(similarity) for similarity in similarities]),
            assignment.transpose(0, 1).flatten(0, 1).repeat(families, 1, 1),
            self.strengths.expand(-1, layers, -1, 1, 1).flatten(0, 2),
        )
        shape = (families, layers, len(stack))
        weighted = by_assignment.unflatten(0, shape).sum(0).transpose(0, 1).mul(assignment)
        weighted.sub_(assignment * weighted.sum(3, keepdim=True))
        torch.mul(weighted, RATE, out=self.slopes.unflatten(1, self._shape))
        found = found.unflatten(0, shape).unbind(1)
        by_similarity = [layer[:, :, :units, :units] for layer, units in zip(found, self.units, strict=True)]
        if sensitivity:
            sensitivity.add_gradients([layer[-1] for layer in by_similarity], out)
        return [
            aligned_product(layer[0].mul_(2 / activity.shape[2]), activity)
            for layer, activity in zip(by_similarity, centered, strict=False)
        ]


class Sensitivity:
    """E[J^T J] of each hidden layer, one or two.

    Attributes:
        similarities: these, Float[Tensor, "models _units _units"].
    """

    def __init__(
        self,
        stack: Stack,
        hidden: Sequence[Float[Tensor, "models _units batch"]],
        masks: Sequence[Float[Tensor, "models _units batch"]] | None,
    ):
        *self._below, self._last = stack.weights
        self.similarities = [aligned_product(self._last.mT, self._last)]
        if self._below:
            slope = hidden[1].sign() if masks is None else hidden[1].sign().mul_(masks[1])
            self._together = aligned_product(slope, slope.mT).div_(slope.shape[2])
            self._middle = self.similarities[0] * self._together
            weight = self._below[0]
            self.similarities.insert(0, aligned_product(weight.mT, aligned_product(self._middle, weight)))

    def add_gradients(self, by_similarity: Sequence[Float[Tensor, "models _units _units"]], out: Stack) -> None:
        """Add those by weights to `out`, given those by `similarities`."""
        *below, by_last = by_similarity
        for weight, by_first in zip(self._below, below, strict=True):
            half = aligned_product(weight, by_first)
            out.weights[0].add_(aligned_product(self._middle, half).mul_(2))
            by_last = aligned_product(half, weight.mT).mul_(self._together).add_(by_last)
        out.weights[-1].add_(aligned_product(self._last, by_last).mul_(2))


def descent(
    similarity: Float[Tensor, "models units units"],
    assignment: Float[Tensor, "models units clusters"],
    strength: Float[Tensor, "models 1 1"],
) -> tuple[Float[Tensor, "models units units"], Float[Tensor, "models units clusters"]]:
    """The gradients of -strength * Q by the signed similarities, and by the assignments.

    A unit whose similarity to itself is at most EPSILON counts as dead: it is similar to none, has no part in Q and no
    gradient. So no gradient is infinite, and what rounding leaves of the covariance of constant activities is no aim.
    Without any two similar units Q is 0.

    Args:
        similarity: symmetric, with nothing negative on its diagonal.
        assignment: probabilities, so that the clusters' sum is 1: sums over units, too, can be taken from `neighbors`.
        strength: of each network.
    """
    own = similarity.diagonal(dim1=1, dim2=2).unsqueeze(2)
    scale = own.clamp(min=EPSILON).rsqrt_().mul_(own > EPSILON)
    scaled = assignment * scale
    size = similarity.abs()
    size.diagonal(dim1=1, dim2=2).zero_()
    neighbors = aligned_product(size, scaled).mul_(scale)
    share = neighbors.sum((1, 2), keepdim=True).clamp_(min=EPSILON).reciprocal_()
    neighbors.mul_(share)  # A P, as in the module's docstring
    volumes = neighbors.sum(1, keepdim=True)  # 1^T A P
    by_assignment = (neighbors - neighbors.sum(2, keepdim=True) * volumes).mul_(-2 * strength)
    # dQ/dA = P P^T - e 1^T - 1 e^T = (P - e 1^T - 1 v) P^T, with v the volumes and e = P v^T. Of it, the mean over A is
    # lost, as A sums to 1.
    left = assignment - (assignment * volumes).sum(2, keepdim=True) - volumes
    left.sub_((left * neighbors).sum((1, 2), keepdim=True))
    # each entry of the diagonal normalizes a row and a column, which gives half of this twice
    by_own = (left * neighbors).sum(2, keepdim=True).mul_(strength).mul_(scale.square())
    slopes = aligned_product(left.mul_(scale).mul_(-strength * share), scaled.mT).mul_(similarity.sign())
    slopes.diagonal(dim1=1, dim2=2).copy_(by_own.squeeze(2))
    return slopes, by_assignment
