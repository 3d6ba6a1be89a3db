"""Initialisation, files of networks, and what is measured of them."""

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy, relu

from unit_clusters_paper.data.idx import Dataset, split
from unit_clusters_paper.data.images import Images, batches, prepare
from unit_clusters_paper.networks import ensemble as network
from unit_clusters_paper.networks import products
from unit_clusters_paper.networks.evaluation import describe, evaluate, weight_statistics

SIZES = (30, 20, 8, 10)


def test_initialization_follows_torch_linear():
    ensemble = network.initialize(SIZES, range(200))
    for inputs, weight, bias in zip(SIZES, ensemble.weights, ensemble.biases, strict=False):
        bound = 1 / math.sqrt(inputs)
        linear = torch.nn.Linear(inputs, 1000)
        for ours, torchs in ((weight, linear.weight.detach()), (bias, linear.bias.detach())):
            assert ours.abs().max() <= bound
            assert torchs.abs().max() <= bound
            assert ours.abs().max() > 0.99 * bound
            assert ours.std() == pytest.approx(bound / math.sqrt(3), rel=0.05)
            assert torchs.std() == pytest.approx(bound / math.sqrt(3), rel=0.05)


def test_initialization_depends_on_architecture_and_seed_only():
    both, alone = network.initialize(SIZES, [4, 7]), network.initialize(SIZES, [7])
    torch.testing.assert_close(both.parameters[1], alone.parameters[0], rtol=0, atol=0)
    assert not torch.equal(both.parameters[0], both.parameters[1])
    other = network.initialize((30, 20, 9, 10), [7])
    assert not torch.equal(other.weights[0], alone.weights[0])


def test_forward_is_a_multi_layer_perceptron():
    ensemble = network.initialize(SIZES, [0, 1])
    x = torch.rand(2, 5, 30)
    hidden, logits = ensemble.forward(x)
    for model in range(2):
        h = x[model]
        for layer in range(2):
            h = torch.relu(h @ ensemble.weights[layer][model].T + ensemble.biases[layer][model])
            torch.testing.assert_close(hidden[layer][model], h)
        torch.testing.assert_close(logits[model], h @ ensemble.weights[2][model].T + ensemble.biases[2][model])


def test_files_round_trip(tmp_path):
    ensemble = network.initialize(SIZES, [0, 1, 2])
    path = tmp_path / "cohort.safetensors"
    network.save(ensemble, ["a", "b", "c"], path)
    loaded, runs = network.load(path)
    assert runs == ["a", "b", "c"]
    assert loaded.sizes == SIZES
    torch.testing.assert_close(loaded.parameters, ensemble.parameters, rtol=0, atol=0)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    other = tmp_path / "other"
    other.touch()
    assert path.stat().st_mode == other.stat().st_mode  # whoever may read other files may read networks


def test_assignments_are_kept_beside_the_networks(tmp_path):
    ensemble, path = network.initialize(SIZES, [0, 1]), tmp_path / "cohort.safetensors"
    assignments = [torch.rand(2, units, 8).softmax(2) for units in SIZES[1:-1]]
    network.save(ensemble, ["a", "b"], path, assignments)
    assert torch.equal(network.load(path)[0].parameters, ensemble.parameters)
    for found, expected in zip(network.load_assignments(path), assignments, strict=True):
        assert torch.equal(found, expected)
    network.save(ensemble, ["a", "b"], path)
    assert network.load_assignments(path) == []


def test_weight_statistics_by_hand():
    ensemble = network.Ensemble(torch.tensor([[3.0, 0, 0, -4, 5e-4, 2e-3, 9, 9, 9]]), (2, 2, 1))
    figures = {name: value.item() for name, value in weight_statistics(ensemble).items()}
    assert figures["l1_norm"] == pytest.approx(7 + 2.5e-3)
    assert figures["l2_norm"] == pytest.approx(25 + 2.5e-7 + 4e-6)
    assert figures["nuclear_norm"] == pytest.approx(3 + 4 + math.hypot(5e-4, 2e-3))
    assert figures["sparsity"] == pytest.approx(3 / 6)


def test_weight_statistics_are_in_float64():
    ensemble = network.initialize((30, 20), [0])
    weight = ensemble.weights[0][0].numpy().astype(np.float64)
    l1, l2, nuclear, _ = (value.item() for value in weight_statistics(ensemble).values())
    expected = np.abs(weight).sum(), (weight**2).sum(), np.linalg.norm(weight, "nuc")
    assert (l1, l2, nuclear) == pytest.approx(expected, rel=1e-12)


def test_losses_and_accuracies_are_each_of_its_own_images():
    """By plain layers, a network at a time; no two sets of images have a loss or an accuracy in common."""
    ensemble = network.Ensemble(4 * network.initialize(SIZES, [0, 1]).parameters.double(), SIZES)
    random = np.random.default_rng(0)
    images, test_images = (random.integers(0, 256, (count, 30), dtype=np.uint8) for count in (170, 60))
    labels, test_labels = (random.integers(0, 10, count).astype(np.uint8) for count in (170, 60))
    seeds = [7, 3]
    rows = describe(ensemble, prepare(Dataset(images, labels, test_images, test_labels), 0.3, torch.float64), seeds)
    assert len(rows) == 2
    for model, (seed, row) in enumerate(zip(seeds, rows, strict=True)):
        train, validation = split(170, 0.3, seed)
        assert len(train) == 119
        expected = {}
        for part, x, y in (
            ("train", images[train], labels[train]),
            ("val", images[validation], labels[validation]),
            ("test", test_images, test_labels),
        ):
            activity, targets = torch.from_numpy(x / 255), torch.from_numpy(y.astype(int))
            for weight, bias in zip(ensemble.weights, ensemble.biases, strict=True):
                logits = activity @ weight[model].T + bias[model]
                activity = relu(logits)
            expected[f"{part}_loss"] = cross_entropy(logits, targets).item()
            expected[f"{part}_accuracy"] = (logits.argmax(1) == targets).double().mean().item()
        assert {name: row[name] for name in expected} == pytest.approx(expected, rel=1e-12)
        assert len({round(value, 6) for value in expected.values()}) == 6


def test_stack_shows_all_networks_the_same_images():
    ensemble = network.initialize(SIZES, [0, 1])
    pixels = torch.randint(0, 256, (5, 30), dtype=torch.uint8)
    pixels[:, ::3] = 0
    (batch,) = batches(Images(pixels, torch.zeros(5, dtype=torch.int64), torch.float32), torch.arange(5), 5)
    assert batch.pixels.shape == (5, 20)
    hidden, logits = network.Stack.of(ensemble).forward(batch)
    expected_hidden, expected_logits = ensemble.forward((pixels / 255).expand(2, -1, -1))
    for found, expected in zip([*hidden, logits], [*expected_hidden, expected_logits], strict=True):
        torch.testing.assert_close(found.mT, expected)


def test_evaluation_of_a_known_classifier():
    """Logits are the 10 pixels themselves, whatever the number of images in a chunk."""
    ensemble = network.Ensemble(torch.cat([torch.eye(10).flatten(), torch.zeros(10)])[None], (10, 10))
    labels = torch.arange(2500) % 10
    pixels = torch.zeros(2500, 10, dtype=torch.uint8)
    pixels[torch.arange(2500), labels] = 255
    labels[:500] = (labels[:500] + 1) % 10  # a fifth are wrong
    loss, accuracy = evaluate(network.Stack.of(ensemble), Images(pixels, labels, torch.float32), torch.arange(2500))
    assert accuracy.item() == pytest.approx(0.8)
    assert loss.item() == pytest.approx(math.log(math.e + 9) - 0.8, rel=1e-6)


def test_library_of_products_is_chosen_by_the_vendor(tmp_path, monkeypatch):
    cpuinfo = tmp_path / "cpuinfo"
    chosen = {}
    for vendor in ("GenuineIntel", "AuthenticAMD", "HygonGenuine"):
        cpuinfo.write_text(f"processor\t: 0\nvendor_id\t: {vendor}\nmodel name\t: X\n\nprocessor\t: 1\n")
        assert products.vendor(cpuinfo) == vendor
        monkeypatch.setattr(products, "vendor", lambda vendor=vendor: vendor)
        chosen[vendor] = products.library.__wrapped__()
        monkeypatch.undo()
    assert chosen == {"GenuineIntel": "torch", "AuthenticAMD": "numpy", "HygonGenuine": "numpy"}
    cpuinfo.write_text("processor\t: 0\nCPU implementer\t: 0x41\n")  # ARM's have a number
    assert products.vendor(cpuinfo) == products.vendor(tmp_path / "missing") == ""


def factors(first, rest, error, below, pixels):
    """What a step of training multiplies, as views in the layout of `Stack`, and a place for the result."""
    weights = rest[:, : error.shape[1] * below.shape[1]].unflatten(1, (error.shape[1], below.shape[1]))
    return {
        "first layer": (first.permute(1, 2, 0), pixels.T, None),
        "second layer": (weights, below, None),
        "its gradient": (error, below.mT, None),
        "its inputs' gradient": (weights.mT, error, None),
        "first layer's gradient": (pixels.T, below.mT, torch.empty_like(first).transpose(0, 1)),
    }


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("units", [64, 11])
def test_a_network_has_products_of_its_own(library, units, monkeypatch):
    """They are right to within rounding, and the same to the bit alone and in any company."""
    monkeypatch.setattr(products, "library", lambda: library)
    shapes = {"first": (520, 9, units), "rest": (9, 720), "error": (9, 10, 200), "below": (9, units, 200)}
    together = {name: torch.randn(shape) for name, shape in shapes.items()}
    pixels = torch.rand(200, 520)
    found = {}
    for name, (left, right, out) in factors(**together, pixels=pixels).items():
        found[name] = products.product(left, right, out)
        assert out is None or torch.equal(out, found[name])
        expected = np.matmul(left.double().numpy(), right.double().numpy())
        np.testing.assert_allclose(found[name].numpy(), expected, atol=1e-5 * np.abs(expected).max())
    for company in ([0], [4], [8], [7, 1, 2]):
        some = {name: all_of[:, company] if name == "first" else all_of[company] for name, all_of in together.items()}
        for name, (left, right, out) in factors(**some, pixels=pixels).items():
            assert torch.equal(products.product(left, right, out), found[name][company]), name
