"""Networks of the user's in the workflow: factories, checkpoints, inputs, losses, and their cohorts."""

import pickle
import re

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from unit_clusters.similarity.measures import MEASURES
from unit_clusters_paper.data import idx
from unit_clusters_paper.data.synthetic import write_synthetic
from unit_clusters_paper.networks import own
from unit_clusters_paper.runs import sweep

FACTORY = """
from torch import nn

def build(checkpoint):
    return nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))

def number(checkpoint):
    return 3

def distance(outputs, labels):
    return (outputs - labels).square().sum()
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where a user works."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(FACTORY)
    (tmp_path / "runs").mkdir()
    return tmp_path


@pytest.fixture
def build(folder):
    return own.function("mine.py:build", "factory")


@pytest.mark.parametrize("place", ["other.py:build", "mine.py:built", "mine.py", "mine.txt:build"])
def test_a_function_that_is_not_there_is_named(folder, place):
    with pytest.raises(ValueError, match=r"factory: .*write file\.py:function"):
        own.function(place, "factory")


def saved_by_torch(weights, path):
    torch.save(weights, path)


def saved_with_more(weights, path):
    torch.save({"state_dict": weights, "epoch": 3}, path)


@pytest.mark.parametrize(
    ("save", "name"), [(save_file, "a.safetensors"), (saved_by_torch, "a.pt"), (saved_with_more, "a.ckpt")]
)
def test_weights_come_from_the_checkpoint(build, save, name):
    expected = build(None)
    save(expected.state_dict(), name)
    found = own.trained(build, name)
    assert all(found.state_dict()[key].equal(value) for key, value in expected.state_dict().items())


def no_file(path):
    pass


def a_module(path):
    torch.save(nn.Linear(4, 5), path)


def a_pickle(path):
    with open(path, "wb") as file:
        pickle.dump(print, file)


def cut_off(path):
    torch.save({"0.weight": torch.ones(5, 4)}, path)
    with open(path, "rb+") as file:
        file.truncate(200)


@pytest.mark.parametrize("write", [no_file, a_module, a_pickle, cut_off])
def test_what_is_no_file_of_weights_is_refused(build, write):
    write("a.pt")
    with pytest.raises(ValueError, match=r"a\.pt cannot be read as weights alone .*Save model.state_dict\(\)"):
        own.trained(build, "a.pt")


def test_weights_of_another_network_are_refused(build):
    save_file({"0.weight": torch.ones(6, 4)}, "a.safetensors")
    with pytest.raises(ValueError, match=r"the weights in a\.safetensors do not fit the network"):
        own.trained(build, "a.safetensors")


def test_a_factory_must_return_a_module(folder):
    with pytest.raises(ValueError, match=r"the factory returns a int, not a torch\.nn\.Module"):
        own.initialised(own.function("mine.py:number", "factory"), 0)


def test_untrained_networks_differ_by_their_seed_alone(build):
    first, again, other = (own.initialised(build, seed)[0].weight for seed in (1000, 1000, 1001))
    assert first.equal(again)
    assert not first.equal(other)


def test_inputs_of_a_data_set_are_its_test_images(tmp_path):
    write_synthetic(tmp_path, train=20, test=10, seed=0)
    idx.write_checksums(tmp_path)
    inputs, labels = own.shown(tmp_path / idx.CHECKSUMS, 7)
    data = idx.load(tmp_path)
    assert inputs.shape == (7, 1, 28, 28)
    np.testing.assert_array_equal((255 * inputs).round().flatten(1), data.test_images[:7])
    np.testing.assert_array_equal(labels, data.test_labels[:7])


def test_inputs_of_an_archive(folder):
    np.savez("a.npz", inputs=np.ones((5, 4), np.float32))
    inputs, labels = own.shown(folder / "a.npz", None)
    assert (inputs.shape, inputs.dtype, labels) == ((5, 4), torch.float32, None)
    np.savez("a.npz", images=np.ones((5, 4)))
    with pytest.raises(ValueError, match=r"has no array inputs; np\.savez"):
        own.shown(folder / "a.npz", None)


def test_losses_by_name(folder):
    assert own.loss(None, "loss") is None
    assert own.loss("mse_loss", "loss") is nn.functional.mse_loss
    assert own.loss("mine.py:distance", "loss")(torch.ones(1), torch.zeros(1)) == 1
    with pytest.raises(ValueError, match=r"loss: torch\.nn\.functional has no 'cross'"):
        own.loss("cross", "loss")


def test_measures_are_those_of_each_network(build):
    """And hess is left out without a loss."""
    models = [own.initialised(build, seed) for seed in (0, 1)]
    random = torch.Generator().manual_seed(0)
    inputs, labels = torch.randn(20, 4, generator=random), torch.randint(0, 3, (20,), generator=random)
    for loss, measures in ((nn.functional.cross_entropy, MEASURES), (None, MEASURES[:3])):
        (networks,), layers = own.measure_layers(models, inputs, labels, "1", loss, {})
        assert layers == [{"name": "1", "type": "ReLU", "units": 5}]
        for model, measured in zip(models, networks, strict=True):
            assert tuple(measured.signed) == measures
            np.testing.assert_allclose(measured.signed["cov"], np.cov(model[:2](inputs).detach().numpy().T), rtol=1e-4)
    with pytest.raises(ValueError, match="there are 3 inputs; at least four are needed"):
        own.measure_layers(models, inputs[:3], labels[:3], "1", None, {})


# Cohorts


def config(**experiment):
    mine = {"factory": "mine.py:build", "checkpoints": "runs/*.pt", "layers": "1", "inputs": {"dataset": "mnist"}}
    untrained = {"models": 100, "models_per_job": 2}
    return {
        "experiments": {"mine": mine | experiment},
        "clustering": {"steps": 5, "restarts": 1},
        "untrained": untrained,
    }


def test_each_checkpoint_is_a_cohort(folder):
    for name in ("b.pt", "a.pt", "c.safetensors"):
        (folder / "runs" / name).touch()
    first, second, *untrained = sweep.cohorts(config(untrained=3, clustering={"steps": 6}))
    assert [(cohort.id, cohort.checkpoint) for cohort in (first, second)] == [
        ("a.pt", "runs/a.pt"),
        ("b.pt", "runs/b.pt"),
    ]
    assert first.runs == [
        {"id": "mine/a.pt/0", "experiment": "mine", "regularizer": "a.pt", "strength": 0.0, "seed": 0}
    ]
    assert first.settings["clustering"] == {"steps": 6, "restarts": 1}
    assert [cohort.id for cohort in untrained] == ["none_seeds1000-1001", "none_seeds1002-1002"]
    assert not any(cohort.trained for cohort in untrained)


@pytest.mark.parametrize(
    ("files", "checkpoints", "message"),
    [
        ([], "runs/*.pt", "there is no file runs/*.pt, seen from"),
        (["runs/a.pt", "a.pt"], ["runs/*.pt", "*.pt"], "two files have the same name"),
        (["runs/{a}.pt"], "runs/*.pt", "rename runs/{a}.pt"),
    ],
)
def test_checkpoints_that_cannot_name_results_are_refused(folder, files, checkpoints, message):
    for name in files:
        (folder / name).touch()
    with pytest.raises(ValueError, match=r"config: experiments: mine: checkpoints: .*" + re.escape(message)):
        sweep.cohorts(config(checkpoints=checkpoints))
