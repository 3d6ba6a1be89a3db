"""The sdist and the wheel: both are built, and the wheel is enough for a library call in a fresh environment."""

import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*.py")}


def run(*command, folder, check=True):
    """What a command prints, in a folder from which the repository cannot be imported."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    outcome = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert (outcome.returncode == 0) == check, outcome.stdout
    return outcome.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The sdist and the wheel, which is made from the sdist."""
    folder = tmp_path_factory.mktemp("built")
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT, folder=folder)
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


class Environment:
    """A fresh environment of the tested versions."""

    def __init__(self, folder):
        self.folder = folder
        run(sys.executable, "-m", "venv", folder / "venv", folder=folder)

    def install(self, *requirements):
        constraints = ("-c", ROOT / "constraints.txt")
        self.run("-m", "pip", "install", "--quiet", "--disable-pip-version-check", *constraints, *requirements)

    def run(self, *arguments, check=True):
        return run(self.folder / "venv" / "bin" / "python", *arguments, folder=self.folder, check=check)

    def installed(self):
        listed = self.run("-m", "pip", "list", "--format", "json", "--disable-pip-version-check")
        return {distribution["name"].lower() for distribution in json.loads(listed.splitlines()[0])}


@pytest.fixture(scope="module")
def environment(built, tmp_path_factory):
    """With torch; what the wheel adds is `added`."""
    fresh = Environment(tmp_path_factory.mktemp("fresh"))
    fresh.install("torch")
    before = fresh.installed()
    fresh.install(built[1])
    fresh.added = fresh.installed() - before - {"unit-clusters"}
    return fresh


def test_both_hold_all_modules(built):
    sdist, wheel = built
    with zipfile.ZipFile(wheel) as opened:
        assert {name for name in opened.namelist() if name.endswith(".py")} == MODULES
    with tarfile.open(sdist) as opened:
        assert {re.sub(r"^.*?/src/", "", name) for name in opened.getnames() if re.search(r"/src/.*\.py$", name)} == (
            MODULES
        )


def test_the_library_installs_little(environment):
    print(f"{len(environment.added)} beside torch's own: {', '.join(sorted(environment.added))}")
    assert "numba" in environment.added
    assert len(environment.added) <= 25
    assert not environment.added & {"snakemake", "igraph", "clusim"}


def test_the_first_example_of_the_documentation_runs(environment):
    text = (ROOT / "docs" / "your-network.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    printed = environment.run("-c", f"{code}\nprint(uc.__file__)")
    assert f"{environment.folder}/venv/" in printed.splitlines()[-1]
    assert "[8 rows x" in printed  # four measures, in two forms each
    assert (environment.folder / "layer.png").stat().st_size > 10_000


def test_the_workflow_without_its_extra_says_which_to_install(environment):
    environment.install("snakemake")
    workflow = ("-m", "snakemake", "-s", ROOT / "Snakefile", "--dry-run")
    printed = environment.run(*workflow, check=False)
    (line,) = [line for line in printed.splitlines() if '".[workflow]"' in line]
    assert "clusim" in line
    assert "Traceback" not in printed
    assert '".[workflow]"' not in environment.run(*workflow, "--sdm", "conda", check=False)
