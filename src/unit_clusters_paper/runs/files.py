"""Files that appear whole or not at all, and never by a job whose run is over."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from unit_clusters import files

MARK = "UNIT_CLUSTERS_MARK"
"""The environment variable that tells a job where its run has left its mark."""


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """As the library's, but a job whose run is over writes nothing: a later run may have made the same file.

    Raises:
        RuntimeError: the run that this job belongs to is over.
    """
    with files.written_whole(path) as temporary:
        yield temporary
        if run_is_over():
            raise RuntimeError(f"{path} is not written: the run that this job belongs to is over. Run again.")


def leave_mark(folder: str | Path, outputs: Iterable[str]) -> Path:
    """Leave the mark of a run that begins, and take away the marks of runs that were to make one of the same files.

    Runs that make different files may be at work side by side. Two that make the same file are kept apart by
    Snakemake's lock, so the earlier of them was killed, and what it has left behind must no longer write.

    Args:
        folder: where the marks of all runs are, seen by every node.
        outputs: the files that this run will make.

    Returns:
        The mark, a file. The run is over when the mark is gone.
    """
    folder, outputs = Path(folder), set(outputs)
    folder.mkdir(parents=True, exist_ok=True)
    for mark in folder.iterdir():
        with suppress(FileNotFoundError):  # that run has just ended
            if not outputs.isdisjoint(mark.read_text(encoding="utf-8").splitlines()):
                mark.unlink()
    mark = folder.absolute() / uuid4().hex
    mark.write_text("\n".join(outputs), encoding="utf-8")
    return mark


def run_is_over() -> bool:
    """Whether the run that this process belongs to, if any, has taken its mark away or lost it to a later run."""
    if MARK not in os.environ:
        return False
    try:
        # not exists(): only opening a file asks the server of a network file system
        open(os.environ[MARK], "rb").close()
    except FileNotFoundError:
        return True
    return False
