"""What all tests share: one thread for numerical libraries, as in every job; and signatures are checked at run time."""

import os
from pathlib import Path

import jaxtyping
import pytest
from filelock import FileLock

os.environ["OMP_NUM_THREADS"] = "1"  # read when they are imported, which is after this

SOURCE = Path(__file__).parents[1] / "src"

UNCHECKED = ("unit_clusters/clusters/search.py",)
"""Numba cannot compile functions that are wrapped."""

CHECKER = "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"
"""An int will do for a float, as PEP 484 has it."""


def checked_modules() -> list[str]:
    """The modules of both packages, one by one, since the hook takes a package with all that is in it."""
    files = (path.relative_to(SOURCE) for path in sorted(SOURCE.glob("*/**/*.py")) if path.name != "__init__.py")
    return [".".join(file.with_suffix("").parts) for file in files if not file.as_posix().startswith(UNCHECKED)]


jaxtyping.install_import_hook(checked_modules(), CHECKER)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """A function that gives a folder of this name, filled by the first of pytest-xdist's workers that asks for it.

    The others wait, and then only read it.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def made(name, fill):
        folder, done = shared / name, shared / f"{name} is made"
        with FileLock(shared / f"{name}.lock"):
            if not done.exists():
                folder.mkdir()
                fill(folder)
                done.touch()
        return folder

    return made


@pytest.fixture
def unchecked():
    """For a test that hands in what a signature does not allow, to see the package's own error."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
