"""Networks trained together against the same networks trained alone, by torch's own layers, optimiser and schedule."""

import copy
import math
import re
import runpy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numba
import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from unit_clusters.streams import stream
from unit_clusters_paper.data.idx import Dataset
from unit_clusters_paper.data.images import Images, prepare
from unit_clusters_paper.networks import products
from unit_clusters_paper.networks.ensemble import Ensemble, Stack, initialize
from unit_clusters_paper.networks.evaluation import evaluate
from unit_clusters_paper.networks.training import (
    Adam,
    Course,
    Run,
    Settings,
    dropout_masks,
    finite_epochs,
    train,
    train_epoch,
)
from unit_clusters_paper.runs.threads import compute_with

SCRIPTS = [
    script
    for script in sorted(Path(__file__).parents[1].glob("workflow/scripts/*.py"))
    if re.search(r"^from \w+\.(networks|similarity)\b", script.read_text(), re.MULTILINE)
]
"""Those that compute with networks."""

SIZES = (16, 12, 8, 10)
EARLY = Settings(batch_size=32, learning_rate=0.01, plateau_patience=0, stopping_patience=2, max_epochs=25)
PENALIZED = replace(EARLY, validation_penalty=True)
LONG = replace(EARLY, schedule="constant", stopping_patience=None, max_epochs=12, keep="last")
SEED = 5
RUNS = [
    Run("plain", SEED, 0.0, 0.0, 0.0),
    Run("l2", SEED, 0.0, 1e-2, 0.0),
    Run("l1", SEED, 3e-3, 1e-5, 0.0),
    Run("dropout", SEED, 0.0, 1e-5, 0.4),
    Run("too much l1", SEED, 0.3, 1e-5, 0.0),  # collapses, and stops before the others
]


@pytest.fixture
def data():
    """Images some of whose pixels are 0 in most batches or in all."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 10, 240)
    prototypes = random.integers(0, 256, (10, 16))
    pixels = np.clip(prototypes[labels] + random.normal(0, 60, (240, 16)), 0, 255).astype(np.uint8)
    pixels[:, 3] = 0
    pixels[5:, 7] = 0
    dataset = Dataset(pixels, labels, pixels, labels)
    return prepare(dataset, 0.21, torch.float64)  # 190 to train on: a short last batch


def start(number=5):
    return Ensemble(initialize(SIZES, [SEED] * number).parameters.double(), SIZES)


def module(ensemble, run):
    """The ensemble's network as a torch module; its dropout takes 16 bits a unit and image from the run's stream."""
    random = stream(run.id, "dropout")

    class Dropout(torch.nn.Module):
        def forward(self, activity):
            if not self.training or not run.dropout:
                return activity
            images, units = activity.shape
            bits = random.bit_generator.random_raw(math.ceil(images * units / 4)).view(np.int16)[: images * units]
            p = round(run.dropout * 2**16) / 2**16
            drawn = torch.from_numpy(bits.astype(int) + 2**15).view(units, images).T
            keep = drawn >= p * 2**16
            return activity * keep / (1 - p)

    layers = []
    for weight, bias in zip(ensemble.weights, ensemble.biases, strict=True):
        linear = torch.nn.Linear(weight.shape[2], weight.shape[1], dtype=torch.float64)
        linear.weight.data, linear.bias.data = weight[0].clone(), bias[0].clone()
        layers += [linear, torch.nn.ReLU(), Dropout()]
    return torch.nn.Sequential(*layers[:-2])


def penalty(model, run):
    weights = [parameter for parameter in model.parameters() if parameter.ndim == 2]
    return sum(run.l1 * weight.abs().sum() + run.l2 * weight.square().sum() for weight in weights)


def train_alone(ensemble, data, run, settings):
    """The plain loop over one network: its kept state, and what the history has of each epoch from the rate on."""
    model = module(ensemble, run)
    x, y = data.training.pixels.double() / 255, data.training.labels
    train_index, val_index = data.split(SEED)
    optimizer = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.25, patience=settings.plateau_patience)
    order = stream("batch order", SEED)
    best, state, waited, history = math.inf, None, 0, []
    for _ in range(settings.max_epochs):
        rate, totals = optimizer.param_groups[0]["lr"], np.zeros(2)
        model.train()
        for batch in train_index[order.permutation(len(train_index))].split(settings.batch_size):
            optimizer.zero_grad()
            logits = model(x[batch])
            loss = cross_entropy(logits, y[batch])
            (loss + penalty(model, run)).backward()
            optimizer.step()
            totals += len(batch) * loss.item(), (logits.argmax(1) == y[batch]).sum().item()
        model.eval()
        with torch.no_grad():
            logits = model(x[val_index])
            val_loss = cross_entropy(logits, y[val_index]).item()
            val_accuracy = (logits.argmax(1) == y[val_index]).double().mean().item()
            watched = val_loss + settings.validation_penalty * float(penalty(model, run))
        history.append((rate, *totals / len(train_index), val_loss, val_accuracy))
        if settings.schedule == "plateau":
            plateau.step(watched)
        waited = 0 if watched < best else waited + 1
        if watched < best or settings.keep == "last":
            state = copy.deepcopy(model)
        best = min(best, watched)
        if waited == settings.stopping_patience:
            break
    return state, history


@pytest.mark.parametrize("settings", [EARLY, PENALIZED, LONG], ids=["early stopping", "penalized", "long"])
def test_member_equals_the_network_trained_alone(data, settings):
    initial = start()
    trained, history, _ = train(initial, data, RUNS, settings)
    lengths = set()
    for model, run in enumerate(RUNS):
        state, expected = train_alone(initial[model : model + 1], data, run, settings)
        epochs = [epoch for epoch in history if epoch.run == run.id]
        assert [epoch.epoch for epoch in epochs] == list(range(1, len(expected) + 1))
        np.testing.assert_allclose([epoch[2:] for epoch in epochs], expected, rtol=1e-9)
        for linear, weight, bias in zip(state[::3], trained.weights, trained.biases, strict=True):
            torch.testing.assert_close(weight[model], linear.weight.data, rtol=1e-7, atol=1e-10)
            torch.testing.assert_close(bias[model], linear.bias.data, rtol=1e-7, atol=1e-10)
        lengths.add(len(epochs))
    if settings is not LONG:
        assert min(lengths) < max(lengths), "no member stopped before the others: the stack was not seen to shrink"
        assert len({epoch.learning_rate for epoch in history}) > 1, "no plateau was reached"
    else:
        assert lengths == {settings.max_epochs}


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("sizes", [(784, 64, 64, 10), (784, 20, 11, 10)])
def test_company_does_not_change_a_bit(sizes, library, monkeypatch):
    """In float32 too, by either library: a strength that is added later gives the network of a fresh run."""
    monkeypatch.setattr(products, "library", lambda: library)
    random = np.random.default_rng(1)
    pixels = random.integers(0, 256, (700, 784), dtype=np.uint8) * (random.random((700, 784)) < 0.05)
    labels = random.integers(0, 10, 700)
    data = prepare(Dataset(pixels.astype(np.uint8), labels, pixels, labels), 0.1, torch.float32)
    runs = [Run(str(m), SEED, (0.0, 1e-4)[m % 2], 1e-5, (0.0, 0.3, 0.7)[m % 3]) for m in range(15)]
    settings = Settings(max_epochs=2, batch_size=200)
    together = train(initialize(sizes, [SEED] * 15), data, runs, settings)
    for chosen in ([0], [2], [2, 1, 0], [4, 9, 14, 7, 8, 3, 11]):
        start = initialize(sizes, [SEED] * len(chosen))
        apart = train(start, data, [runs[model] for model in chosen], settings)
        assert torch.equal(apart.ensemble.parameters, together.ensemble.parameters[chosen])


def test_dropout_masks_keep_the_mean():
    courses = [Course(Run(str(p), 0, 0.0, 0.0, p), EARLY) for p in (0.0, 0.05, 0.7)]
    masks = dropout_masks(courses, 999, (101, 50), torch.empty(0, dtype=torch.float64))
    assert [mask.shape for mask in masks] == [(3, 101, 999), (3, 50, 999)]
    for course, *mine in zip(courses, *masks, strict=True):
        p = course.run.dropout
        factors = torch.cat([mask.flatten() for mask in mine])
        assert (factors == 0).double().mean().item() == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / len(factors)))
        assert factors.max().item() == pytest.approx(1 / (1 - p), rel=1e-4)
    assert dropout_masks(courses[:1], 10, (4,), torch.empty(0)) is None


def test_an_equal_loss_is_no_improvement():
    """Of equal epochs the first is kept, and they count against the patience."""
    course = Course(RUNS[0], replace(EARLY, stopping_patience=2))
    assert [course.step(loss) for loss in (1.0, 1.0, 0.5, 0.5, 0.6)] == [
        *((True, False), (False, False), (True, False), (False, False), (False, True))
    ]


def test_without_a_limit_of_epochs_it_ends_by_its_patience(data):
    limited, unlimited = (train(start(1), data, RUNS[1:2], replace(EARLY, max_epochs=most)) for most in (99, None))
    assert len(limited[1]) < 99
    assert unlimited[1] == limited[1]
    assert torch.equal(unlimited[0].parameters, limited[0].parameters)


def test_means_over_an_epoch_are_summed_in_float64(data):
    stack, courses = Stack.of(initialize(SIZES, [SEED])), [Course(RUNS[0], EARLY)]
    images = data.training._replace(dtype=torch.float32)
    means = train_epoch(stack, images, torch.arange(190), courses, Adam([stack.first, stack.rest]), 32)
    assert [mean.dtype for mean in (*means, *evaluate(stack, images, torch.arange(190)))] == [torch.float64] * 4


def test_networks_of_several_seeds_are_refused(data):
    with pytest.raises(ValueError, match="share their batches"):
        train(start(2), data, [RUNS[0], RUNS[1]._replace(seed=6)], EARLY)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_gpu_trains_as_the_processor_does(data):
    settings = replace(EARLY, max_epochs=3)
    expected = train(start(), data, RUNS, settings).history
    training = Images(data.training.pixels.cuda(), data.training.labels.cuda(), torch.float64)
    found = train(start().to("cuda"), data._replace(training=training), RUNS, settings).history
    np.testing.assert_allclose([e.val_loss for e in found], [e.val_loss for e in expected], rtol=1e-9)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_missing_gpu_is_said():
    with pytest.raises(ValueError, match="training: device is cuda, but torch finds no GPU"):
        Settings(device="cuda")


def test_initial_networks_are_left_as_they_were(data):
    initial = start()
    train(initial, data, RUNS, replace(EARLY, max_epochs=1))
    torch.testing.assert_close(initial.parameters, start().parameters, rtol=0, atol=0)


def test_stack_holds_the_ensemble():
    initial = start()
    stack = Stack.of(initial)
    assert torch.equal(stack.ensemble().parameters, initial.parameters)
    chosen = torch.tensor([True, False, True, False, False])
    assert torch.equal(stack[chosen].ensemble().parameters, initial.parameters[chosen])


@pytest.mark.parametrize("settings", [EARLY, LONG], ids=["best", "last"])
def test_network_that_diverges_stops_and_keeps_its_last_good_epoch(data, settings):
    initial = start()
    initial.weights[0][1] = math.nan
    trained, history, _ = train(initial, data, RUNS, replace(settings, max_epochs=3))
    epochs = [epoch.run for epoch in history]
    assert epochs.count(RUNS[1].id) == 1
    assert epochs.count(RUNS[0].id) == 3
    assert finite_epochs(history) == {run.id: 3 for run in RUNS if run is not RUNS[1]}
    torch.testing.assert_close(trained.parameters[1], initial.parameters[1], equal_nan=True)
    assert trained.parameters[[0, 2, 3, 4]].isfinite().all()


def test_last_finite_epoch_of_a_network_that_diverges_later(data):
    """A learning rate under which the loss soon overflows."""
    settings = replace(LONG, learning_rate=1e160)
    trained, history, _ = train(start(1), data, RUNS[1:2], settings)
    finite = [epoch for epoch in history if math.isfinite(epoch.val_loss)]
    assert 0 <= len(finite) < settings.max_epochs
    assert len(history) == len(finite) + 1
    assert trained.parameters.isfinite().all()


def small_products():
    """Products too small for a normal number of their type, by all that jobs compute with."""
    small, smaller = np.full((64, 64), 1e-30, np.float32), np.full((64, 64), 1e-11, np.float32)
    left, right = torch.from_numpy(small), torch.from_numpy(smaller)
    leaf = torch.ones(64, 64, requires_grad=True)
    (leaf * right).backward(left)
    return {
        "numpy": small * smaller,
        "numpy's matrix product": small @ smaller,
        "torch": left * right,
        "torch's matrix product": left @ right,
        "torch's derivative": leaf.grad,
        "compiled": numba.njit(lambda a, b: a * b)(1e-200, 1e-120),
    }


def test_a_job_takes_denormal_numbers_for_zero():
    kept = small_products()
    try:
        compute_with(1)
        flushed = small_products()
    finally:
        torch.set_flush_denormal(False)  # before they are looked at, too: a job sees none
    assert all(np.all(np.asarray(product) > 0) for product in kept.values())
    assert [name for name, product in flushed.items() if np.any(np.asarray(product))] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_jobs_begin_by_taking_denormal_numbers_for_zero(script):
    main = runpy.run_path(script)["main"]
    try:
        with pytest.raises(AttributeError, match="params"):
            main(SimpleNamespace(threads=1))  # nothing to work on
        assert not np.any(np.float32(1e-30) * np.full(2, 1e-11, np.float32))
    finally:
        torch.set_flush_denormal(False)
