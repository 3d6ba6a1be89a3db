"""Similarities against dense automatic differentiation, image by image, in float64."""

import numpy as np
import pytest
import torch
from torch.func import hessian, jacrev, vmap
from torch.nn.functional import cross_entropy

from benchmarks.naive_similarity import halves
from unit_clusters.similarity.measures import FAMILIES, FORMS, Form, kind
from unit_clusters.similarity.normalization import normalize
from unit_clusters_paper.networks.ensemble import Ensemble, initialize
from unit_clusters_paper.networks.similarity import similarity

ARCHITECTURES = [(12, 7, 5, 10), (12, 6, 10), (4, 9, 8, 7, 10)]
CASES = [(sizes, layer) for sizes in ARCHITECTURES for layer in range(1, len(sizes) - 1)]


@pytest.fixture
def pixels():
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (23, 12), dtype=np.uint8))


def network(sizes, seed=0, scale=3.0):
    """A random network in float64, its weights scaled so that probabilities are far from uniform."""
    return Ensemble(initialize(sizes, [seed]).parameters.double() * scale, sizes)


def dense(ensemble, layer, pixels):
    """Equations (1) to (4), before abs(), by automatic differentiation of the halves around a hidden layer."""
    upstream, downstream = halves(ensemble, layer)
    x = pixels.double() / 255
    h = vmap(upstream)(x)
    by_input, by_hidden = vmap(jacrev(upstream))(x), vmap(jacrev(downstream))(h)
    label = torch.tensor(3)  # the Hessian does not depend on it
    second = vmap(hessian(lambda h: cross_entropy(downstream(h), label)))(h)
    return {
        "cov": np.cov(h.numpy().T),
        "i_sens": (by_input @ by_input.mT).mean(0).numpy(),
        "o_sens": (by_hidden.mT @ by_hidden).mean(0).numpy(),
        "hess": second.mean(0).numpy(),
    }


@pytest.mark.parametrize(("sizes", "layer"), CASES)
def test_equals_automatic_differentiation(sizes, layer, pixels):
    pixels = pixels[:, : sizes[0]]
    ensemble = network(sizes)
    expected = dense(ensemble, layer, pixels)
    for measure, matrix in similarity(ensemble, pixels)[layer - 1].signed.items():
        np.testing.assert_allclose(matrix, expected[measure], rtol=1e-9, atol=1e-12, err_msg=measure)


@pytest.mark.parametrize(("sizes", "layer"), CASES)
def test_float32_is_close_to_float64(sizes, layer, pixels):
    pixels = pixels[:, : sizes[0]]
    ensemble = network(sizes)
    single = Ensemble(ensemble.parameters.float(), sizes)
    expected = similarity(ensemble, pixels)[layer - 1].signed
    for measure, matrix in similarity(single, pixels)[layer - 1].signed.items():
        assert np.abs(matrix - expected[measure]).max() < 1e-5 * expected[measure].max()


@pytest.mark.parametrize("layer", [1, 2])
def test_chunks_do_not_matter(layer, pixels):
    ensemble = network(ARCHITECTURES[0])
    whole = similarity(ensemble, pixels, chunk=23)[layer - 1].signed
    for chunk in (1, 4, 22):
        for measure, matrix in similarity(ensemble, pixels, chunk)[layer - 1].signed.items():
            np.testing.assert_allclose(matrix, whole[measure], rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("chunk", [1, 3, 23])
def test_halves_are_of_every_second_image(chunk, pixels):
    ensemble = network(ARCHITECTURES[0])
    for half in (0, 1):
        expected = similarity(ensemble, pixels[half::2])
        for found, alone in zip(similarity(ensemble, pixels, chunk), expected, strict=True):
            for measure, matrix in found.halves[half].items():
                np.testing.assert_allclose(matrix, alone.signed[measure], rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("layer", [1, 2])
def test_symmetric_and_normalized_within_one(layer, pixels):
    for matrix in similarity(network(ARCHITECTURES[0]), pixels)[layer - 1].signed.values():
        assert np.array_equal(matrix, matrix.T)
        assert (matrix.diagonal() >= 0).all()
        normalized = normalize(np.abs(matrix))
        assert normalized.min() >= 0
        assert normalized.max() <= 1
        alive = matrix.diagonal() > 0
        np.testing.assert_allclose(normalized.diagonal()[alive], 1)


def test_families_and_kinds_are_the_papers():
    """Fig. 2: what drives a unit is upstream, what it drives is downstream."""
    assert FAMILIES == {"upstream": ("cov", "i_sens"), "downstream": ("o_sens", "hess")}
    assert [form.upstream for form in FORMS] == [True] * 4 + [False] * 4
    kinds = {
        "cov": ("own", "upstream", "across", "across"),
        "i_sens": ("upstream", "own", "across", "across"),
        "o_sens": ("across", "across", "own", "downstream"),
        "hess": ("across", "across", "downstream", "own"),
    }
    for measure, expected in kinds.items():
        assert tuple(kind(Form(measure, True), Form(other, False)) for other in kinds) == expected


def test_the_floor_of_the_normalizer():
    """A unit that varies little is as similar to others as any; below 1e-12, it is less."""
    matrix = np.array([[4, 1e-9, 1e-13], [1e-9, 1e-18, 0], [1e-13, 0, 1e-26]])
    np.testing.assert_allclose(normalize(matrix), [[1, 0.5, 0.1], [0.5, 1e-6, 0], [0.1, 0, 1e-14]], rtol=1e-12)


def test_permuting_units_permutes_the_matrices(pixels):
    ensemble = network(ARCHITECTURES[0])
    order = torch.tensor([3, 0, 4, 1, 2])
    permuted = Ensemble(ensemble.parameters.clone(), ensemble.sizes)
    permuted.weights[1].copy_(ensemble.weights[1][:, order])
    permuted.biases[1].copy_(ensemble.biases[1][:, order])
    permuted.weights[2].copy_(ensemble.weights[2][:, :, order])
    expected = similarity(ensemble, pixels)[1].signed
    for measure, matrix in similarity(permuted, pixels)[1].signed.items():
        np.testing.assert_allclose(matrix, expected[measure][order][:, order], rtol=1e-9)


@pytest.mark.parametrize("layer", [1, 2])
def test_units_that_are_never_active_have_zero_rows_upstream(layer, pixels):
    ensemble = network(ARCHITECTURES[0])
    ensemble.biases[layer - 1][0, 2] = -100
    matrices = similarity(ensemble, pixels)[layer - 1].signed
    for measure in ("cov", "i_sens"):
        assert not matrices[measure][2].any()
        assert np.isfinite(normalize(np.abs(matrices[measure]))).all()
        assert not normalize(np.abs(matrices[measure]))[2].any()
    for measure in ("o_sens", "hess"):
        assert matrices[measure][2].any()


def test_misuse_is_refused(pixels):
    ensemble = network(ARCHITECTURES[0])
    two = initialize(ensemble.sizes, [0, 1])
    for arguments in ((two, pixels), (ensemble, pixels[:1])):
        with pytest.raises(ValueError, match="similarity takes one network and at least four images, not"):
            similarity(*arguments)
