"""Bad input: each case gives one error, or a defined result. docs/reliability.md lists them, and says which."""

import gzip
import hashlib
import importlib.util
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
from helpers import PAGE, cases, rows
from safetensors.torch import save_file
from test_workflow import (
    MAY_BE_NAN,
    OF_CONFIGURATION,
    OF_LAYERS,
    OF_MODELS,
    ROOT,
    TINY,
    copy_of_repository,
    overlay,
    plan,
    snakemake,
)

from unit_clusters.clusters.modularity import cluster
from unit_clusters.data import fetch as fetching
from unit_clusters.data import idx
from unit_clusters.data.images import prepare
from unit_clusters.data.sources import Source
from unit_clusters.data.synthetic import write_synthetic
from unit_clusters.networks import ensemble as network
from unit_clusters.networks import evaluation, training
from unit_clusters.results import tables
from unit_clusters.results.layer_files import Searches, read_labels, read_similarity, write_labels, write_similarity
from unit_clusters.similarity.closed_form import similarity
from unit_clusters.similarity.measures import FORMS, MEASURES, all_forms

ERRORS = re.compile(r"^\w*(?:Error|Exception)\b", re.MULTILINE)


def test_the_page_counts_its_rows():
    page = PAGE.read_text()
    text = re.sub(r"\s+", " ", page)
    faults = sum(int(tried) for _, tried, survived, *_ in rows("Interruption") if tried == survived)
    assert f"{faults} faults were tried, and all {faults} were survived" in text
    refused = sum(len(rows(heading)) for heading in re.findall(r"^### (.* refused)$", page, re.MULTILINE))
    tried = sum(len(rows(heading)) for heading in re.findall(r"^### (.*)$", page, re.MULTILINE))
    assert f"{tried} inputs were tried: {refused} are refused, each with one error, and {tried - refused} give" in text


# Configurations

CONFIGURATIONS = {given: config for given, config, _ in rows("Configurations that are refused")}

JOBS = {
    "more seeds_per_job than seeds": {"train": 4, "initialize": 2},
    "one sweep empty": {"train": 2, "initialize": 2},
    "all sweeps empty": {"initialize": 2},
    "no sweep named": {"train": 4, "initialize": 2},
    "no untrained networks": {"train": 4},
    "an example that is not swept": {"train": 4, "initialize": 2},
    "more images than there are": {"train": 4, "initialize": 2},
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What a dry run prints for each configuration that is refused; as many run at a time as there are cores."""
    folder = copy_of_repository(tmp_path_factory.mktemp("configurations"))

    def ask(number, config):
        if config.startswith("--"):
            return snakemake(folder, "--dry-run", *shlex.split(config), configs=(), check=False)
        (folder / f"{number}.yaml").write_text(config)
        return snakemake(folder, "--dry-run", configs=(TINY, f"{number}.yaml"), check=False)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        printed = pool.map(ask, range(len(CONFIGURATIONS)), CONFIGURATIONS.values())
        return dict(zip(CONFIGURATIONS, printed, strict=True))


@pytest.mark.parametrize(("given", "error"), cases("Configurations that are refused", {c: c for c in CONFIGURATIONS}))
def test_a_configuration_is_refused_by_its_key(answers, given, error):
    assert error in answers[given]
    assert len(ERRORS.findall(answers[given])) == 1
    if given != "a configuration file that is not there":  # Snakemake looks for it before our code is read
        assert "Traceback" not in answers[given]


@pytest.mark.parametrize(("jobs", "_"), cases("Configurations that are odd, and work", JOBS))
def test_an_odd_configuration_is_planned(tmp_path, request, jobs, _):
    folder = copy_of_repository(tmp_path)
    configs = {given: config for given, config, _ in rows("Configurations that are odd, and work")}
    (folder / "odd.yaml").write_text(configs[request.node.callspec.id])
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
    "yours: a file cut off": lambda folder: cut_off(folder / IMAGES),
    "yours: an empty file": lambda folder: empty(folder / TEST_LABELS),
    "yours: other bytes": lambda folder: (folder / LABELS).write_bytes(b"x" * 108),
    "yours: train and test swapped": lambda folder: swap(folder / IMAGES, folder / TEST_IMAGES),
    "yours: gzip cut off": lambda folder: gzip_cut_off(folder / IMAGES),
    "yours: a file missing, and no network": lambda folder: (folder / LABELS).unlink(),
    "yours: a folder in place of a file, and no network": lambda folder: folder_instead(folder / LABELS),
    "yours: no such folder": shutil.rmtree,
}
FETCHED = {
    "fetched: a file cut off": lambda folder: cut_off(folder / IMAGES),
    "fetched: a file missing": lambda folder: (folder / LABELS).unlink(),
    "fetched: an empty file": lambda folder: empty(folder / LABELS),
    "fetched: a folder in place of a file": lambda folder: folder_instead(folder / LABELS),
    "fetched: train and test swapped": lambda folder: swap(folder / LABELS, folder / TEST_LABELS),
    "fetched: no list of checksums": lambda folder: (folder / idx.CHECKSUMS).unlink(),
    "fetched: the list of checksums cut off": lambda folder: cut_off(folder / idx.CHECKSUMS),
    "fetched: the list of checksums empty": lambda folder: empty(folder / idx.CHECKSUMS),
}
WORKS = {
    "yours: all four files gzipped": gzip_all,
    "yours: a folder's name with spaces and letters beyond ASCII": lambda folder: None,
}


@pytest.mark.parametrize(("damage", "error"), cases("Data of yours that are refused", YOURS))
def test_a_folder_of_the_users_is_refused(folder, fetch, damage, error):
    damage(folder)
    with pytest.raises(idx.DatasetError, match=re.escape(error)) as raised:
        fetch()
    assert str(folder) in str(raised.value)
    assert re.search("Replace this file|Get these files|correct its name", str(raised.value))


@pytest.mark.parametrize(("change", "_"), cases("Data of yours that are odd, and work", WORKS))
def test_a_folder_of_the_users_is_taken(folder, fetch, change, _):
    original = {name: (folder / name).read_bytes() for name in idx.FILES}
    change(folder)
    assert fetch() == original


@pytest.mark.parametrize(("damage", "error"), cases("Data fetched earlier that are refused", FETCHED))
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
    write_similarity(dict.fromkeys(MEASURES, factors @ factors.mT), path)


def write_clusters(path):
    single, two = np.zeros((2, len(FORMS), 4), int), np.zeros((2, len(FORMS), 2, 4), int)
    write_labels(Searches(single, single, single, two), path)


def write_rows(path):
    tables.write(("seed", "q"), [{"seed": 3, "q": 1 / 3}] * 2, path)


def read_cohorts_rows(path):
    write_rows(path.with_name("first"))
    tables.concatenate([path.with_name("first"), path], path.with_name("whole"))


KINDS = {
    "networks": (write_networks, network.load),
    "similarities": (write_matrices, lambda path: read_similarity(path, 2)),
    "clusters": (write_clusters, lambda path: read_labels(path, 2, 4)),
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
    "networks: cut off": cut_off,
    "networks: an empty file": empty,
    "networks: a pickle": pickled,
    "networks: other tensors": other_tensors(a=3),
    "networks: shapes that do not fit together": other_tensors(layer1_weight=(2, 5, 9), layer1_bias=(2, 4)),
    "networks: NaN among the weights": other_networks([0, 1], ["a", "b"], math.nan),
    "networks: fewer than their names": other_networks([0], ["a", "b"]),
    "similarities: cut off": cut_off,
    "similarities: an empty file": empty,
    "similarities: a pickle": pickled,
    "similarities: pickled objects inside": arrays_changed(lambda _: np.array([{}])),
    "similarities: a lone array": lone_array,
    "similarities: of fewer networks": arrays_changed(lambda stack: stack[:1]),
    "similarities: matrices that are not square": arrays_changed(lambda stack: stack[:, 1:]),
    "similarities: NaN": arrays_changed(entry(math.nan), "i_sens"),
    "similarities: a negative entry": arrays_changed(entry(-1), "o_sens"),
    "similarities: not symmetric": arrays_changed(entry(9), "hess"),
    "clusters: cut off": cut_off,
    "clusters: a pickle": pickled,
    "clusters: similarities in their place": write_matrices,
    "clusters: of fewer networks": arrays_changed(lambda labels: labels[:1]),
    "clusters: of fewer units": arrays_changed(lambda labels: labels[..., 1:]),
    "a cohort's rows: an empty file": empty,
    "a cohort's rows: cut off": lambda path: cut_off(path, 5),
    "a cohort's rows: other columns": lambda path: path.write_text("q,seed\n0.1,3\n"),
    "a table: an empty file": empty,
    "a table: cut off": lambda path: cut_off(path, 5),
}


@pytest.mark.parametrize(("damage", "error"), cases("Files of results that are refused", DAMAGE))
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
    write_similarity(dict.fromkeys(MEASURES, np.full((2, 3, 3), 1e40)), "never written")


def clustered(matrix):
    return lambda: cluster(np.array(matrix), np.random.default_rng(0))


WRONG_MATRICES = {
    "not square": clustered(np.ones((2, 3))),
    "NaN": clustered([[1, 0], [0, math.nan]]),
    "a negative entry": clustered([[1, -1], [-1, 1]]),
    "not symmetric": clustered([[1, 1], [0, 1]]),
    "a similarity too large to be stored": write_too_large,
    "too few images for the validation share": lambda: idx.split(4, 0.1, seed=0),
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


@pytest.fixture(scope="module")
def scripts():
    """The scripts that cluster and compare, as modules."""
    modules = {}
    for name in ("cluster", "compare"):
        spec = importlib.util.spec_from_file_location(f"script_{name}", ROOT / f"workflow/scripts/{name}.py")
        modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(modules[name])
    return modules


def rows_of(scripts, matrices):
    """The rows of modularity.csv, agreement.csv and repeats.csv of one layer with these matrices."""
    spec = {"restarts": 2, "steps": 200, "entropy": 0.15}
    searches, rows = scripts["cluster"].search_all(matrices, {"id": "test"}, 1, spec)
    return (
        pd.DataFrame(rows),
        pd.DataFrame(scripts["compare"].agreement(all_forms(matrices), searches)),
        pd.DataFrame(scripts["compare"].repeats(searches)),
    )


@pytest.mark.parametrize(("call", "error"), cases("Matrices and splits that are refused", WRONG_MATRICES))
def test_a_wrong_matrix_is_refused(call, error):
    with pytest.raises(ValueError, match=re.escape(error)):
        call()


@pytest.mark.parametrize(("case", "_"), cases("Matrices that are odd, and work", ODD_MATRICES))
def test_an_odd_matrix_has_defined_rows(scripts, case, _):
    matrix, expected = case
    modularity, agreement, repeats = rows_of(scripts, dict.fromkeys(MEASURES, matrix.astype(np.float32)))
    for column, value in expected.items():
        assert list(modularity[column]) == pytest.approx([value] * len(FORMS), abs=1e-12)
    for table in (agreement, repeats):
        for score in table.columns[table.columns.str.startswith("element_similarity")].drop(
            "element_similarity_alive", errors="ignore"
        ):
            assert list(table[score]) == pytest.approx([1] * len(table))
    assert agreement["element_similarity_alive"].isna().all() == (expected["dead_units"] == len(matrix))
    assert list(agreement["transferability"]) == pytest.approx([expected["q"]] * len(agreement), abs=1e-12)


@pytest.mark.parametrize(("case", "_"), cases("Networks that do not learn", BAD_TRAINING))
def test_a_network_that_does_not_learn_has_finite_rows(scripts, tmp_path, case, _):
    settings, penalties, epochs = case
    write_synthetic(tmp_path, train=500, test=100, seed=0)
    idx.write_checksums(tmp_path)
    images = idx.load(tmp_path)
    data, start = prepare(images, 0.1, torch.float32), network.initialize(SIZES, [0])
    found, history = training.train(start, data, [training.Run("test", 0, **penalties)], training.Settings(**settings))
    row = evaluation.describe(found, data, [0])[0]
    assert len(history) == epochs
    assert all(map(math.isfinite, row.values()))
    assert row["test_accuracy"] <= 0.2
    if epochs == 1:
        assert torch.equal(found.parameters, start.parameters)
    for layer in (1, 2):
        matrices = similarity(found, layer, torch.from_numpy(images.test_images))
        modularity, agreement, _ = rows_of(scripts, {name: m.numpy() for name, m in matrices._asdict().items()})
        assert set(modularity.columns[modularity.isna().any()]) <= MAY_BE_NAN
        assert set(agreement.columns[agreement.isna().any()]) <= {"element_similarity_alive", "spearman"}
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
def odd(tmp_path_factory):
    """A finished run of networks that do not learn, in folders with odd names: where it ran, and its results."""
    folder = copy_of_repository(tmp_path_factory.mktemp("bad input – à part"))
    snakemake(folder, **overlay(folder, **ODD))
    return folder, folder / ODD["pathvars"]["results"]


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def everything_is_in_place(folder, results):
    assert {path.name for path in folder.iterdir() if path.is_dir()} >= {"data", "logs", "results"}
    assert [path.name for path in (folder / "logs").iterdir()] == ["à part"]
    assert {path.name for path in (folder / "results").iterdir()} == {results.name, "mesuré; à part"}
    drawn = {path.stem for path in (results / "figures").glob("*.png")}
    assert drawn | {"tableS1"} == OF_CONFIGURATION | OF_MODELS | OF_LAYERS
    assert len(list(results.glob("clusters/*/*/layer*.npz"))) == 4


def figures_say_what_is_missing(folder, results):
    models = pd.read_csv(results / "tables/models.csv")
    assert (models.loc[models["trained"], "test_accuracy"] < 0.8).sum() == 4
    for name in OF_LAYERS - {"fig1"}:
        text = (results / f"figures/{name}.svg").read_text()
        assert re.search("Base: 0 trained networks; 4 discarded|Deep: no networks in the tables", text), name
    claims = pd.read_csv(results / "claims.csv")
    assert claims["verdict"].str.startswith("not testable").sum() > len(claims) / 2


def single_units_have_rows(folder, results):
    modularity = pd.read_csv(results / "tables/modularity.csv").query("experiment == 'wide'")
    assert len(modularity) == 2 * len(FORMS)
    assert not modularity["q"].any()
    assert (modularity["dead_units"] == 1).all()


@pytest.mark.parametrize(
    ("check", "_"),
    cases(
        "Whole runs that are odd, and work",
        {
            "folders with spaces, quotes and letters beyond ASCII in their names": everything_is_in_place,
            "no trained network reaches 80 %": figures_say_what_is_missing,
            "an experiment of a single unit, with nothing swept": single_units_have_rows,
        },
    ),
)
def test_an_odd_run_works(odd, check, _):
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
    matrices, labels = results / f"similarity/{base}/layer1.npz", results / f"clusters/{wide}/layer1.npz"
    cut_off(l2)
    dropout.write_bytes((results / f"models/{base}.safetensors").read_bytes())
    cut_off(matrices)
    pickled(labels)
    return [l2, dropout, matrices, labels], [
        *(results / f"similarity/base/{cohort}/layer1.npz" for cohort in TRAINED),
        *(results / f"clusters/{base}/layer1{suffix}" for suffix in (".npz", ".csv")),
        *(results / f"agreement/{wide}/layer1{suffix}" for suffix in (".csv", ".repeats.csv")),
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
    "MNIST from a folder in which a file is not the right one": (wrong_mnist, 1),
    "four cohorts damaged: networks cut off, another cohort's networks, similarities cut off, a pickle for clusters": (
        four_damaged,
        4,
    ),
}


@pytest.mark.parametrize(("case", "error"), cases("Runs in which jobs are refused", BROKEN))
def test_a_job_is_refused_and_no_other(odd, tmp_path, case, error):
    breaks, times = case
    printed = breaks(shutil.copytree(odd[0], tmp_path / "copy – à part"))
    assert len(re.findall(rf"Error: .*{re.escape(error)}$", printed, re.MULTILINE)) == times
