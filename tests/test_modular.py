"""Modularity as an aim of training, against plain torch: automatic differentiation, Jacobians image by image."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy, relu

from unit_clusters.clusters.modularity import adjacency, modularity
from unit_clusters.similarity.measures import EPSILON, normalize
from unit_clusters.streams import stream
from unit_clusters_paper.data.idx import Dataset
from unit_clusters_paper.data.images import Batch, prepare
from unit_clusters_paper.networks.ensemble import Ensemble, Stack, initialize
from unit_clusters_paper.networks.modular import CLUSTERS, RATE, Modularity, descent
from unit_clusters_paper.networks.training import Run, gradients

SEED = 3
SIZES = (16, 12, 9, 10)
PLAIN = Run("plain", SEED, 0.0, 1e-5, 0.0)
UPSTREAM = PLAIN._replace(id="upstream", upstream=0.3)
DOWNSTREAM = PLAIN._replace(id="downstream", downstream=2.0)
BOTH = PLAIN._replace(id="both", upstream=0.7, downstream=0.7)
RUNS = [PLAIN, UPSTREAM, DOWNSTREAM, BOTH]


def soft_modularity(similarity, assignment):
    """Q of eqs. (5) and (6), as they are written."""
    own = similarity.diagonal().clamp(min=EPSILON)
    normalized = similarity.abs() / torch.outer(own, own).sqrt()
    weights = normalized - normalized.diagonal().diag()
    if not weights.any():
        return 0 * similarity.sum()
    weights = weights / weights.sum()
    within = torch.trace(assignment.T @ weights @ assignment)
    return within - (assignment.T @ weights.sum(1)).square().sum()


class Network(torch.nn.Module):
    """One of an ensemble, and the assignments of its units."""

    def __init__(self, ensemble, seed):
        super().__init__()
        given = zip(ensemble.weights, ensemble.biases, strict=True)
        self.weights, self.biases = (
            torch.nn.ParameterList(parameter[0].clone() for parameter in kind) for kind in zip(*given, strict=True)
        )
        units = ensemble.sizes[1:-1]
        drawn = stream("assignments", *ensemble.sizes, seed).normal(0, 1 / RATE, CLUSTERS * sum(units))
        parts = torch.from_numpy(drawn).to(ensemble.parameters).split([CLUSTERS * number for number in units])
        self.theta = torch.nn.ParameterList(part.reshape(-1, CLUSTERS) for part in parts)

    def forward(self, activity, layer=0, masks=None):
        """The activities of the hidden layers above this one, and the logits."""
        hidden = []
        for number in range(layer, len(self.weights) - 1):
            activity = relu(activity @ self.weights[number].T + self.biases[number])
            activity = activity if masks is None else activity * masks[number]
            hidden.append(activity)
        return hidden, activity @ self.weights[-1].T + self.biases[-1]

    def aim(self, images, run, masks=None):
        """The term of the loss, with the Jacobian of each image by automatic differentiation."""
        total = 0.0
        for layer, activity in enumerate(self(images, masks=masks)[0], start=1):
            assignment = (RATE * self.theta[layer - 1]).softmax(1)
            centered = activity - activity.mean(0)
            covariance = centered.T @ centered / len(images)

            def above(one, masks=None, layer=layer):
                return self(one, layer, masks)[1]

            derive = torch.func.vmap(torch.func.jacrev(above))
            jacobian = derive(activity) if masks is None else derive(activity, masks)
            sensitivity = torch.einsum("iau,iav->uv", jacobian, jacobian) / len(images)
            total = total - run.upstream * soft_modularity(covariance, assignment)
            total = total - run.downstream * soft_modularity(sensitivity, assignment)
        return total


@pytest.fixture
def data():
    random = np.random.default_rng(0)
    labels = random.integers(0, 10, 190)
    pixels = np.clip(random.integers(0, 256, (10, 16))[labels] + random.normal(0, 60, (190, 16)), 0, 255)
    dataset = Dataset(pixels.astype(np.uint8), labels, pixels.astype(np.uint8), labels)
    return prepare(dataset, 0.21, torch.float64)  # 150 to train on: a short last batch


def start(runs, sizes=SIZES):
    return Ensemble(initialize(sizes, [SEED] * len(runs)).parameters.double(), sizes)


def batch_of(data, number=50):
    images = data.training
    return Batch(images.pixels[:number].double() / 255, torch.arange(16), images.labels[:number])


def zeros_like(stack):
    return Stack(torch.zeros_like(stack.first), torch.zeros_like(stack.rest), stack.sizes)


def gradients_of(ensemble, batch, runs, masks=None):
    """Of all that is minimized but the penalties: by parameters, an ensemble, and by theta."""
    strengths = torch.tensor([(run.upstream, run.downstream) for run in runs], dtype=torch.float64)
    stack, aim = Stack.of(ensemble), Modularity(strengths, ensemble.sizes, SEED)
    found = zeros_like(stack)
    gradients(stack, batch, masks, found, aim)
    return found.ensemble(), aim.slopes


def assert_as_by_autograd(ensemble, batch, runs, masks=None):
    found, by_theta = gradients_of(ensemble, batch, runs, masks)
    for model, run in enumerate(runs):
        network = Network(ensemble[model : model + 1], SEED)
        of_images = None if masks is None else [mask[model].T for mask in masks]
        logits = network(batch.pixels, masks=of_images)[1]
        (cross_entropy(logits, batch.labels) + network.aim(batch.pixels, run, of_images)).backward()
        for mine, parameter in zip([*found.weights, *found.biases], network.parameters(), strict=False):
            torch.testing.assert_close(mine[model], parameter.grad, rtol=1e-9, atol=1e-13)
        expected = torch.cat([part.grad.flatten() for part in network.theta])
        torch.testing.assert_close(by_theta[model, : len(expected)], expected, rtol=1e-9, atol=1e-13)


def test_q_of_hard_clusters_is_that_of_the_library():
    factor = np.random.default_rng(1).normal(size=(7, 20))
    factor[2] = 0
    labels = np.array([0, 0, 1, 1, 2, 0, 1])
    expected = modularity(adjacency(normalize(np.abs(factor @ factor.T))), labels)
    found = soft_modularity(torch.tensor(factor @ factor.T), torch.eye(3, dtype=torch.float64)[labels])
    assert found.item() == pytest.approx(expected)


@pytest.mark.parametrize(
    "rows", [{}, {1: 0.0, 4: 0.0}, {2: 1e-8}, {n: 0.0 for n in range(1, 7)}, {n: 0.0 for n in range(7)}]
)
def test_descent_is_the_gradient(rows):
    """Also with dead units, one whose similarity to itself is below the floor, a single live unit, and none."""
    random = torch.Generator().manual_seed(0)
    factor = torch.randn(7, 20, dtype=torch.float64, generator=random)
    for row, size in rows.items():
        factor[row] *= size
    similarity = (factor @ factor.T).requires_grad_()
    assignment = torch.randn(7, 3, dtype=torch.float64, generator=random).softmax(1).requires_grad_()
    (-0.4 * soft_modularity(similarity, assignment)).backward()
    expected = (similarity.grad + similarity.grad.T) / 2
    strength = torch.full((1, 1, 1, 1), 0.4, dtype=torch.float64)
    found, by_assignment = descent(similarity.detach()[None, None], assignment.detach()[None], strength)
    torch.testing.assert_close(found[0, 0], expected, rtol=1e-9, atol=1e-14)
    if assignment.grad is not None:
        torch.testing.assert_close(by_assignment[0], assignment.grad, rtol=1e-9, atol=1e-14)
    assert found.any() == (len(rows) < 6)


@pytest.mark.parametrize("hidden", [(12, 9), (11,)])
def test_gradients_are_those_of_autograd(data, hidden):
    assert_as_by_autograd(start(RUNS, (16, *hidden, 10)), batch_of(data), RUNS)


def test_gradients_under_dropout_are_those_of_autograd(data):
    random = torch.Generator().manual_seed(1)
    masks = [2.0 * (torch.rand(len(RUNS), units, 50, generator=random) < 0.5).double() for units in SIZES[1:-1]]
    assert_as_by_autograd(start(RUNS), batch_of(data), RUNS, masks)


def test_deep_networks_have_upstream_modularity_only(data):
    sizes = (16, 8, 7, 6, 10)
    assert_as_by_autograd(start([UPSTREAM], sizes), batch_of(data), [UPSTREAM])
    with pytest.raises(ValueError, match="one or two hidden layers, not of 3"):
        Modularity(torch.tensor([[1.0, 0.0], [0.1, 0.1]]), sizes, SEED)


def test_dead_layers_and_a_single_image_have_no_gradient(data):
    """No activity, then no weights to the logits; and nothing varies over one image."""
    ensemble = start([BOTH, BOTH])
    ensemble.biases[1][0], ensemble.weights[2][1] = -1e3, 0
    for part, batch in (((0, 0), batch_of(data)), ((1,), batch_of(data, 1))):
        chosen = ensemble[torch.tensor(part)]
        aimed, by_theta = gradients_of(chosen, batch, [BOTH._replace(upstream=float(part[0]))] * len(part))
        assert aimed.parameters.isfinite().all()
        assert by_theta.isfinite().all()
