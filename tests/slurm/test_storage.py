"""Runs without a shared file system: all files go through a storage, here a folder. `make test-slurm`."""

import os
import re
import shutil
import subprocess
import textwrap
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from test_profiles import OF_A_SCHEDULER
from test_workflow import ROOT, copy_of_repository, snakemake, tables

pytestmark = pytest.mark.slurm

PLUGINS = Path(__file__).parent / "plugins"
GENERIC, DOCUMENTED = (
    yaml.safe_load(textwrap.dedent(text))
    for text in (
        (ROOT / "profiles/cluster-generic/config.yaml").read_text(),
        re.search(r"```yaml\n( +executor: kubernetes\n.*?)```", (ROOT / "docs/cluster.md").read_text(), re.DOTALL)[1],
    )
)
PROFILE = {key: value for key, value in GENERIC.items() if not OF_A_SCHEDULER.match(key)} | DOCUMENTED
PROFILE |= {"executor": "elsewhere"}
"""As docs/cluster.md has it for Kubernetes, but for the executor; and for the storage, which `made` names."""

AGREEMENT = "results/tiny/agreement/base/l1_0.0001_seeds0-1.csv"


def made(place, *arguments):
    """A storage, and what a run of the tiny preset in another folder puts into it."""
    if find_spec("snakemake_storage_plugin_fs") is None:
        pytest.skip('needs snakemake-storage-plugin-fs: pip install -c constraints.txt -e ".[slurm]"')
    if shutil.which("rsync") is None:
        pytest.skip("needs rsync, which snakemake-storage-plugin-fs copies with: apt-get install rsync")
    folder, storage = place / "repository", place / "storage"
    folder.mkdir()
    profile = copy_of_repository(folder) / "profiles/elsewhere"
    profile.mkdir()
    (profile / "config.yaml").write_text(yaml.safe_dump(PROFILE))
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    subprocess.run(["git", "add", "."], cwd=folder, check=True)
    snakemake(folder, *arguments, "--default-storage-provider", "fs", "--default-storage-prefix", str(storage))
    assert not (folder / "results").exists()
    return storage


@pytest.fixture(scope="module")
def made_here(tmp_path_factory):
    """All of the preset, on this machine, which shares only what is Snakemake's own."""
    shared = ["persistence", "software-deployment", "sources", "source-cache"]
    options = ["--cores", "2", "--shared-fs-usage", *shared, "--workflow-profile", "none"]
    return made(tmp_path_factory.mktemp("here"), *options)


def test_a_run_whose_files_are_in_a_storage_makes_the_same(made_here, local_tables):
    assert tables(made_here) == local_tables
    assert (made_here / "results/tiny/figures/fig3.png").is_file()
    assert (made_here / "results/tiny/claims.html").is_file()


def test_jobs_in_empty_folders_are_brought_all_that_they_need(made_here, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(PLUGINS), os.environ.get("PYTHONPATH")])))
    storage = made(tmp_path, AGREEMENT, "--workflow-profile", "profiles/elsewhere")
    assert (storage / AGREEMENT).read_bytes() == (made_here / AGREEMENT).read_bytes()
