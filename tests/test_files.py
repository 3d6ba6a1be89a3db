"""What jobs hand to one another: whole files, named random streams, tables, and the forms of measures."""

import io
import logging
import os

import numpy as np
import pandas as pd
import pytest

from unit_clusters.similarity.measures import FORMS, MEASURES, Measured, by_form
from unit_clusters.similarity.normalization import EPSILON, normalize
from unit_clusters.streams import stream
from unit_clusters_paper.results.layer_files import (
    Searches,
    read_halves,
    read_labels,
    read_similarity,
    write_labels,
    write_measured,
)
from unit_clusters_paper.results.tables import concatenate, write
from unit_clusters_paper.runs.files import MARK, leave_mark, written_whole
from unit_clusters_paper.runs.logs import logged_to


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "file.txt"
    with written_whole(path) as temporary:
        temporary.write_text("first")
        assert not path.exists()
    with pytest.raises(TypeError), written_whole(path) as temporary:
        temporary.write_text("half" + temporary.write_text("half"))
    assert path.read_text() == "first"
    assert list(path.parent.iterdir()) == [path]


def test_the_content_is_on_the_disk_before_the_name_and_the_name_before_it_goes_on(tmp_path, monkeypatch):
    """Else a power cut may leave an empty file under the real name."""
    happened, fsync, replace = [], os.fsync, os.replace

    def synced(descriptor):
        happened.append(("sync", os.fstat(descriptor).st_ino))
        fsync(descriptor)

    def renamed(old, new):
        happened.append(("rename", os.stat(old).st_ino))
        replace(old, new)

    monkeypatch.setattr("os.fsync", synced)
    monkeypatch.setattr("os.replace", renamed)
    with written_whole(tmp_path / "file.txt") as temporary:
        temporary.write_text("whole")
    file, folder = ((path.stat().st_ino) for path in (tmp_path / "file.txt", tmp_path))
    assert happened == [("sync", file), ("rename", file), ("sync", folder)]


@pytest.mark.parametrize("end", [lambda mark: mark.unlink(), lambda mark: leave_mark(mark.parent, ["b", "c"])])
def test_a_job_writes_while_the_mark_of_its_run_is_there(tmp_path, monkeypatch, end):
    """A run takes its mark away at its end, or a later run that makes one of the same files does."""
    mark = leave_mark(tmp_path / "marks", ["a", "b"])
    monkeypatch.setenv(MARK, str(mark))
    with written_whole(tmp_path / "first.txt") as temporary:
        temporary.write_text("in time")
    end(mark)
    late = written_whole(tmp_path / "second.txt")
    late.__enter__().write_text("too late")
    with pytest.raises(RuntimeError, match=r"second.txt is not written"):
        late.__exit__(None, None, None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.txt", "marks"]


def test_runs_that_make_different_files_leave_one_another_their_marks(tmp_path):
    marks = [leave_mark(tmp_path, outputs) for outputs in (["a", "b"], ["c"], ["d", "e"], ["e", "c"])]
    assert [mark.exists() for mark in marks] == [True, False, False, True]


def test_streams_are_named_and_independent():
    assert stream("split", 3).integers(10**9) == stream("split", 3).integers(10**9)
    first = {
        stream(*identity).integers(10**9) for identity in (("split", 3), ("split", 4), ("split", "3"), ("split3",))
    }
    assert len(first) == 4
    with pytest.raises(TypeError):
        stream("split", np.int64(3))


def test_normalize_is_eq_5():
    random = np.random.default_rng(0)
    factor = random.normal(size=(3, 5, 9)).astype(np.float32)
    similarity = np.abs(factor @ factor.mT)
    similarity[0, 2] = similarity[0, :, 2] = 0
    expected = np.empty_like(similarity, dtype=np.float64)
    for m, i, j in np.ndindex(similarity.shape):
        scale = np.sqrt(float(similarity[m, i, i]) * float(similarity[m, j, j]))
        expected[m, i, j] = similarity[m, i, j] / max(scale, EPSILON)
    np.testing.assert_allclose(normalize(similarity), np.minimum(expected, 1), rtol=1e-12)
    assert not normalize(similarity)[0, 2].any()


def test_normalize_floors_tiny_scales():
    np.testing.assert_allclose(normalize(np.full((2, 2), 1e-14)), 0.01)


def test_forms_are_the_eight_measures_upstream_first():
    assert [str(form) for form in FORMS] == [
        *("cov", "normalized cov", "i_sens", "normalized i_sens"),
        *("o_sens", "normalized o_sens", "hess", "normalized hess"),
    ]
    assert [form.upstream for form in FORMS] == [True] * 4 + [False] * 4
    matrices = {measure: np.full((2, 2), place + 2.0) for place, measure in enumerate(MEASURES)}
    assert list(by_form(matrices)) == list(FORMS)
    assert [matrix[0, 1] for matrix in by_form(matrices).values()] == pytest.approx([2, 1, 3, 1, 4, 1, 5, 1])


def test_layer_files_round_trip(tmp_path):
    random = np.random.default_rng(0)
    factors = [{measure: random.random((3, units, 9)) for measure in MEASURES} for units in (4, 2)]
    layers = [
        [{measure: factor[network] @ factor[network].T for measure, factor in stacks.items()} for network in range(3)]
        for stacks in factors
    ]
    measured = [[Measured(one, (one, two)) for one, two in zip(layer, layer[::-1], strict=True)] for layer in layers]
    write_measured(measured, tmp_path / "similarity.npz", tmp_path / "halves.npz")
    halves = read_halves(tmp_path / "halves.npz", 3)
    for found, parts, networks in zip(read_similarity(tmp_path / "similarity.npz", 3), halves, layers, strict=True):
        assert len(found) == len(parts) == 3
        for measure in MEASURES:
            expected = networks[2][measure].astype(np.float32)
            for matrix in (found[2][measure], parts[2][0][measure], parts[0][1][measure]):
                np.testing.assert_array_equal(matrix, expected, strict=True)
    searches = [
        Searches(*random.integers(-1, 2, (3, 3, 8, units)), *(random.integers(-1, 2, (3, 8, n, units)) for n in (2, 5)))
        for units in (4, 2)
    ]
    write_labels(searches, tmp_path / "labels.npz")
    for layers_found, expected in zip(read_labels(tmp_path / "labels.npz", 3, (4, 2)), searches, strict=True):
        for labels, as_written in zip(layers_found, expected, strict=True):
            np.testing.assert_array_equal(labels, as_written)


COLUMNS = ("experiment", "seed", "normalized", "q", "num_clusters")


def rows():
    row = dict(zip(COLUMNS, ("base", 3, True, 1 / 3, float("nan")), strict=True))
    return [row | {"labels": "not a column"}]


def test_tables_read_back_the_same_and_concatenate(tmp_path):
    write(COLUMNS, rows(), tmp_path / "a.csv")
    write(COLUMNS, rows() * 2, tmp_path / "b.csv")
    concatenate([tmp_path / "a.csv", tmp_path / "b.csv"], tmp_path / "all.csv")
    table = pd.read_csv(tmp_path / "all.csv")
    assert tuple(table.columns) == COLUMNS
    assert len(table) == 3
    assert (table.q == 1 / 3).all()
    assert table.normalized.dtype == bool
    assert table.num_clusters.isna().all()


@pytest.mark.parametrize("damage", [lambda text: text[:-1], lambda text: text[3:], lambda text: ""])
def test_damaged_parts_of_tables_are_refused_by_name(tmp_path, damage):
    paths = [tmp_path / "first.csv", tmp_path / "second.csv"]
    for path in paths:
        write(COLUMNS, rows(), path)
    paths[1].write_text(damage(paths[1].read_text()))
    with pytest.raises(ValueError, match=r"second.csv is cut off, or has other columns than .*first.csv. Delete"):
        concatenate(paths, tmp_path / "all.csv")
    assert not (tmp_path / "all.csv").exists()


def test_a_job_that_fails_says_so_in_its_log_and_exits(tmp_path, capsys):
    path = tmp_path / "job.log"

    def job():
        logging.info("halfway")
        print("printed")
        raise ValueError("what went wrong")

    with pytest.raises(SystemExit) as ended, logged_to(path, ["results/a.csv"]):
        job()
    assert ended.value.code == 1
    text = path.read_text()
    assert text.index("Making results/a.csv") < text.index("halfway")
    assert text.index("halfway") < text.index("printed") < text.index("ValueError: what went wrong")
    assert capsys.readouterr() == ("", "")


@pytest.fixture(autouse=True)
def _restore_logging():
    yield
    logging.captureWarnings(False)
    logging.basicConfig(stream=io.StringIO(), force=True)
