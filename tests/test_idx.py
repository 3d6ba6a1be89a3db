"""Reading, verifying, splitting and imitating data sets."""

import gzip
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from unit_clusters_paper.data.idx import (
    FILES,
    DatasetError,
    load,
    load_images,
    read_idx,
    split,
    write_checksums,
    write_idx,
)
from unit_clusters_paper.data.synthetic import write_synthetic

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = FILES


@pytest.fixture
def original(tmp_path):
    """A folder with a small data set that plays MNIST."""
    write_synthetic(tmp_path / "original", train=30, test=20, seed=0)
    return tmp_path / "original"


# IDX files


def test_read_idx_follows_the_definition_of_the_format(tmp_path):
    path = tmp_path / "hand-made"
    path.write_bytes(b"\0\0\x08\x02" + b"\0\0\0\x02" + b"\0\0\0\x03" + bytes([1, 2, 3, 253, 254, 255]))
    array = read_idx(path)
    assert array.dtype == np.uint8
    assert array.tolist() == [[1, 2, 3], [253, 254, 255]]
    assert array.flags.writeable, "torch warns of arrays that are not"


@pytest.mark.parametrize("shape", [(0,), (300,), (2, 0), (1, 70000), (3, 4, 5)])
def test_write_idx_is_the_inverse_of_read_idx(tmp_path, shape):
    array = np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)
    write_idx(tmp_path / "idx", array)
    np.testing.assert_array_equal(read_idx(tmp_path / "idx"), array, strict=True)


@pytest.mark.parametrize("array", [np.zeros(3), np.uint8(3), np.zeros((1, 1, 1, 1), dtype=np.uint8)])
@pytest.mark.usefixtures("unchecked")
def test_write_idx_refuses_other_arrays(tmp_path, array):
    with pytest.raises(ValueError, match="takes uint8 arrays of one to three axes"):
        write_idx(tmp_path / "idx", array)
    assert list(tmp_path.iterdir()) == []


IDX = b"\0\0\x08\x01\0\0\0\x04abcd"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (IDX[:-1], r"has 11 bytes, not 12 as its sizes \[4\] ask"),
        (IDX + b"e", r"has 13 bytes, not 12 as its sizes \[4\] ask"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "has 16 bytes, not 79,228,162,458,924,105,385,300,197,391 as"),
        (gzip.compress(IDX, mtime=0), "is gzipped: gunzip it"),
        (b"", "is not an IDX file"),
        (b"\0\0\x08", "is not an IDX file"),
        (IDX[:6], "is not an IDX file"),
        (b"<html>Forbidden</html>", "is not an IDX file"),
        (b"\0\0\x0d\x01\0\0\0\x01abcd", "is not an IDX file of bytes"),  # 32-bit floats
        (b"\0\0\x08\x00a", "is not an IDX file"),
        (b"\0\0\x08\xff" + bytes(4 * 255), "is not an IDX file"),
    ],
)
def test_read_idx_refuses_anything_else(tmp_path, content, message):
    path = tmp_path / "some-file"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=f"some-file {message}"):
        read_idx(path)


@pytest.mark.parametrize(("rows", "columns", "classes"), [(28, 28, 10), (32, 20, 27), (1, 7, 1)])
def test_load_returns_the_four_arrays_flattened(tmp_path, rows, columns, classes):
    random = np.random.default_rng(0)
    arrays = [
        random.integers(256, size=(30, rows, columns), dtype=np.uint8),
        random.permutation(np.arange(30, dtype=np.uint8) % classes),
        random.integers(256, size=(3, rows, columns), dtype=np.uint8),
        random.integers(classes, size=3, dtype=np.uint8),
    ]
    for name, array in zip(FILES, arrays, strict=True):
        write_idx(tmp_path / name, array)
    write_checksums(tmp_path)
    data = load(tmp_path)
    np.testing.assert_array_equal(data.train_images, arrays[0].reshape(30, rows * columns), strict=True)
    np.testing.assert_array_equal(data.train_labels, arrays[1], strict=True)
    np.testing.assert_array_equal(data.test_images, arrays[2].reshape(3, rows * columns), strict=True)
    np.testing.assert_array_equal(data.test_labels, arrays[3], strict=True)
    assert (data.pixels, data.classes) == (rows * columns, classes)
    np.testing.assert_array_equal(load_images(tmp_path, "training"), data.train_images, strict=True)
    np.testing.assert_array_equal(load_images(tmp_path, "test"), data.test_images, strict=True)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        (TRAIN_LABELS, np.zeros(29, dtype=np.uint8), r"train images of shape \(30, 28, 28\) and labels of shape"),
        (TRAIN_IMAGES, np.zeros((30, 784), dtype=np.uint8), r"train images of shape \(30, 784\)"),
        (TEST_IMAGES, np.zeros((20, 8, 8), dtype=np.uint8), r"t10k images of shape \(20, 8, 8\)"),
        (TEST_IMAGES, np.zeros((20, 14, 56), dtype=np.uint8), r"t10k images of shape \(20, 14, 56\)"),
        (TEST_IMAGES, np.zeros((20, 784), dtype=np.uint8), r"t10k images of shape \(20, 784\)"),
        (TEST_LABELS, np.zeros((20, 1), dtype=np.uint8), r"labels of shape \(20, 1\)"),
        (
            TEST_LABELS,
            np.full(20, 10, dtype=np.uint8),
            "t10k labels should be at most 9, as in training, but one is 10",
        ),
    ],
)
def test_load_refuses_files_that_do_not_fit_together(original, name, array, message):
    write_idx(original / name, array)
    write_checksums(original)
    with pytest.raises(DatasetError, match=message):
        load(original)


@pytest.mark.parametrize("part", ["train", "t10k"])
def test_load_refuses_a_part_without_images(original, part):
    write_idx(original / f"{part}-images-idx3-ubyte", np.zeros((0, 28, 28), dtype=np.uint8))
    write_idx(original / f"{part}-labels-idx1-ubyte", np.zeros(0, dtype=np.uint8))
    write_checksums(original)
    with pytest.raises(DatasetError, match="none of them empty"):
        load(original)


def test_a_missing_and_a_damaged_file_are_named_by_all_that_read_them(original):
    write_checksums(original)
    images = load(original).test_images
    (original / TRAIN_IMAGES).unlink()
    np.testing.assert_array_equal(load_images(original, "test"), images, strict=True)
    with (original / TEST_IMAGES).open("r+b") as file:
        file.seek(100)
        file.write(b"damage")
    for name, read in (
        (TRAIN_IMAGES, load),
        (TRAIN_IMAGES, lambda folder: load_images(folder, "training")),
        (TEST_IMAGES, lambda folder: load_images(folder, "test")),
    ):
        with pytest.raises(DatasetError, match=f"{name} is missing or damaged: delete .*SHA256SUMS"):
            read(original)


def test_checksums_are_those_of_sha256sum(original):
    write_checksums(original)
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=original, check=True)


# The split


def test_the_split_of_mnist_has_54000_and_6000_images():
    train, validation = split(60_000, 0.1, seed=0)
    assert (len(train), len(validation)) == (54_000, 6_000)
    assert sorted([*train, *validation]) == list(range(60_000))
    assert (np.diff(train) > 0).all()
    assert (np.diff(validation) > 0).all()


def test_the_split_is_random_and_keyed_by_the_seed():
    first, again, other = (split(60_000, 0.1, seed)[1] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    # Two independent tenths share a hundredth: 600, give or take 22 (hypergeometric standard deviation).
    assert abs(len(np.intersect1d(first, other)) - 600) < 5 * 22
    # A random tenth is spread evenly: the mean index is within 5 standard errors of the middle.
    assert abs(first.mean() - 30_000) < 5 * 60_000 / np.sqrt(12 * 6_000)


@pytest.mark.parametrize(
    ("count", "share"), [(60_000, 6_000), (60_000, 0.0), (60_000, 1.0), (4, 0.1), (1, 0.5), (0, 0.1)]
)
def test_a_split_with_an_empty_part_is_an_error(count, share):
    with pytest.raises(ValueError, match="leaves one part empty"):
        split(count, share, seed=0)


# The synthetic stand-in


def read_all(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES}


def test_synthetic_files_depend_on_the_seed_and_nothing_else(tmp_path):
    for folder, train, seed in (("first", 30, 1), ("again", 30, 1), ("longer", 40, 1), ("other", 30, 2)):
        write_synthetic(tmp_path / folder, train=train, test=30, seed=seed)
    first, again, longer, other = (read_all(tmp_path / name) for name in ("first", "again", "longer", "other"))
    assert sorted(os.listdir(tmp_path / "first")) == sorted(FILES)
    assert first == again
    assert first[TEST_IMAGES] == longer[TEST_IMAGES], "more training images leave the test images alone"
    assert all(first[name] != other[name] for name in FILES)
    assert first[TRAIN_IMAGES] != first[TEST_IMAGES]


def accuracy_of_nearest_mean(train_images, train_labels, test_images, test_labels):
    means = np.stack([train_images[train_labels == label].mean(axis=0) for label in range(10)])
    scores = test_images @ means.T - (means**2).sum(axis=1) / 2
    return (scores.argmax(axis=1) == test_labels).mean()


def test_synthetic_classes_can_be_learned_from_the_training_images(tmp_path):
    for seed in (0, 1):
        write_synthetic(tmp_path / str(seed), train=500, test=200, seed=seed)
        write_checksums(tmp_path / str(seed))
    data, other = load(tmp_path / "0"), load(tmp_path / "1")
    assert data.train_images.shape == (500, 784)
    assert np.bincount(data.train_labels).tolist() == [50] * 10
    assert np.bincount(data.test_labels).tolist() == [20] * 10
    assert accuracy_of_nearest_mean(*data) > 0.9
    assert accuracy_of_nearest_mean(*data[:2], *other[2:]) < 0.5, "another seed has other prototypes"
    assert len(np.unique(data.train_images.argmax(axis=1))) > 100, "images of one class differ"
