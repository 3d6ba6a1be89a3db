"""Files that appear whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

RUN = "UNIT_CLUSTERS_RUN"
"""The environment variable that tells a job the process id of the run that it belongs to."""


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; on success it is renamed to `path`, on failure removed.

    So neither a full disk nor a killed job leaves half a file under the real name. A job that goes on after its run was
    killed writes nothing: a later run may be making the same file with other settings.

    Raises:
        RuntimeError: the run that this job belongs to was killed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield temporary
        if _is_orphan():
            raise RuntimeError(f"{path} is not written: the run that this job belongs to was killed. Run again.")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _is_orphan() -> bool:
    """Whether the run that this process belongs to, if any, has ended before it."""
    return RUN in os.environ and not psutil.pid_exists(int(os.environ[RUN]))
