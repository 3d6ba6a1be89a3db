"""What `analyze` returns: matrices, clusters, tables, pictures and files, and what is left out."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

import unit_clusters as uc
from unit_clusters.clusters.agreement import Agreement
from unit_clusters.clusters.modularity import adjacency as a_tilde
from unit_clusters.clusters.modularity import modularity, num_clusters
from unit_clusters.clusters.restarts import Restarts
from unit_clusters.clusters.rows import TURNED
from unit_clusters.clusters.search import Clustering
from unit_clusters.plots import style
from unit_clusters.similarity.measures import FORMS, Form
from unit_clusters.similarity.normalization import normalize

ROOT = Path(__file__).parent.parent

COLUMNS = (*Form._fields, *Clustering._fields, "contrast", "largest_share", *Restarts._fields, *TURNED, "soft_units")
COLUMNS = (*COLUMNS, "reliability", "reliability_clusters")


def grouped(groups=3, size=4, inputs=9, classes=3):
    """A perceptron whose units are copies, but for a little noise, of one unit a group."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(inputs, groups * size), nn.ReLU(), nn.Linear(groups * size, classes))
    model[0].weight.data = torch.eye(inputs)[:groups].repeat_interleave(size, 0) + 0.01 * torch.rand(
        groups * size, inputs
    )
    model[0].bias.data.fill_(0.5)
    model[2].weight.data = 2 * torch.eye(classes)[:, :groups].repeat_interleave(size, 1)
    return model


@pytest.fixture(scope="module")
def data():
    random = torch.Generator().manual_seed(1)
    return torch.randn(60, 9, generator=random), torch.randint(0, 3, (60,), generator=random)


@pytest.fixture(scope="module")
def found(data):
    return uc.analyze(grouped(), data[0], "1", data[1], cross_entropy, restarts=2, progress=False)


@pytest.fixture(scope="module")
def without_loss(data):
    return uc.analyze(grouped(), data[0], "1", data[1], restarts=0, progress=False)


def test_planted_groups_are_found(found):
    for form in ("cov", "normalized i_sens", "normalized o_sens", "o_sens"):
        clusters = found["1"].clusters[form]
        assert (clusters.labels.reshape(3, 4) == clusters.labels[::4, None]).all()
        assert len(set(clusters.labels)) == 3
        assert clusters.num_clusters == pytest.approx(3)


def test_all_forms_are_there(found):
    layer = found["1"]
    assert list(layer.similarity) == list(layer.clusters) == list(layer.best) == [str(form) for form in FORMS]
    for form in FORMS:
        expected = layer.similarity[form.measure]
        expected = normalize(expected) if form.normalized else expected
        assert np.array_equal(layer.similarity[str(form)], expected)
        clusters = layer.clusters[str(form)]
        assert clusters.q == pytest.approx(modularity(a_tilde(expected), clusters.labels))
        assert clusters.num_clusters == num_clusters(clusters.labels)
        assert layer.restarts[str(form)].q_best == pytest.approx(modularity(a_tilde(expected), layer.best[str(form)]))


@pytest.mark.filterwarnings("ignore:.*which images were shown")
def test_the_best_partition_is_that_of_the_highest_q(data):
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(9, 30), nn.ReLU(), nn.Linear(30, 3))
    layer = uc.analyze(model, data[0], "1", steps=1, restarts=4, progress=False)["1"]
    assert any(numbers.q_best > layer.clusters[form].q + 1e-6 for form, numbers in layer.restarts.items())
    for form, numbers in layer.restarts.items():
        assert modularity(a_tilde(layer.similarity[form]), layer.best[form]) == pytest.approx(numbers.q_best)


def test_the_tables_have_the_columns_of_the_workflow(found):
    table, agreement = found.table(), found.agreement()
    assert set(table.columns) <= {*COLUMNS, "layer"}
    assert len(table) == 8
    assert table.isna().sum().sum() == 0
    assert len(agreement) == 28
    assert list(agreement.columns) == [
        "layer",
        "measure_a",
        "normalized_a",
        "measure_b",
        "normalized_b",
        *Agreement._fields,
    ]
    np.testing.assert_array_equal(found["1"].similarity["cov"], np.abs(found["1"].signed["cov"]))
    row = table[(table["measure"] == "o_sens") & table["normalized"]].iloc[0]
    assert row["q"] == found["1"].clusters["normalized o_sens"].q
    assert row["q_best"] >= row["q"] - 1e-12
    assert agreement[agreement["measure_a"] == agreement["measure_b"]]["element_similarity"].between(0, 1).all()


def test_without_a_loss_hess_is_left_out_and_it_says_so(without_loss):
    assert without_loss.left_out == {"hess": "no loss was given"}
    assert "hess left out: no loss was given" in repr(without_loss)
    assert set(without_loss.table()["measure"]) == {"cov", "i_sens", "o_sens"}
    assert len(without_loss.agreement()) == 15
    with pytest.raises(KeyError, match="left out"):
        without_loss["1"].similarity["hess"]
    texts = [text.get_text() for axes in without_loss.plot("1").axes for text in axes.texts]
    assert sum("left out" in text for text in texts) == 2


def test_a_layer_that_was_not_analysed_is_an_error(found):
    assert list(found) == ["1"]
    with pytest.raises(KeyError, match=r"'fc' was not analysed. The closest are '1'"):
        found["fc"]


def test_the_picture_shows_matrices_sorted_by_cluster(found):
    figure = found.plot("1")
    images = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    assert len(images) == 9
    matrix = found["1"].similarity["cov"]
    order = np.argsort(found["1"].clusters["cov"].labels, kind="stable")
    expected = matrix[np.ix_(order, order)] / matrix[~np.eye(12, dtype=bool)].max()
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(images[0], expected)
    agreement = found.agreement().iloc[0]
    assert images[-1][0, 1] == pytest.approx(agreement["element_similarity"])


def test_no_text_of_the_picture_overlaps(found, without_loss):
    for figure in (found.plot("1"), without_loss.plot("1")):
        figure.draw_without_rendering()  # which gives all parts their places
        texts = [
            t for axes in figure.axes for t in (*axes.texts, axes.title, axes._left_title) if t.get_text()
        ] + figure.texts
        boxes = [text.get_window_extent() for text in texts]
        assert all(figure.bbox.contains(*box.min) and figure.bbox.contains(*box.max) for box in boxes)
        pairs = [(i, j) for i in range(len(boxes)) for j in range(i) if boxes[i].shrunk(0.98, 0.98).overlaps(boxes[j])]
        assert [(texts[i].get_text(), texts[j].get_text()) for i, j in pairs] == []
        assert min(text.get_fontsize() for text in texts) >= style.SMALL


def test_all_is_saved(found, tmp_path):
    found.save(tmp_path / "new")
    folder = tmp_path / "new"
    assert {path.name for path in folder.iterdir()} == {
        "1.npz",
        "1.png",
        "agreement.csv",
        "analysis.json",
        "modularity.csv",
    }
    pd.testing.assert_frame_equal(pd.read_csv(folder / "modularity.csv", dtype={"layer": str}), found.table())
    pd.testing.assert_frame_equal(pd.read_csv(folder / "agreement.csv", dtype={"layer": str}), found.agreement())
    with np.load(folder / "1.npz", allow_pickle=False) as arrays:
        assert np.array_equal(arrays["hess"], found["1"].signed["hess"])
        labels = dict(zip(arrays["forms"], arrays["labels"], strict=True))
    assert np.array_equal(labels["normalized cov"], found["1"].clusters["normalized cov"].labels)
    about = json.loads((folder / "analysis.json").read_text())
    assert (about["images"], about["left_out"], about["layers"]["1"]["type"]) == (60, {}, "ReLU")


@pytest.mark.filterwarnings("ignore:.*which images were shown")
def test_slashes_in_names_make_no_folders(data, tmp_path):
    model = nn.Sequential()
    model.add_module("in/act", nn.Tanh())
    model.add_module("last", nn.Linear(9, 3))
    uc.analyze(model, data[0], "in/act", restarts=0, progress=False).save(tmp_path / "in")
    assert {path.name for path in (tmp_path / "in").glob("*act*")} == {"in%2Fact.npz", "in%2Fact.png"}


def test_few_images_are_warned_of_and_it_is_said_how_many_would_do():
    random = torch.Generator().manual_seed(0)
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(9, 30), nn.ReLU(), nn.Linear(30, 3))

    def found(images):
        return uc.analyze(model, torch.randn(images, 9, generator=random), "1", restarts=0, rotations=0, progress=False)

    with pytest.warns(UserWarning, match=r"1: (normalized )?cov, has 0\.\d\d with 40 images, and about") as warned:
        assert found(40).table()["reliability"].min() < 0.8
    enough = int(float(re.search(r"about (\S+) images", str(warned[0].message))[1]))
    assert found(2 * enough).table()["reliability"].min() > 0.9
    with pytest.warns(UserWarning, match="far more images"):
        assert found(2 * 2).table()["reliability"].min() < 0


def test_too_few_images_for_halves_give_nan_and_no_warning(data):
    table = uc.analyze(grouped(), data[0][:3], "1", restarts=0, rotations=0, progress=False).table()
    assert table.loc[table["measure"] == "cov", ["reliability", "reliability_clusters"]].isna().all(axis=None)


def test_progress_is_shown_unless_it_is_switched_off(data, capsys):
    uc.analyze(grouped(), data[0], "1", restarts=0, progress=False)
    assert capsys.readouterr().err == ""
    uc.analyze(grouped(), data[0], "1", restarts=0)
    assert "60/60" in capsys.readouterr().err


def test_the_package_itself_imports_neither_torch_nor_matplotlib():
    code = "import sys, unit_clusters.streams; print({'torch', 'matplotlib', 'tqdm', 'pandas'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


def test_the_first_example_of_the_manual_runs(tmp_path, monkeypatch):
    text = (ROOT / "docs" / "your-network.md").read_text()
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    assert len([line for line in code.splitlines() if line]) <= 10
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(code, names)
    assert (tmp_path / "layer.png").stat().st_size > 10_000
    assert names["found"]["1"].similarity["i_sens"].shape == (8, 8)
