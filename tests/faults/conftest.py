import site

import pytest
from test_workflow import copy_of_repository, snakemake
from under_way import TABLES, results


@pytest.fixture(scope="session")
def undisturbed(made_once):
    """The folder of a run that nothing disturbed, to read. Its user's home and temporary folder lie beside it."""
    return made_once("undisturbed", run_undisturbed) / "repository"


def run_undisturbed(place):
    folders = [place / name for name in ("repository", "home", "temporary")]
    for folder in folders:
        folder.mkdir()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONUSERBASE", site.getuserbase())  # which otherwise is looked for in HOME
        environment.setenv("HOME", str(folders[1]))
        environment.setenv("TMPDIR", str(folders[2]))
        environment.delenv("XDG_CACHE_HOME", raising=False)
        snakemake(copy_of_repository(folders[0]), TABLES, "--cores", "2")


@pytest.fixture
def expected(undisturbed):
    """What every run should make."""
    return results(undisturbed)
