"""Corrupted images: planted truths of each corruption, and accuracies against plain ones."""

import numpy as np
import pytest
import torch

from unit_clusters_paper.data.idx import Dataset
from unit_clusters_paper.data.images import prepare
from unit_clusters_paper.networks.corruption import CORRUPTIONS, SEVERITIES, corrupt, robustness, rows
from unit_clusters_paper.networks.ensemble import initialize
from unit_clusters_paper.networks.evaluation import performance

SIZES = (28 * 28, 12, 9, 10)


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (300, 28, 28), dtype=np.uint8)


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_severity_0_leaves_images_as_they_are(images, corruption):
    assert np.array_equal(corrupt(images, corruption, 0), images)


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_images_become_worse_with_severity_and_the_same_each_time(images, corruption):
    before = images.copy()
    found = [corrupt(images, corruption, severity) for severity in SEVERITIES]
    distances = [np.abs(one.astype(float) - images).mean() for one in found]
    assert distances == sorted(distances)
    assert len(set(distances)) == len(SEVERITIES)
    for severity, one in zip(SEVERITIES, found, strict=True):
        assert np.array_equal(corrupt(images, corruption, severity), one)
    assert np.array_equal(images, before)


def test_noise_has_its_size_and_no_mean():
    gray = np.full((300, 28, 28), 128, dtype=np.uint8)
    noise = corrupt(gray, "noise", 1).astype(float) - 128
    assert noise.mean() == pytest.approx(0, abs=0.2)
    assert noise.std() == pytest.approx(25.5, rel=0.01)
    assert np.corrcoef(noise[:-1].ravel(), noise[1:].ravel())[0, 1] == pytest.approx(0, abs=0.01)
    double = corrupt(gray, "noise", 2).astype(float) - 128
    inside = np.abs(double) < 120
    np.testing.assert_allclose(double[inside], 2 * noise[inside], atol=1.5)  # but for rounding, the same noise
    for extreme in (0, 255):
        assert extreme in corrupt(gray, "noise", 5)


def test_blur_is_a_dense_convolution(images):
    """By the matrix of a Gaussian between all pairs of pixels, cut off after four standard deviations, sum 1."""
    severity = 3
    steps = np.arange(28)
    distance = steps[:, None] - steps
    kernel = np.exp(-(np.arange(-6, 7) ** 2) / (2 * 1.5**2)).sum()
    weights = np.where(np.abs(distance) <= 6, np.exp(-(distance**2) / (2 * 1.5**2)), 0) / kernel
    expected = np.einsum("ab,nbc,dc->nad", weights, images.astype(float), weights)
    assert np.abs(corrupt(images, "blur", severity) - expected).max() <= 0.5 + 1e-9
    dot = np.zeros((1, 28, 28), dtype=np.uint8)
    dot[0, 14, 14] = 255
    spread = corrupt(dot, "blur", severity)[0].astype(float)
    assert np.array_equal(spread, spread.T)
    assert spread.sum() == pytest.approx(255, rel=0.05)


def test_occlusion_covers_a_square_and_nothing_else():
    white = np.full((2000, 28, 28), 255, dtype=np.uint8)
    corners = []
    for image in corrupt(white, "occlusion", 4):
        lines, columns = (np.flatnonzero((image == 0).any(axis)) for axis in (1, 0))
        assert len(lines) == len(columns) == 12
        assert lines[-1] - lines[0] == columns[-1] - columns[0] == 11
        assert (image == 0).sum() == 12 * 12
        corners.append((lines[0], columns[0]))
    corners = np.array(corners)
    assert corners.min() == 0
    assert corners.max() == 28 - 12
    for axis in corners.T:  # all places are as likely
        counts = np.bincount(axis, minlength=17)
        assert ((counts - 2000 / 17) ** 2 / (2000 / 17)).sum() < 40  # chi-squared with 16 degrees of freedom: p = 0.001


def test_a_square_larger_than_the_image_covers_all_of_it():
    assert not corrupt(np.full((3, 10, 8), 9, dtype=np.uint8), "occlusion", 5).any()


def test_accuracies_are_those_of_evaluation_at_severity_0_and_of_plain_layers_elsewhere(images):
    labels = np.random.default_rng(1).integers(0, 10, 300).astype(np.uint8)
    ensemble = initialize(SIZES, [0, 1, 2])
    flat = images.reshape(300, -1)
    test = performance(ensemble, prepare(Dataset(flat, labels, flat, labels), 0.1, torch.float32), [0, 1, 2])
    found = {(name, severity): accuracy for name, severity, accuracy in robustness(ensemble, images, labels)}
    assert list(found) == [(name, severity) for name in CORRUPTIONS for severity in SEVERITIES]
    for (name, severity), accuracy in found.items():
        if severity == 0:
            assert torch.equal(accuracy, test["test_accuracy"])
        shown = torch.from_numpy(corrupt(images, name, severity).reshape(300, -1).astype(np.float32)) / 255
        logits = ensemble.forward(shown.expand(3, -1, -1))[1]
        expected = (logits.argmax(2) == torch.from_numpy(labels.astype(int))).double().mean(1)
        torch.testing.assert_close(accuracy, expected)
    assert len({tuple(accuracy.tolist()) for accuracy in found.values()}) > 10


def test_rows_are_network_by_network(images):
    labels = np.zeros(300, dtype=np.uint8)
    runs = [{"id": name, "experiment": "e", "regularizer": "l2", "strength": 0.1, "seed": 0} for name in "ab"]
    found = rows(runs, initialize(SIZES, [0, 1]), images, labels)
    assert [row["id"] for row in found] == ["a"] * 18 + ["b"] * 18
    assert found[18]["accuracy"] == found[24]["accuracy"]
    alone = rows(runs[1:], initialize(SIZES, [1]), images, labels)
    assert alone == found[18:]
