"""An ensemble's members against the same networks trained alone, by torch's own layers, optimiser and schedule."""

import copy
import math

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from unit_clusters.datasets import Dataset
from unit_clusters.evaluation import Images, prepare
from unit_clusters.network import Ensemble, initialize
from unit_clusters.streams import stream
from unit_clusters.training import Run, Settings, train

SIZES = (16, 12, 8, 10)
SETTINGS = Settings(batch_size=32, learning_rate=0.01, plateau_patience=1, stopping_patience=2, max_epochs=25)
RUNS = [
    Run("plain", 0.0, 0.0, 0.0),
    Run("l2", 0.0, 1e-2, 0.0),
    Run("l1", 3e-3, 1e-5, 0.0),
    Run("dropout", 0.0, 1e-5, 0.4),
    Run("too much l1", 0.3, 1e-5, 0.0),  # collapses, and stops before the others
]


@pytest.fixture
def data():
    random = np.random.default_rng(0)
    labels = random.integers(0, 10, 240)
    prototypes = random.integers(0, 256, (10, 16))
    pixels = np.clip(prototypes[labels] + random.normal(0, 60, (240, 16)), 0, 255).astype(np.uint8)
    dataset = Dataset(pixels, labels, pixels, labels)
    return prepare(dataset, 0.21, range(len(RUNS)), torch.float64)  # 190 to train on: a short last batch


def choose(data, models):
    return data._replace(train_index=data.train_index[models], val_index=data.val_index[models])


def start():
    return Ensemble(initialize(SIZES, range(len(RUNS))).parameters.double(), SIZES)


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


def test_member_equals_the_network_trained_alone(data):
    initial = start()
    trained, history = train(initial, data, RUNS, SETTINGS)
    lengths = set()
    for model, run in enumerate(RUNS):
        state, losses, rates = train_alone(
            initial[model : model + 1], data.training, data.train_index[model], data.val_index[model], run
        )
        epochs = [epoch for epoch in history if epoch.run == run.id]
        np.testing.assert_allclose([epoch.val_loss for epoch in epochs], losses, rtol=1e-9)
        np.testing.assert_allclose([epoch.learning_rate for epoch in epochs], rates)
        for linear, weight, bias in zip(state[::3], trained.weights, trained.biases, strict=True):
            torch.testing.assert_close(weight[model], linear.weight.data, rtol=1e-7, atol=1e-10)
            torch.testing.assert_close(bias[model], linear.bias.data, rtol=1e-7, atol=1e-10)
        lengths.add(len(epochs))
    assert min(lengths) < max(lengths), "no member stopped before the others: the test would not see the stack shrink"
    assert len({epoch.learning_rate for epoch in history}) > 1, "no plateau was reached"


def test_company_does_not_matter(data):
    """A network trains alike in any ensemble."""
    together, _ = train(start(), data, RUNS, SETTINGS)
    chosen = torch.tensor([3, 1])
    apart, _ = train(start()[chosen], choose(data, chosen), [RUNS[3], RUNS[1]], SETTINGS)
    torch.testing.assert_close(apart.parameters, together.parameters[chosen], rtol=1e-9, atol=1e-12)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_gpu_trains_as_the_processor_does(data):
    settings = Settings(batch_size=32, learning_rate=0.01, max_epochs=3)
    _, expected = train(start(), data, RUNS, settings)
    training = Images(data.training.pixels.cuda(), data.training.labels.cuda(), torch.float64)
    on_gpu = data._replace(training=training, train_index=data.train_index.cuda(), val_index=data.val_index.cuda())
    _, found = train(start().to("cuda"), on_gpu, RUNS, settings)
    np.testing.assert_allclose([e.val_loss for e in found], [e.val_loss for e in expected], rtol=1e-9)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_missing_gpu_is_said():
    with pytest.raises(ValueError, match="training: device is cuda, but torch finds no GPU"):
        Settings(device="cuda")


def test_initial_networks_are_left_as_they_were(data):
    initial = start()
    train(initial, data, RUNS, Settings(max_epochs=1))
    torch.testing.assert_close(initial.parameters, start().parameters, rtol=0, atol=0)


def test_network_that_diverges_stops_and_keeps_its_best_epoch(data):
    initial = start()
    initial.weights[0][1] = math.nan
    trained, history = train(initial, data, RUNS, Settings(max_epochs=3, batch_size=32))
    epochs = [epoch.run for epoch in history]
    assert epochs.count(RUNS[1].id) == 1
    assert epochs.count(RUNS[0].id) == 3
    torch.testing.assert_close(trained.parameters[1], initial.parameters[1], equal_nan=True)
    assert trained.parameters[[0, 2, 3, 4]].isfinite().all()
