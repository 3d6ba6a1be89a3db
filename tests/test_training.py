"""An ensemble's members against the same networks trained alone, by torch's own layers, optimiser and schedule."""

import copy
import math

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from unit_clusters.evaluation import Images
from unit_clusters.network import Ensemble, initialize
from unit_clusters.streams import stream
from unit_clusters.training import Run, Settings, train

SIZES = (16, 12, 8, 10)
SETTINGS = Settings(batch_size=32, learning_rate=0.01, plateau_patience=1, stopping_patience=3, max_epochs=12)
RUNS = [
    Run("plain", 0, 0.0, 0.0, 0.0),
    Run("l2", 1, 0.0, 1e-2, 0.0),
    Run("l1", 2, 3e-3, 1e-5, 0.0),
    Run("dropout", 3, 0.0, 1e-5, 0.4),
    Run("too much l1", 4, 0.3, 1e-5, 0.0),  # collapses, and stops before the others
]


@pytest.fixture
def images():
    random = np.random.default_rng(0)
    labels = random.integers(0, 10, 240)
    prototypes = random.integers(0, 256, (10, 16))
    pixels = np.clip(prototypes[labels] + random.normal(0, 60, (240, 16)), 0, 255).astype(np.uint8)
    return Images(torch.from_numpy(pixels), torch.from_numpy(labels), torch.float64)


@pytest.fixture
def indices():
    orders = [np.random.default_rng(seed).permutation(240) for seed in range(len(RUNS))]
    return torch.tensor(np.array(orders)[:, :190]), torch.tensor(np.array(orders)[:, 190:])  # 190: a short last batch


def start():
    return Ensemble(initialize(SIZES, [run.seed for run in RUNS]).parameters.double(), SIZES)


def penalized_loss(model, x, y, run):
    weights = [parameter for parameter in model.parameters() if parameter.ndim == 2]
    penalty = sum(run.l1 * weight.abs().sum() + run.l2 * weight.square().sum() for weight in weights)
    return cross_entropy(model(x), y) + penalty


def module(ensemble, run):
    """The ensemble's network as a torch module; its dropout draws from the run's stream."""
    random = stream(run.id, "dropout")

    class Dropout(torch.nn.Module):
        def forward(self, activity):
            if not self.training or not run.dropout:
                return activity
            keep = random.random(tuple(activity.shape), dtype=np.float32) >= run.dropout
            return activity * torch.from_numpy(keep) / (1 - run.dropout)

    layers = []
    for weight, bias in zip(ensemble.weights, ensemble.biases, strict=True):
        linear = torch.nn.Linear(weight.shape[2], weight.shape[1], dtype=torch.float64)
        linear.weight.data, linear.bias.data = weight[0].clone(), bias[0].clone()
        layers += [linear, torch.nn.ReLU(), Dropout()]
    return torch.nn.Sequential(*layers[:-2])


def train_alone(ensemble, images, train_index, val_index, run):
    """The plain loop over one network: the best state, the validation losses and the learning rates."""
    model = module(ensemble, run)
    x, y = images.pixels.double() / 255, images.labels
    optimizer = torch.optim.Adam(model.parameters(), lr=SETTINGS.learning_rate)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.25, patience=SETTINGS.plateau_patience)
    order = stream(run.id, "batch order")
    best, state, waited, losses, rates = math.inf, None, 0, [], []
    for _ in range(SETTINGS.max_epochs):
        rates.append(optimizer.param_groups[0]["lr"])
        model.train()
        for batch in train_index[order.permutation(len(train_index))].split(SETTINGS.batch_size):
            optimizer.zero_grad()
            penalized_loss(model, x[batch], y[batch], run).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            losses.append(cross_entropy(model(x[val_index]), y[val_index]).item())
        plateau.step(losses[-1])
        waited = 0 if losses[-1] < best else waited + 1
        if losses[-1] < best:
            best, state = losses[-1], copy.deepcopy(model)
        if waited == SETTINGS.stopping_patience:
            break
    return state, losses, rates


def test_member_equals_the_network_trained_alone(images, indices):
    initial = start()
    trained, history = train(initial, images, *indices, RUNS, SETTINGS)
    lengths = set()
    for model, run in enumerate(RUNS):
        state, losses, rates = train_alone(initial[model : model + 1], images, *(i[model] for i in indices), run)
        epochs = [epoch for epoch in history if epoch.run == run.id]
        np.testing.assert_allclose([epoch.val_loss for epoch in epochs], losses, rtol=1e-9)
        np.testing.assert_allclose([epoch.learning_rate for epoch in epochs], rates)
        for linear, weight, bias in zip(state[::3], trained.weights, trained.biases, strict=True):
            torch.testing.assert_close(weight[model], linear.weight.data, rtol=1e-7, atol=1e-10)
            torch.testing.assert_close(bias[model], linear.bias.data, rtol=1e-7, atol=1e-10)
        lengths.add(len(epochs))
    assert min(lengths) < max(lengths), "no member stopped before the others: the test would not see the stack shrink"
    assert len({epoch.learning_rate for epoch in history}) > 1, "no plateau was reached"


def test_company_does_not_matter(images, indices):
    """A network trains alike in any ensemble."""
    together, _ = train(start(), images, *indices, RUNS, SETTINGS)
    chosen = torch.tensor([3, 1])
    apart, _ = train(start()[chosen], images, *(i[chosen] for i in indices), [RUNS[3], RUNS[1]], SETTINGS)
    torch.testing.assert_close(apart.parameters, together.parameters[chosen], rtol=1e-9, atol=1e-12)


def test_initial_networks_are_left_as_they_were(images, indices):
    initial = start()
    train(initial, images, *indices, RUNS, Settings(max_epochs=1))
    torch.testing.assert_close(initial.parameters, start().parameters, rtol=0, atol=0)


def test_network_that_diverges_stops_and_keeps_its_best_epoch(images, indices):
    initial = start()
    initial.weights[0][1] = math.nan
    trained, history = train(initial, images, *indices, RUNS, Settings(max_epochs=3, batch_size=32))
    epochs = [epoch.run for epoch in history]
    assert epochs.count(RUNS[1].id) == 1
    assert epochs.count(RUNS[0].id) == 3
    torch.testing.assert_close(trained.parameters[1], initial.parameters[1], equal_nan=True)
    assert trained.parameters[[0, 2, 3, 4]].isfinite().all()
