"""Bad input: each case gives one error, which names the file or the key and says what to do, or a defined result.

The cases stand in dicts, each under its name with what it is and what comes of it.
"""

import gzip
import hashlib
import json
import math
import os
import pickle
import re
import shlex
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from test_workflow import (
    MAY_BE_NAN,
    OF_CONFIGURATION,
    OF_LAYERS,
    OF_MODELS,
    TINY,
    copy_of_repository,
    overlay,
    plan,
    snakemake,
)

from unit_clusters.clusters.search import cluster
from unit_clusters.similarity.measures import FORMS, MEASURES
from unit_clusters_paper.data import fetch as fetching
from unit_clusters_paper.data import idx
from unit_clusters_paper.data.images import prepare
from unit_clusters_paper.data.sources import Source
from unit_clusters_paper.data.synthetic import write_synthetic
from unit_clusters_paper.networks import ensemble as network
from unit_clusters_paper.networks import evaluation, training
from unit_clusters_paper.networks.similarity import similarity
from unit_clusters_paper.results import tables
from unit_clusters_paper.results.clustering import search_layers
from unit_clusters_paper.results.comparison import compare_layers
from unit_clusters_paper.results.layer_files import (
    Searches,
    read_labels,
    read_similarity,
    write_labels,
    write_similarity,
)

ERRORS = re.compile(r"^\w*(?:Error|Exception)\b", re.MULTILINE)


# Configurations

CONFIGURATIONS = {
    "an unknown key": ("nonsense: 1", "config: Additional properties are not allowed ('nonsense' was unexpected)"),
    "an unknown key in a section": (
        "training: {learning_rates: 0.1}",
        "config: training: Additional properties are not allowed ('learning_rates' was unexpected)",
    ),
    "the same on the command line": (
        '--config "clustering={step: 100}"',
        "config: clustering: Additional properties are not allowed ('step' was unexpected)",
    ),
    "an unknown regulariser": (
        "experiments: {base: {sweeps: {l3: [0.1]}}}",
        "config: experiments: base: sweeps: Additional properties are not allowed ('l3' was unexpected)",
    ),
    "text for a number": (
        "training: {batch_size: many}",
        "config: training: batch_size: 'many' is not of type 'integer'",
    ),
    "a fraction for a whole number": (
        "experiments: {base: {seeds: 2.5}}",
        "config: experiments: base: seeds: 2.5 is not of type 'integer' (Networks per strength.)",
    ),
    "3.0 for 3": (
        "experiments: {base: {seeds: 3.0}}",
        "config: experiments: base: seeds: 3.0 is not of type 'integer'",
    ),
    "true for 1": (
        "experiments: {base: {seeds: true}}",
        "config: experiments: base: seeds: True is not of type 'integer'",
    ),
    "1e-5, which YAML takes for text": (
        "experiments: {base: {sweeps: {l2: [1e-5]}}}",
        "config: experiments: base: sweeps: l2: 0: '1e-5' does not match",
    ),
    "NaN": ("training: {learning_rate: .nan}", "config: training: learning_rate: nan is not of type 'number'"),
    "an infinite strength": (
        "experiments: {base: {sweeps: {l2: [.inf]}}}",
        "config: experiments: base: sweeps: l2: 0: inf is not of type 'number'",
    ),
    "a value for a section": ("training: fast", "config: training: 'fast' is not of type 'object'"),
    "an empty section": ("training:", "config: training: None is not of type 'object'"),
    "no experiment": (
        "experiments: {base: null}",
        "config: experiments: there are no networks to train or to initialise",
    ),
    "nothing in any sweep, no untrained networks": (
        "{experiments: {base: {sweeps: {l2: [], l1: [], dropout: []}}}, untrained: {models: 0}}",
        "give a sweep its strengths, or untrained: models a number above 0",
    ),
    "an experiment that lacks keys": (
        "experiments: {mine: {hidden: [4]}}",
        "config: experiments: mine: 'seeds' is a required property",
    ),
    "an experiment named as a path": (
        "experiments: {../mine: null}",
        "'../mine' does not match '^[A-Za-z][A-Za-z0-9-]*$' (An experiment's name has letters",
    ),
    "an experiment named as a number": ("experiments: {1: null}", "config: experiments: 1 is not of type 'string'"),
    "two experiments of one name": (
        "experiments: {base: {seeds: 1}, base: {seeds: 2}}",
        "line 1: the key base is there already; give each once",
    ),
    "a negative strength": (
        "experiments: {base: {sweeps: {l2: [-0.1]}}}",
        "config: experiments: base: sweeps: l2: 0: -0.1 is less than or equal to the minimum of 0",
    ),
    "a strength of 0": (
        "experiments: {base: {sweeps: {l1: [0]}}}",
        "config: experiments: base: sweeps: l1: 0: 0 is less than or equal to the minimum of 0",
    ),
    "a negative strength of an aim": (
        "experiments: {base: {sweeps: {fixed_both: [-0.1]}}}",
        "config: experiments: base: sweeps: fixed_both: 0: -0.1 is less than the minimum of 0",
    ),
    "downstream modularity as an aim in deep networks": (
        "experiments: {base: {hidden: [8, 6, 5], sweeps: {both: [0.1]}}}",
        "config: experiments: base: sweeps: both: downstream modularity can be an aim in networks of one or two hidden "
        "layers, not of 3: in deeper ones its gradient takes the Jacobian of each image",
    ),
    "dropout of 1": (
        "experiments: {base: {sweeps: {dropout: [0.5, 1.0]}}}",
        "config: experiments: base: sweeps: dropout: 1 is not below 1; it is the probability that a unit is dropped",
    ),
    "a strength twice": (
        "experiments: {base: {sweeps: {l2: [0.1, 0.1]}}}",
        "config: experiments: base: sweeps: l2: the strengths [0.1, 0.1] are not all different; name each once",
    ),
    "strengths equal to six digits": (
        "experiments: {base: {sweeps: {l2: [0.1, 0.10000001]}}}",
        "the strengths [0.1, 0.10000001] are not all different",
    ),
    "spacing that repeats a strength": (
        'experiments: {base: {sweeps: {l2: "logspace(-3, -3, 4)"}}}',
        "the strengths logspace(-3, -3, 4) are not all different",
    ),
    "spacing of no points": (
        'experiments: {base: {sweeps: {l2: "logspace(-3, -1, 0)"}}}',
        "logspace(-3, -1, 0) asks for 0 points; ask for 1 or more",
    ),
    "spacing that lacks a number": (
        'experiments: {base: {sweeps: {l2: "logspace(-3, -1)"}}}',
        "'logspace(-3, -1)' is not of the form logspace(from, to, number) or linspace(from, to, number)",
    ),
    "spacing beyond all numbers": (
        'experiments: {base: {sweeps: {l2: "logspace(-3, 400, 4)"}}}',
        "logspace(-3, 400, 4) goes beyond the largest number; its limits are powers of ten",
    ),
    "no seeds": (
        "experiments: {base: {seeds: 0}}",
        "config: experiments: base: seeds: 0 is less than the minimum of 1",
    ),
    "more seeds than trained networks may have": (
        "experiments: {base: {seeds: 1001}}",
        "config: experiments: base: seeds: 1001 is greater than the maximum of 1000",
    ),
    "a hidden layer of 0 units": (
        "experiments: {base: {hidden: [8, 0]}}",
        "config: experiments: base: hidden: 1: 0 is less than the minimum of 1",
    ),
    "no hidden layer": (
        "experiments: {base: {hidden: []}}",
        "config: experiments: base: hidden: [] should be non-empty (Units in each hidden layer.)",
    ),
    "no networks in a job": (
        "experiments: {base: {seeds_per_job: 0}}",
        "config: experiments: base: seeds_per_job: 0 is less than the minimum of 1",
    ),
    "a validation share of 0": (
        "validation_share: 0",
        "config: validation_share: 0 is less than or equal to the minimum of 0",
    ),
    "a validation share of 1": (
        "validation_share: 1",
        "config: validation_share: 1 is greater than or equal to the maximum of 1",
    ),
    "the last weights of training that stops early": (
        "experiments: {base: {training: {stopping_patience: 6}}}",
        "config: experiments: base: training: keep: last keeps the epoch after which training stops",
    ),
    "training without an end": (
        "training: {max_epochs: null}",
        "config: experiments: base: training: max_epochs: null with stopping_patience: null trains for ever",
    ),
    "an unknown schedule": (
        "experiments: {base: {training: {schedule: cosine}}}",
        "config: experiments: base: training: schedule: 'cosine' is not one of ['constant', 'plateau']",
    ),
    "entropy of 0": ("clustering: {entropy: 0}", "config: clustering: entropy: 0 is less than the minimum of 0.001"),
    "an unknown part of the images": (
        "similarity: {part: validation}",
        "config: similarity: part: 'validation' is not one of ['test', 'training']",
    ),
    "negative Monte Carlo steps": (
        "clustering: {steps: -1}",
        "config: clustering: steps: -1 is less than the minimum of 0 (Monte Carlo steps.)",
    ),
    "negative restarts": (
        "clustering: {restarts: -1}",
        "config: clustering: restarts: -1 is less than the minimum of 0",
    ),
    "similarities over one image": (
        "similarity: {images: 1}",
        "config: similarity: images: 1 is less than the minimum of 4",
    ),
    "an unknown device": ("training: {device: tpu}", "config: training: device: 'tpu' is not one of ['cpu', 'cuda']"),
    "an unknown data set": (
        "dataset: {name: fashion}",
        "config: dataset: name: 'fashion' is not one of ['mnist', 'fashion-mnist', 'synthetic']",
    ),
    "braces in the name of the results folder": (
        'pathvars: {results: "results/{mine}"}',
        "config: pathvars: results: 'results/{mine}' does not match",
    ),
    "a configuration file that is not there": (
        "--configfile workflow/presets/tinny.yaml",
        "FileNotFoundError: [Errno 2] No such file or directory: 'workflow/presets/tinny.yaml'",
    ),
    "a bracket left open": ("training: {learning_rate: 0.1", "Config file is not valid JSON or YAML"),
    "a list in place of keys": ("[training]", "Config file must be given as JSON or YAML with keys at top level"),
}
"""What is laid over the tiny preset, or given on the command line where it begins with --; and what is said of it."""

ODD_CONFIGURATIONS = {
    "more seeds_per_job than seeds": ("experiments: {base: {seeds_per_job: 1000000}}", {"train": 4, "initialize": 2}),
    "one sweep empty": ("experiments: {base: {sweeps: {l2: []}}}", {"train": 2, "initialize": 2}),
    "one sweep null": ("experiments: {base: {sweeps: {l2: null}}}", {"train": 2, "initialize": 2}),
    "all sweeps empty": ("experiments: {base: {sweeps: {l2: [], l1: [], dropout: []}}}", {"initialize": 2}),
    "no sweep named": ("experiments: {base: {sweeps: {}}}", {"train": 4, "initialize": 2}),
    "no untrained networks": ("untrained: {models: 0}", {"train": 4}),
    "an example that is not swept": ("figures: {examples: [0.3]}", {"train": 4, "initialize": 2}),
    "more images than there are": ("similarity: {images: 1000000}", {"train": 4, "initialize": 2}),
}
"""What is laid over the tiny preset, and how many jobs of networks are planned then."""


@pytest.fixture(scope="module")
def answers(made_once):
    """What a dry run prints for each configuration that is refused."""
    return json.loads((made_once("configurations", answer) / "answers.json").read_text())


def answer(folder):
    """As many dry runs at a time as there are cores."""
    copy_of_repository(folder)

    def ask(number, config):
        if config.startswith("--"):
            return snakemake(folder, "--dry-run", *shlex.split(config), configs=(), check=False)
        (folder / f"{number}.yaml").write_text(config)
        return snakemake(folder, "--dry-run", configs=(TINY, f"{number}.yaml"), check=False)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        printed = pool.map(ask, range(len(CONFIGURATIONS)), (config for config, _ in CONFIGURATIONS.values()))
        (folder / "answers.json").write_text(json.dumps(dict(zip(CONFIGURATIONS, printed, strict=True))))


@pytest.mark.parametrize("given", CONFIGURATIONS)
def test_a_configuration_is_refused_by_its_key(answers, given):
    _, error = CONFIGURATIONS[given]
    assert error in answers[given]
    assert len(ERRORS.findall(answers[given])) == 1
    if given != "a configuration file that is not there":  # Snakemake looks for it before our code is read
        assert "Traceback" not in answers[given]


@pytest.mark.parametrize(("config", "jobs"), ODD_CONFIGURATIONS.values(), ids=ODD_CONFIGURATIONS)
def test_an_odd_configuration_is_planned(tmp_path, config, jobs):
    folder = copy_of_repository(tmp_path)
    (folder / "odd.yaml").write_text(config)
    planned = plan(folder, "tables", configs=(TINY, "odd.yaml"))
    assert {rule: planned[rule] for rule in ("train", "initialize") if rule in planned} == jobs


# Data

IMAGES, LABELS, TEST_IMAGES, TEST_LABELS = idx.FILES


@pytest.fixture
def folder(tmp_path):
    """A data set in a folder of the user's."""
    folder = tmp_path / "Übung mit Bildern"
    write_synthetic(folder, train=100, test=50, seed=0)
    return folder


@pytest.fixture
def fetch(folder, tmp_path, monkeypatch):
    """Fetches that data set as if it were a known one, without a network, and gives back the files."""
    files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in idx.FILES}
    monkeypatch.setenv("PATH", "")

    def fetch():
        fetching.fetch(Source((100, 28, 28), 10, files), tmp_path / "data", folder)
        return {name: (tmp_path / "data" / name).read_bytes() for name in idx.FILES}

    return fetch


def cut_off(path, length=100):
    path.write_bytes(path.read_bytes()[:-length])


def empty(path):
    path.write_bytes(b"")


def swap(path, other):
    content = path.read_bytes()
    path.write_bytes(other.read_bytes())
    other.write_bytes(content)


def folder_instead(path):
    path.unlink()
    path.mkdir()


def gzip_all(folder):
    for name in idx.FILES:
        (folder / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes()))
        (folder / name).unlink()


def gzip_cut_off(path):
    path.write_bytes(gzip.compress(path.read_bytes())[:-50])


YOURS = {
    "yours: a file cut off": (lambda folder: cut_off(folder / IMAGES), "is not the expected train-images-idx3-ubyte"),
    "yours: an empty file": (lambda folder: empty(folder / TEST_LABELS), "is not the expected t10k-labels-idx1-ubyte"),
    "yours: other bytes": (
        lambda folder: (folder / LABELS).write_bytes(b"x" * 108),
        "is not the expected train-labels-idx1-ubyte",
    ),
    "yours: train and test swapped": (
        lambda folder: swap(folder / IMAGES, folder / TEST_IMAGES),
        "is not the expected train-images-idx3-ubyte",
    ),
    "yours: gzip cut off": (lambda folder: gzip_cut_off(folder / IMAGES), "is damaged or truncated gzip"),
    "yours: a file missing, and no network": (
        lambda folder: (folder / LABELS).unlink(),
        "does not hold train-labels-idx1-ubyte",
    ),
    "yours: a folder in place of a file, and no network": (
        lambda folder: folder_instead(folder / LABELS),
        "does not hold train-labels-idx1-ubyte",
    ),
    "yours: no such folder": (shutil.rmtree, "correct its name, or name none"),
}
FETCHED = {
    "fetched: a file cut off": (
        lambda folder: cut_off(folder / IMAGES),
        "train-images-idx3-ubyte is missing or damaged: delete",
    ),
    "fetched: a file missing": (
        lambda folder: (folder / LABELS).unlink(),
        "train-labels-idx1-ubyte is missing or damaged: delete",
    ),
    "fetched: an empty file": (
        lambda folder: empty(folder / LABELS),
        "train-labels-idx1-ubyte is missing or damaged: delete",
    ),
    "fetched: a folder in place of a file": (
        lambda folder: folder_instead(folder / LABELS),
        "train-labels-idx1-ubyte is missing or damaged: delete",
    ),
    "fetched: train and test swapped": (
        lambda folder: swap(folder / LABELS, folder / TEST_LABELS),
        "train-labels-idx1-ubyte is missing or damaged: delete",
    ),
    "fetched: no list of checksums": (
        lambda folder: (folder / idx.CHECKSUMS).unlink(),
        "SHA256SUMS is missing: fetch the data set first",
    ),
    "fetched: the list of checksums cut off": (
        lambda folder: cut_off(folder / idx.CHECKSUMS),
        "SHA256SUMS does not list the four files of a data set: delete it, and the next run makes it anew",
    ),
    "fetched: the list of checksums empty": (
        lambda folder: empty(folder / idx.CHECKSUMS),
        "SHA256SUMS does not list the four files of a data set: delete it, and the next run makes it anew",
    ),
}
WORKS = {
    "yours: all four files gzipped": gzip_all,
    "yours: a folder's name with spaces and letters beyond ASCII": lambda folder: None,
}


@pytest.mark.parametrize(("damage", "error"), YOURS.values(), ids=YOURS)
def test_a_folder_of_the_users_is_refused(folder, fetch, damage, error):
    damage(folder)
    with pytest.raises(idx.DatasetError, match=re.escape(error)) as raised:
        fetch()
    assert str(folder) in str(raised.value)
    assert re.search("Replace this file|Get these files|correct its name", str(raised.value))


@pytest.mark.parametrize("change", WORKS.values(), ids=WORKS)
def test_a_folder_of_the_users_is_taken(folder, fetch, change):
    original = {name: (folder / name).read_bytes() for name in idx.FILES}
    change(folder)
    assert fetch() == original


@pytest.mark.parametrize(("damage", "error"), FETCHED.values(), ids=FETCHED)
def test_damaged_data_are_not_read(folder, damage, error):
    idx.write_checksums(folder)
    assert len(idx.load(folder).train_labels) == 100
    damage(folder)
    with pytest.raises(idx.DatasetError, match=re.escape(error)) as raised:
        idx.load(folder)
    assert str(folder) in str(raised.value)


# Files of results

SIZES = (784, 5, 4, 10)


def write_networks(path):
    network.save(network.initialize(SIZES, [0, 1]), ["a", "b"], path)


def write_matrices(path):
    """Of two networks and four units."""
    factors = np.random.default_rng(0).random((2, 4, 9))
    write_similarity([[dict.fromkeys(MEASURES, matrix) for matrix in factors @ factors.mT]], path)


def write_clusters(path):
    single, two = np.zeros((2, len(FORMS), 4), int), np.zeros((2, len(FORMS), 2, 4), int)
    write_labels([Searches(single, single, single, two, two)], path)


def write_rows(path):
    tables.write(("seed", "q"), [{"seed": 3, "q": 1 / 3}] * 2, path)


def read_cohorts_rows(path):
    write_rows(path.with_name("first"))
    tables.concatenate([path.with_name("first"), path], path.with_name("whole"))


KINDS = {
    "networks": (write_networks, network.load),
    "similarities": (write_matrices, lambda path: read_similarity(path, 2)),
    "clusters": (write_clusters, lambda path: read_labels(path, 2, [4])),
    "a cohort's rows": (write_rows, read_cohorts_rows),
    "a table": (write_rows, tables.whole),
}
"""What writes such a file, and what reads it."""


def pickled(path):
    path.write_bytes(pickle.dumps({"labels": np.zeros(3)}))


def lone_array(path):
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


def arrays_changed(change, *names):
    """Damage: the arrays of these names changed, or all of them."""

    def damage(path):
        with np.load(path) as file:
            arrays = dict(file)
        with path.open("wb") as file:
            np.savez(file, **arrays | {name: change(arrays[name]) for name in names or arrays})

    return damage


def entry(value):
    """A change to a stack of matrices: one entry of the second network."""

    def change(stack):
        stack[1, 0, 2] = value
        return stack

    return change


def other_networks(seeds, names, factor=1.0):
    """Damage: other networks in the file."""
    parameters = network.initialize(SIZES, seeds).parameters * factor
    return lambda path: network.save(network.Ensemble(parameters, SIZES), names, path)


def other_tensors(**shapes):
    """Damage: other tensors in the file, though named as networks are."""
    tensors = {name.replace("_", "."): torch.zeros(shape) for name, shape in shapes.items()}
    return lambda path: save_file(tensors, path, {"runs": json.dumps(["a", "b"])})


DAMAGE = {
    "networks: cut off": (cut_off, "is not a whole file of trained networks"),
    "networks: an empty file": (empty, "is not a whole file of trained networks"),
    "networks: a pickle": (pickled, "is not a whole file of trained networks"),
    "networks: other tensors": (other_tensors(a=3), "is not a whole file of trained networks"),
    "networks: shapes that do not fit together": (
        other_tensors(layer1_weight=(2, 5, 9), layer1_bias=(2, 4)),
        "is not a whole file of trained networks",
    ),
    "networks: NaN among the weights": (
        other_networks([0, 1], ["a", "b"], math.nan),
        "some of its weights are NaN or infinite",
    ),
    "networks: fewer than their names": (other_networks([0], ["a", "b"]), "2 names for 1 networks"),
    "similarities: cut off": (cut_off, "is not a whole file of similarity matrices"),
    "similarities: an empty file": (empty, "is not a whole file of similarity matrices"),
    "similarities: a pickle": (pickled, "is not a whole file of similarity matrices"),
    "similarities: pickled objects inside": (
        arrays_changed(lambda _: np.array([{}])),
        "Object arrays cannot be loaded when allow_pickle=False",
    ),
    "similarities: a lone array": (lone_array, "is not a whole file of similarity matrices"),
    "similarities: of fewer networks": (
        arrays_changed(lambda stack: stack[:1]),
        "cov has the shape (1, 4, 4), not (2, 4, 4)",
    ),
    "similarities: matrices that are not square": (
        arrays_changed(lambda stack: stack[:, 1:]),
        "cov has the shape (2, 3, 4), not (2, 4, 4)",
    ),
    "similarities: NaN": (
        arrays_changed(entry(math.nan), "layer1/i_sens"),
        "i_sens is not finite and symmetric",
    ),
    "similarities: not symmetric": (
        arrays_changed(entry(9), "layer1/hess"),
        "hess is not finite and symmetric",
    ),
    "clusters: cut off": (cut_off, "is not a whole file of clusters"),
    "clusters: a pickle": (pickled, "is not a whole file of clusters"),
    "clusters: similarities in their place": (write_matrices, "is not a whole file of clusters"),
    "clusters: of fewer networks": (
        arrays_changed(lambda labels: labels[:1]),
        "labels has the shape (1, 8, 4), not (2, 8, 4)",
    ),
    "clusters: of fewer units": (
        arrays_changed(lambda labels: labels[..., 1:]),
        "labels has the shape (2, 8, 3), not (2, 8, 4)",
    ),
    "a cohort's rows: an empty file": (empty, "is cut off, or has other columns than"),
    "a cohort's rows: cut off": (lambda path: cut_off(path, 5), "is cut off, or has other columns than"),
    "a cohort's rows: other columns": (
        lambda path: path.write_text("q,seed\n0.1,3\n"),
        "is cut off, or has other columns than",
    ),
    "a table: an empty file": (empty, "is cut off or empty"),
    "a table: cut off": (lambda path: cut_off(path, 5), "is cut off or empty"),
}


@pytest.mark.parametrize(("damage", "error"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_refused_by_name(tmp_path, request, damage, error):
    write, read = KINDS[request.node.callspec.id.partition(":")[0]]
    path = tmp_path / "a file"
    write(path)
    read(path)
    damage(path)
    with pytest.raises(ValueError, match=re.escape(error)) as raised:
        read(path)
    assert str(path) in str(raised.value)
    assert re.search("Delete (it|what is damaged) and run again", str(raised.value))


# Matrices and networks


def write_too_large():
    write_similarity([[dict.fromkeys(MEASURES, np.full((3, 3), 1e40))] * 2], "never written")


def clustered(matrix):
    return lambda: cluster(np.array(matrix), np.random.default_rng(0))


WRONG_MATRICES = {
    "not square": (clustered(np.ones((2, 3))), "similarity must be a square matrix, but its shape is (2, 3)"),
    "NaN": (clustered([[1, 0], [0, math.nan]]), "similarity has 1 entries that are NaN or infinite"),
    "a negative entry": (
        clustered([[1, -1], [-1, 1]]),
        "similarity must not be negative, but its smallest entry is -1",
    ),
    "not symmetric": (
        clustered([[1, 1], [0, 1]]),
        "similarity must be symmetric, but two mirrored entries differ by 1",
    ),
    "a similarity too large to be stored": (
        write_too_large,
        "is NaN or too large, so its training has diverged. Lower training: learning_rate",
    ),
    "too few images for the validation share": (
        lambda: idx.split(4, 0.1, seed=0),
        "a validation share of 0.1 of 4 images leaves one part empty: change validation_share",
    ),
}

NONE = {"q": 0, "q_spectral": 0, "q_best": 0, "num_clusters": 0, "used_clusters": 0}
ONE = {"q": 0, "q_spectral": 0, "q_best": 0, "num_clusters": 1, "used_clusters": 1, "dead_units": 0}
THREE = dict.fromkeys(("q", "q_spectral", "q_best"), 2 / 3) | {"num_clusters": 3, "used_clusters": 3, "dead_units": 0}
ODD_MATRICES = {
    "all zero: each unit dead": (np.zeros((6, 6)), NONE | {"dead_units": 6}),
    "one unit alive, similar to itself alone": (np.diag([0, 0, 1]), NONE | {"dead_units": 3}),
    "a layer of one unit": (np.ones((1, 1)), NONE | {"dead_units": 1}),
    "all entries equal": (np.ones((6, 6)), ONE),
    "two units": (np.array([[1, 0.3], [0.3, 1]]), ONE),
    "three equal blocks with nothing in common": (np.kron(np.eye(3), np.ones((4, 4))), THREE),
}

NO_PENALTY = {"l1": 0.0, "l2": 0.0, "dropout": 0.0}
HOW = {"learning_rate": 0.01, "batch_size": 50, "max_epochs": 4}
BAD_TRAINING = {
    "a learning rate of 1e30: the loss is NaN at once": (HOW | {"learning_rate": 1e30}, NO_PENALTY, 1),
    "a learning rate of 100: units that never fire": (HOW | {"learning_rate": 100.0}, NO_PENALTY, 4),
    "L2 of 10: all weights near zero": (HOW, NO_PENALTY | {"l2": 10.0}, 4),
    "dropout of 0.999: next to nothing gets through": (HOW, NO_PENALTY | {"dropout": 0.999}, 4),
}


ALIVE = ["element_similarity_alive", "element_similarity_alive_adjusted"]

SEARCHES = {"restarts": 2, "rotations": 2, "steps": 200, "entropy": 0.15}


def rows_of(matrices, halves=None):
    """The rows of modularity.csv, agreement.csv and repeats.csv of one layer with these matrices."""
    layers, runs = [[matrices]], [{"id": "test"}]
    labels, rows = search_layers(layers, [[halves or (matrices, matrices)]], runs, SEARCHES)
    return tuple(map(pd.DataFrame, (rows, *compare_layers(layers, labels, runs, SEARCHES))))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(("call", "error"), WRONG_MATRICES.values(), ids=WRONG_MATRICES)
def test_a_wrong_matrix_is_refused(call, error):
    with pytest.raises(ValueError, match=re.escape(error)):
        call()


@pytest.mark.parametrize(("matrix", "expected"), ODD_MATRICES.values(), ids=ODD_MATRICES)
def test_an_odd_matrix_has_defined_rows(matrix, expected):
    modularity, agreement, repeats = rows_of(dict.fromkeys(MEASURES, matrix.astype(np.float32)))
    for column, value in expected.items():
        assert list(modularity[column]) == pytest.approx([value] * len(FORMS), abs=1e-12)
    for table in (agreement, repeats):
        scores = table.columns[table.columns.str.startswith("element_similarity")]
        for score in scores.drop([*ALIVE, "element_similarity_rotated"], errors="ignore"):
            assert list(table[score]) == pytest.approx([1] * len(table))
    for score in ALIVE:
        assert agreement[score].isna().all() == (expected["dead_units"] == len(matrix))
    assert (agreement["element_similarity_rotated"].dropna() <= 1 + 1e-12).all()
    assert agreement["element_similarity_rotated"].isna().all() == (expected["dead_units"] == len(matrix))
    assert list(agreement["transferability"]) == pytest.approx([expected["q"]] * len(agreement), abs=1e-12)


@pytest.mark.parametrize(("settings", "penalties", "epochs"), BAD_TRAINING.values(), ids=BAD_TRAINING)
def test_a_network_that_does_not_learn_has_finite_rows(tmp_path, settings, penalties, epochs):
    write_synthetic(tmp_path, train=500, test=100, seed=0)
    idx.write_checksums(tmp_path)
    images = idx.load(tmp_path)
    data, start = prepare(images, 0.1, torch.float32), network.initialize(SIZES, [0])
    runs = [training.Run("test", 0, **penalties)]
    found, history, _ = training.train(start, data, runs, training.Settings(**settings))
    row = evaluation.describe(found, data, [0])[0]
    assert len(history) == epochs
    assert all(map(math.isfinite, row.values()))
    assert row["test_accuracy"] <= 0.2
    if epochs == 1:
        assert torch.equal(found.parameters, start.parameters)
    for measured in similarity(found, torch.from_numpy(images.test_images)):
        modularity, agreement, _ = rows_of(*measured)
        assert set(modularity.columns[modularity.isna().any()]) <= MAY_BE_NAN
        assert set(agreement.columns[agreement.isna().any()]) <= MAY_BE_NAN | {"spearman"}
        if settings["learning_rate"] == 100:
            upstream = modularity[modularity["measure"].isin(["cov", "i_sens"])]
            assert (upstream["dead_units"] > 0).all()
        if penalties["l2"]:
            assert row["l2_norm"] < 1


# Whole runs

ODD = {
    "pathvars": {
        "results": "results/très bien – d'accord & plus",
        "logs": "logs/à part",
        "benchmarks": "results/mesuré; à part",
    },
    "experiments": {
        "base": {"hidden": [8], "sweeps": {"l2": [1e-5], "l1": [], "dropout": [0.1]}},
        "wide": {"hidden": [1], "seeds": 1, "seeds_per_job": 1, "sweeps": {"l2": [], "l1": [], "dropout": []}},
    },
    "untrained": {"models": 2},
    "training": {"learning_rate": 100.0},
}
TRAINED = ("l2_1e-05_seeds0-1", "dropout_0.1_seeds0-1")


@pytest.fixture(scope="module")
def odd(made_once):
    """A finished run of networks that do not learn, in folders with odd names: where it ran, and its results."""
    folder = made_once(
        "bad input – à part", lambda folder: snakemake(copy_of_repository(folder), **overlay(folder, **ODD))
    )
    return folder, folder / ODD["pathvars"]["results"]


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def everything_is_in_place(folder, results):
    assert {path.name for path in folder.iterdir() if path.is_dir()} >= {"data", "logs", "results"}
    assert [path.name for path in (folder / "logs").iterdir()] == ["à part"]
    assert {path.name for path in (folder / "results").iterdir()} == {results.name, "mesuré; à part"}
    drawn = {path.stem for path in (results / "figures").glob("*.png")}
    assert drawn | {"tableS1"} == OF_CONFIGURATION | OF_MODELS | OF_LAYERS
    assert len(list(results.glob("clusters/*/*.npz"))) == 4


def figures_say_what_is_missing(folder, results):
    models = pd.read_csv(results / "tables/models.csv")
    assert (models.loc[models["trained"], "test_accuracy"] < 0.8).sum() == 4
    for name in OF_LAYERS - {"fig1"}:
        text = (results / f"figures/{name}.svg").read_text()
        said = "Base: 0 trained networks; 4 discarded", "Deep: no networks in the tables", "no networks of other"
        said += ("not testable",)
        assert any(words in text for words in said), name
    claims = pd.read_csv(results / "claims.csv")
    assert claims["verdict"].str.startswith("not testable").sum() > len(claims) / 2


def single_units_have_rows(folder, results):
    modularity = pd.read_csv(results / "tables/modularity.csv").query("experiment == 'wide'")
    assert len(modularity) == 2 * len(FORMS)
    assert not modularity["q"].any()
    assert (modularity["dead_units"] == 1).all()


ODD_RUNS = {
    "folders with spaces, quotes and letters beyond ASCII in their names": everything_is_in_place,
    "no trained network reaches 80 %": figures_say_what_is_missing,
    "an experiment of a single unit, with nothing swept": single_units_have_rows,
}


@pytest.mark.parametrize("check", ODD_RUNS.values(), ids=ODD_RUNS)
def test_an_odd_run_works(odd, check):
    check(*odd)


def wrong_mnist(folder):
    write_synthetic(folder / "Übung mit Bildern", train=10, test=10, seed=0)
    named = overlay(folder, dataset={"name": "mnist", "folder": "Übung mit Bildern"})
    printed = snakemake(folder, "data/mnist/SHA256SUMS", check=False, **named)
    assert not list((folder / "data/mnist").glob("*"))
    return printed


def damage(results):
    """Damage a file of each of four cohorts: each such file, and what is made from it next."""
    l2, dropout = (results / f"models/base/{cohort}.safetensors" for cohort in TRAINED)
    base, wide = (f"{experiment}/none_seeds1000-1001" for experiment in ("base", "wide"))
    matrices, labels = results / f"similarity/{base}.npz", results / f"clusters/{wide}.npz"
    cut_off(l2)
    dropout.write_bytes((results / f"models/{base}.safetensors").read_bytes())
    cut_off(matrices)
    pickled(labels)
    return [l2, dropout, matrices, labels], [
        *(results / f"{kind}/base/{cohort}.npz" for kind in ("similarity", "halves") for cohort in TRAINED),
        *(results / f"clusters/{base}{suffix}" for suffix in (".npz", ".csv", ".weights.csv")),
        *(results / f"agreement/{wide}{suffix}" for suffix in (".csv", ".repeats.csv")),
    ]


def four_damaged(folder):
    results, odd = folder / ODD["pathvars"]["results"], overlay(folder, **ODD)
    before = contents(results)
    damaged, next_files = damage(results)
    unharmed = results / "tables/models.csv"
    unharmed.unlink()

    targets = [str(path.relative_to(folder)) for path in (*next_files, unharmed)]
    printed = snakemake(folder, *targets, check=False, **odd)

    assert all(str(path.relative_to(folder)) in printed for path in damaged)
    kept = before.keys() - {*damaged, *next_files}
    after = contents(results)
    assert after.keys() == kept | {*damaged}
    assert all(after[path] == before[path] for path in kept)

    for path in damaged:
        path.unlink()
    snakemake(folder, "tables", **odd)
    for path in (results / "tables").glob("*.csv"):
        assert path.read_bytes() == before[path]
    return printed


BROKEN = {
    "MNIST from a folder in which a file is not the right one": (
        wrong_mnist,
        "Replace this file, or remove it to have it downloaded.",
        1,
    ),
    "four cohorts damaged: networks cut off, another cohort's networks, similarities cut off, a pickle for clusters": (
        four_damaged,
        "Delete it and run again.",
        4,
    ),
}


@pytest.mark.parametrize(("breaks", "error", "times"), BROKEN.values(), ids=BROKEN)
def test_a_job_is_refused_and_no_other(odd, tmp_path, breaks, error, times):
    printed = breaks(shutil.copytree(odd[0], tmp_path / "copy – à part"))
    assert len(re.findall(rf"Error: .*{re.escape(error)}$", printed, re.MULTILINE)) == times
