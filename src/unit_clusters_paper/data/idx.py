"""Data sets as four IDX files in a folder: read, verified by SHA-256 and split."""

import hashlib
import math
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64, UInt8

from unit_clusters.streams import stream
from unit_clusters_paper.runs.files import written_whole

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
"""The four files of a data set, named as MNIST's."""

IMAGES = {"training": FILES[0], "test": FILES[2]}
"""The file of the images of each part of a data set."""

CHECKSUMS = "SHA256SUMS"
"""The file beside a data set that says what its files must be."""

REMEDY = "delete them and fetch the data set again"


class DatasetError(RuntimeError):
    """A data file that is missing, damaged or not the one expected."""


class Dataset(NamedTuple):
    """Raw pixels, 0 to 255 (networks see them divided by 255), and classes, from 0."""

    train_images: UInt8[np.ndarray, "train pixels"]
    train_labels: UInt8[np.ndarray, " train"]
    test_images: UInt8[np.ndarray, "test pixels"]
    test_labels: UInt8[np.ndarray, " test"]

    @property
    def pixels(self) -> int:
        """Of an image."""
        return self.train_images.shape[1]

    @property
    def classes(self) -> int:
        """As many as the training labels ask for."""
        return int(self.train_labels.max()) + 1


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_idx(path: Path) -> UInt8[np.ndarray, "..."]:
    """Decode an uncompressed IDX file of unsigned bytes.

    Its form: bytes 0, 0, 8, the number of axes (here one to three), each axis's size in four bytes, big-endian;
    then the data, last axis fastest.

    Raises:
        DatasetError: the file is missing, gzipped, not of this form, or not as long as its sizes say.
    """
    if not path.is_file():
        raise DatasetError(f"{path} is missing: fetch the data set first")
    data = np.fromfile(path, dtype=np.uint8)
    remedy = "delete it and fetch the data set again"
    if data[:2].tobytes() == b"\x1f\x8b":
        raise DatasetError(f"{path} is gzipped: gunzip it, or {remedy}")
    axes = int(data[3]) if data[:3].tolist() == [0, 0, 8] and len(data) > 3 else 0
    header = 4 + 4 * axes
    if not 1 <= axes <= 3 or len(data) < header:
        raise DatasetError(f"{path} is not an IDX file of bytes with one to three axes: {remedy}")
    shape = data[4:header].view(">u4").tolist()
    length = header + math.prod(shape)
    if len(data) != length:
        raise DatasetError(f"{path} has {len(data):,} bytes, not {length:,} as its sizes {shape} ask: {remedy}")
    return data[header:].reshape(shape)


def write_idx(path: Path, array: UInt8[np.ndarray, "..."]) -> None:
    """Write an array of unsigned bytes with one to three axes as an IDX file, which `read_idx` reads.

    Raises:
        ValueError: the array is of another type or has another number of axes.
    """
    if array.dtype != np.uint8 or not 1 <= array.ndim <= 3:
        raise ValueError(f"an IDX file takes uint8 arrays of one to three axes, not {array.dtype} {array.shape}")
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, dtype=">u4").tobytes()
    with written_whole(path) as temporary:
        temporary.write_bytes(header + array.tobytes())


def write_checksums(folder: Path) -> None:
    """Write the SHA-256 of the folder's four IDX files to its SHA256SUMS, in the form of `sha256sum`."""
    with written_whole(folder / CHECKSUMS) as temporary:
        temporary.write_text("".join(f"{file_sha256(folder / name)}  {name}\n" for name in FILES), encoding="utf-8")


def load(folder: Path) -> Dataset:
    """The data set in the four IDX files of a folder, verified by its SHA256SUMS; images are flattened.

    Raises:
        DatasetError: a file is missing or damaged, or labels and images do not fit together.
    """
    train_images, train_labels, test_images, test_labels = _verified(folder, FILES)
    size = train_images.shape[1:]
    for part, images, labels in (("train", train_images, train_labels), ("t10k", test_images, test_labels)):
        if images.ndim != 3 or images.shape != (*labels.shape, *size) or images.size == 0:
            raise DatasetError(
                f"{folder}: {part} images of shape {images.shape} and labels of shape {labels.shape} should be "
                f"(count, rows, columns) and (count,), of one size of images and none of them empty: {REMEDY}"
            )
    if test_labels.max() > train_labels.max():
        raise DatasetError(
            f"{folder}: t10k labels should be at most {train_labels.max()}, as in training, but one is "
            f"{test_labels.max()}: {REMEDY}"
        )
    return Dataset(_flat(train_images), train_labels, _flat(test_images), test_labels)


def load_images(folder: Path, part: str) -> UInt8[np.ndarray, "images pixels"]:
    """The images of one part of a data set, "training" or "test", flattened. Only their file is verified and read.

    Raises:
        DatasetError: the file is missing or damaged.
    """
    (images,) = _verified(folder, [IMAGES[part]])
    return _flat(images)


def load_test(folder: Path) -> tuple[UInt8[np.ndarray, "images rows columns"], UInt8[np.ndarray, " images"]]:
    """The test images of a data set and their labels.

    Raises:
        DatasetError: a file is missing or damaged.
    """
    images, labels = _verified(folder, FILES[2:])
    return images, labels


def _verified(folder: Path, names: Iterable[str]) -> list[UInt8[np.ndarray, "..."]]:
    """The arrays in these files of a folder, whose SHA-256 stand in its SHA256SUMS."""
    sums = folder / CHECKSUMS
    if not sums.is_file():
        raise DatasetError(f"{sums} is missing: fetch the data set first")
    expected = dict(
        line.split("  ", 1)[::-1]
        for line in sums.read_text(encoding="utf-8", errors="replace").splitlines()
        if "  " in line
    )
    if set(expected) != set(FILES):
        raise DatasetError(
            f"{sums} does not list the four files of a data set: delete it, and the next run makes it anew"
        )
    for name in names:
        if not (folder / name).is_file() or file_sha256(folder / name) != expected[name]:
            raise DatasetError(
                f"{folder / name} is missing or damaged: delete {sums}, and the next run fetches it again"
            )
    return [read_idx(folder / name) for name in names]


def _flat(images: UInt8[np.ndarray, "images rows columns"]) -> UInt8[np.ndarray, "images pixels"]:
    return images.reshape(len(images), -1)


def split(
    count: int, validation_share: float, seed: int
) -> tuple[Int64[np.ndarray, " train"], Int64[np.ndarray, " validation"]]:
    """Split `count` training images at random, the same way for one seed whatever else is varied.

    Returns:
        Indices of the training and of the validation images, each sorted; together they are 0 to count - 1.

    Raises:
        ValueError: one of the two parts would be empty.
    """
    validation = round(validation_share * count)
    if not 0 < validation < count:
        raise ValueError(
            f"a validation share of {validation_share} of {count} images leaves one part empty: change validation_share"
        )
    shuffled = stream("split", seed).permutation(count)
    return np.sort(shuffled[validation:]), np.sort(shuffled[:validation])
