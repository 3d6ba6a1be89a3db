"""Our run as it is kept in results/published: whole, scored as its scorecard says, and told truly in the README."""

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from unit_clusters.clusters.modularity import UNUSED
from unit_clusters.similarity.measures import FORMS
from unit_clusters_paper.claims import document
from unit_clusters_paper.claims.scorecard import beside, overall, score, summary, write_csv
from unit_clusters_paper.claims.sensitivity import published_rows
from unit_clusters_paper.results.published import KEYS, unpack_labels
from unit_clusters_paper.results.selection import LIMIT, read
from unit_clusters_paper.results.verification import ROWS
from unit_clusters_paper.runs.sweep import strength_blocks

ROOT = Path(__file__).parent.parent
PUBLISHED = ROOT / "results" / "published"
PROVENANCE = json.loads((PUBLISHED / "provenance.json").read_text())
CONFIG = PROVENANCE["config"]
EXPERIMENTS = {name: experiment for name, experiment in CONFIG["experiments"].items() if experiment}


@pytest.fixture(scope="module")
def tables():
    return {path.name.partition(".")[0]: pd.read_csv(path) for path in (PUBLISHED / "tables").glob("*.csv.gz")}


@pytest.fixture(scope="module")
def readme():
    return re.sub(r"\s+", " ", (ROOT / "README.md").read_text())


def networks():
    """By the configuration: each experiment, its trained and untrained networks, and their layers."""
    architectures = set()
    for name, experiment in EXPERIMENTS.items():
        strengths = [strength_blocks(sweep) for sweep in experiment["sweeps"].values()]
        trained = experiment["seeds"] * sum(len(block) for blocks in strengths for block in blocks)
        first = tuple(experiment["hidden"]) not in architectures  # whose untrained networks are those of all
        architectures.add(tuple(experiment["hidden"]))
        yield name, trained, first * CONFIG["untrained"]["models"], len(experiment["hidden"])


def test_tables_hold_every_network_layer_and_measure_once(tables):
    rows = {
        name: sum((trained + untrained) * of_network(layers) for _, trained, untrained, layers in networks())
        for name, of_network in ROWS.items()
        if name in tables
    }
    assert len(rows) >= 4
    assert {name: len(table) for name, table in tables.items()} == rows
    for table in tables.values():
        assert not table.duplicated([key for key in KEYS if key in table.columns]).any()
    trained = tables["models"].loc[tables["models"]["trained"], "experiment"].value_counts()
    assert dict(trained) == {name: number for name, number, _, _ in networks()}


def test_networks_that_do_not_stop_early_have_all_their_epochs(tables):
    models = tables["models"][tables["models"]["trained"]]
    for name, experiment in EXPERIMENTS.items():
        training = CONFIG["training"] | experiment.get("training", {})
        found = models[(models["experiment"] == name) & np.isfinite(models["val_loss"])]  # the others have diverged
        if training["stopping_patience"] is None:
            assert set(found["epochs"]) == {training["max_epochs"]}


def test_labels_of_every_network_and_layer_are_those_of_the_tables(tables):
    files = {path.stem: path for path in (PUBLISHED / "labels").glob("*.npz")}
    assert set(files) == set(EXPERIMENTS)
    names = ["regularizer", "strength", "seed", "layer"]
    for name, path in files.items():
        modularity = tables["modularity"][tables["modularity"]["experiment"] == name]
        by_layer = {layer: rows.sort_values(["measure", "normalized"]) for layer, rows in modularity.groupby(names)}
        found = unpack_labels(path)
        assert found.keys() == by_layer.keys()
        order = sorted(range(len(FORMS)), key=lambda form: FORMS[form])
        for layer, rows in by_layer.items():
            labels = found[layer].labels[order]
            assert [len(set(of_form) - {UNUSED}) for of_form in labels.tolist()] == rows["used_clusters"].tolist()
            assert (labels == UNUSED).sum(axis=1).tolist() == rows["dead_units"].tolist()


def test_scorecard_is_that_of_the_tables(tmp_path):
    other = pd.read_csv(PUBLISHED / document.OTHER_DATA / "claims.csv")
    write_csv(beside(document.published(PUBLISHED), other), tmp_path / "claims.csv")
    found, published = (pd.read_csv(folder / "claims.csv") for folder in (tmp_path, PUBLISHED))
    pd.testing.assert_frame_equal(found, published, rtol=1e-4)


def test_sensitivity_is_that_of_the_tables(tables):
    published = pd.read_csv(PUBLISHED / "sensitivity.csv").query("source == 'published run'")
    given = {name: tables[name] for name in ("models", "modularity", "agreement")}
    given["models"] = given["models"].assign(**{LIMIT: CONFIG["min_test_accuracy"]})
    found = pd.DataFrame(published_rows(given))
    pd.testing.assert_frame_equal(found, published, rtol=1e-6)


def of_claims(rows, verdicts):
    """The verdict on each claim, from those on its rows in the scorecard."""
    kept = verdicts[rows["counts"]].groupby(rows["id"].str.partition("/")[0], sort=False)
    return pd.Series({id: overall(document.CLAIMS[id], of_rows) for id, of_rows in kept})


def test_readme_tells_the_scorecard(readme):
    claims = pd.read_csv(PUBLISHED / "claims.csv")
    words = summary(of_claims(claims, claims["verdict"]))
    assert f"{words.split('**')[1]}" in " ".join(readme.split())


def test_readme_tells_how_many_networks_were_discarded(tables, readme):
    models = tables["models"][tables["models"]["trained"]]
    bad = models["test_accuracy"].lt(0.8).groupby(models["experiment"]).agg(["sum", "size"])
    assert f"{bad['sum'].sum()} of the {bad['size'].sum()} trained networks fell below 80 %" in readme
    for name, discarded, number in bad.itertuples():
        assert f"{discarded} of {number} {name}" in readme


def test_readme_tells_the_cost_of_each_stage():
    stages = dict(PROVENANCE["stages"])
    for line in (ROOT / "README.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        name = {"initialise": "initialize"}.get(cells[0], cells[0].partition(",")[0])
        if name in stages:
            cost = stages.pop(name)
            told = [str(cost["jobs"]), str(round(cost["cpu_seconds"] / 60)), f"{cost['peak_memory_mb']} MB"]
            assert cells[1:] == told
    assert not stages


def test_what_is_kept_is_small():
    sizes = {name: sum(path.stat().st_size for path in (PUBLISHED / name).glob("*")) for name in ("tables", "labels")}
    assert sizes["tables"] < 15e6
    assert sizes["labels"] < 4e6


# On other data


@pytest.fixture(scope="module")
def on_other_data():
    """The verdicts on MNIST with early stopping, and on Fashion-MNIST with each limit."""
    folder = PUBLISHED / "fashion-mnist"
    paths = {name: folder / "tables" / f"{name}.csv.gz" for name in ("models", "modularity", "agreement")}
    scored = {f"limit {limit}": score(**read(paths, limit)) for limit in (0.72, 0.8)}
    claims = pd.read_csv(folder / "claims.csv")
    assert scored["limit 0.72"]["verdict"].tolist() == claims["verdict"].tolist()
    verdicts = {name: of_claims(one, one["verdict"]) for name, one in scored.items()}
    mnist = pd.read_csv(PUBLISHED / "claims.csv")
    early = mnist["early_verdict"].fillna(mnist["verdict"])
    return pd.DataFrame({"mnist": of_claims(mnist, early)} | verdicts)


@pytest.fixture(scope="module")
def page():
    return (ROOT / "docs" / "fashion-mnist.md").read_text()


def test_the_page_on_other_data_counts_the_verdicts(on_other_data, page):
    head, *rows = re.findall(r"^\|([^|]*)" + 4 * r"\| ([\w ]+) " + r"\|$", page, re.M)
    assert len(rows) == 3
    for row, verdicts in zip(rows, on_other_data.items(), strict=True):
        number = Counter(verdicts[1])
        assert row[1:] == tuple(str(number[verdict]) for verdict in head[1:])


def test_the_page_on_other_data_lists_the_claims_that_differ(on_other_data, page):
    differ = on_other_data[on_other_data.nunique(axis=1) > 1]
    rows = re.findall(r"^\| ([a-z0-9-]+) " + 3 * r"\| ([a-z ]+) " + r"\|$", page, re.M)
    assert rows == [(name, *verdicts) for name, *verdicts in differ.itertuples(name=None)]


def test_the_page_on_other_data_counts_what_is_left_out(page):
    models = pd.read_csv(PUBLISHED / "fashion-mnist" / "tables" / "models.csv.gz")
    accuracy = models.loc[models["trained"], "test_accuracy"]
    below = [(~(accuracy >= limit)).sum() for limit in (0.72, 0.8)]
    words = re.sub(r"\s+", " ", page)
    assert f"Of the trained networks, {below[0]} of {len(accuracy)} fall below it, and {below[1]} fall below" in words
