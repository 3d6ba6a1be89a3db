"""Modularity as an aim of training, with soft clusters that are learned with the network.

The loss that is minimized has one term more,

    - sum over hidden layers l of [upstream * Q(S_l, P_l) + downstream * Q(T_l, P_l)],    P_l = softmax(RATE * theta_l),

where Q is eq. (6) for soft clusters: with A the similarity normalized by eq. (5), without its diagonal, divided by its
sum, Q(A, P) = tr(P^T A P) - |P^T A 1|^2. P_l says with which probability a unit is in each of CLUSTERS clusters. Its
theta_l are parameters of the network in training, and are forgotten with its end. Both similarities are those of the
batch, dropout included:

    S_l = |C_l|, C_l the covariance of the layer's activities over the batch's images (eq. 1)
    T_l = |E[J_l^T J_l]|, J_l the Jacobian of the logits by these activities (eq. 3)

J of the last hidden layer is its weights W_3, the same for all images. That of the one before is W_3 D W_2, with D the
diagonal of the slopes d of the ReLUs between. So E[J^T J] = W_2^T (W_3^T W_3 * E[d d^T]) W_2, an elementwise product in
the middle. Of a layer further down it does not factor, and needs the product of each image: networks of more than
DOWNSTREAM_LAYERS hidden layers are refused.

All gradients are in closed form. The slopes of ReLUs count as constant, as for automatic differentiation.
"""

from collections.abc import Sequence
from typing import Protocol

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from unit_clusters.similarity.measures import EPSILON
from unit_clusters.streams import stream
from unit_clusters_paper.networks.ensemble import Stack, product
from unit_clusters_paper.runs.sweep import DOWNSTREAM_LAYERS

CLUSTERS = 8
"""At most, in a layer."""

RATE = 10
"""How much faster the assignments learn than the weights: Adam's steps are as long for theta as for a weight."""


class Aimed(Protocol):
    """What is asked of a run."""

    seed: int
    upstream: float
    downstream: float


class Modularity:
    """The term of some networks, their strengths, and their assignments.

    Attributes:
        theta: a row a network, all layers' (units, CLUSTERS), and zeros up to a multiple of 16, as in `Stack`; random
            at first, by the architecture and the seed.
        slopes: of the loss by theta, as `add_gradients` leaves it.

    Raises:
        ValueError: downstream is the aim in networks of more than DOWNSTREAM_LAYERS hidden layers.
    """

    def __init__(self, runs: Sequence[Aimed], sizes: Sequence[int], like: Tensor):
        self.units = tuple(sizes[1:-1])
        self.upstream, self.downstream = (
            like.new_tensor([getattr(run, family) for run in runs]).reshape(-1, 1, 1)
            for family in ("upstream", "downstream")
        )
        if self.downstream.any() and len(self.units) > DOWNSTREAM_LAYERS:
            raise ValueError(
                f"downstream modularity is no aim for {len(self.units)} hidden layers: from {DOWNSTREAM_LAYERS + 1} on, "
                "its gradient would take each image's Jacobian, and training many times as long"
            )
        numbers = CLUSTERS * sum(self.units)
        self.theta = like.new_zeros(len(runs), -(-numbers // 16) * 16)
        self.slopes = torch.zeros_like(self.theta)
        for row, run in zip(self.theta, runs, strict=True):
            random = stream("assignments", *sizes, run.seed)
            row[:numbers] = torch.from_numpy(random.normal(0, 1 / RATE, numbers))

    def keep(self, models: Bool[Tensor, " models"]) -> None:
        """Forget all other networks."""
        self.upstream, self.downstream = self.upstream[models], self.downstream[models]
        self.theta, self.slopes = self.theta[models], self.slopes[models]

    def add_gradients(
        self,
        stack: Stack,
        hidden: Sequence[Float[Tensor, "models _units batch"]],
        masks: Sequence[Float[Tensor, "models _units batch"]] | None,
        out: Stack,
    ) -> list[Float[Tensor, "models _units batch"]] | None:
        """Add those by weights to `out`, set `slopes` to those by theta, and return those by hidden activities, if any.

        Args:
            stack: the networks.
            hidden: their activities, after dropout.
            masks: of dropout.
            out: of the shape of `stack`.
        """
        assignments = [part.softmax(2) for part in self._by_layer(self.theta * RATE)]
        by_assignment = [torch.zeros_like(assignment) for assignment in assignments]
        activities = None
        if self.upstream.any():
            activities = []
            for activity, assignment, slopes in zip(hidden, assignments, by_assignment, strict=True):
                centered = activity - activity.mean(2, keepdim=True)
                covariance = product(centered, centered.mT).div_(activity.shape[2])
                by_similarity = descent(covariance, assignment, self.upstream, slopes)
                activities.append(product(by_similarity.mul_(2 / activity.shape[2]), centered))
        if self.downstream.any():
            self._add_downstream(stack, hidden, masks, assignments, by_assignment, out)
        for part, assignment, slopes in zip(self._by_layer(self.slopes), assignments, by_assignment, strict=True):
            weighted = assignment * slopes
            torch.mul(weighted - assignment * weighted.sum(2, keepdim=True), RATE, out=part)
        return activities

    def _add_downstream(
        self,
        stack: Stack,
        hidden: Sequence[Float[Tensor, "models _units batch"]],
        masks: Sequence[Float[Tensor, "models _units batch"]] | None,
        assignments: Sequence[Float[Tensor, "models _units clusters"]],
        by_assignment: Sequence[Float[Tensor, "models _units clusters"]],
        out: Stack,
    ) -> None:
        last = stack.weights[-1]
        gram = product(last.mT, last)
        by_gram = descent(gram, assignments[-1], self.downstream, by_assignment[-1])
        if len(hidden) == DOWNSTREAM_LAYERS:
            slope = hidden[1].sign() if masks is None else hidden[1].sign().mul_(masks[1])
            together = product(slope, slope.mT).div_(slope.shape[2])
            weight, middle = stack.weights[0], gram.mul_(together)
            forward = product(middle, weight)
            by_similarity = descent(
                product(weight.mT, forward), assignments[0], self.downstream, by_assignment[0]
            )
            out.weights[0].add_(product(forward, by_similarity).mul_(2))
            by_gram.add_(product(product(weight, by_similarity), weight.mT).mul_(together))
        out.weights[-1].add_(product(last, by_gram).mul_(2))

    def _by_layer(self, rows: Float[Tensor, "models padded"]) -> list[Float[Tensor, "models _units clusters"]]:
        lengths = [CLUSTERS * units for units in self.units]
        parts = rows[:, : sum(lengths)].split(lengths, dim=1)
        return [part.unflatten(1, (units, CLUSTERS)) for part, units in zip(parts, self.units, strict=True)]


def descent(
    similarity: Float[Tensor, "models units units"],
    assignment: Float[Tensor, "models units clusters"],
    strength: Float[Tensor, "models 1 1"],
    by_assignment: Float[Tensor, "models units clusters"],
) -> Float[Tensor, "models units units"]:
    """The gradient of -strength * Q by the signed similarity; that by the assignment is added to `by_assignment`.

    In eq. (5) a similarity of a unit to itself below EPSILON counts as EPSILON. So a unit that is similar to none, dead,
    has no part in Q and no gradient, and no gradient is infinite. Without any two similar units Q is 0. A strength of 0
    gives exactly 0.
    """
    own = similarity.diagonal(dim1=1, dim2=2).unsqueeze(2)
    scale = own.clamp(min=EPSILON).sqrt().reciprocal()
    scales = scale * scale.mT
    normalized = similarity * scales
    normalized.diagonal(dim1=1, dim2=2).zero_()
    weights = normalized.abs()
    total = weights.sum((1, 2), keepdim=True)
    share = torch.where(total > 0, total.reciprocal(), 0)
    weights.mul_(share)  # A, as in the module's docstring
    degrees = weights.sum(2, keepdim=True)
    volumes = product(degrees.mT, assignment)
    by_assignment.sub_((product(weights, assignment) - degrees * volumes).mul_(2 * strength))
    # dQ/dA = P P^T - P v 1^T - (P v 1^T)^T with v = P^T A 1, of which the mean over A is lost as A sums to 1
    expected = product(assignment, volumes.mT)
    slopes = product(assignment, assignment.mT).sub_(expected).sub_(expected.mT)
    slopes.sub_((slopes * weights).sum((1, 2), keepdim=True))
    slopes = torch.where(strength > 0, slopes.mul_(normalized.sign()).mul_(-strength * share), 0)
    # by the normalizer: each entry of the matrix depends on two of the diagonal, by half
    by_own = torch.where(own > EPSILON, (slopes * normalized).sum(2, keepdim=True) / own, 0)
    slopes.mul_(scales)
    slopes.diagonal(dim1=1, dim2=2).copy_(by_own.squeeze(2).neg())
    return slopes
