"""Runs without a shared file system: all files go through a storage, here a folder. `make test-slurm`."""

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
from test_workflow import copy_of_repository, snakemake, tables

pytestmark = pytest.mark.slurm

PLUGINS = Path(__file__).parent / "plugins"
CLUSTERS = "results/tiny/clusters/base/none_seeds1002-1002.csv"


def stored(place, *arguments):
    """A storage, filled by a run of the tiny preset in another folder."""
    if find_spec("snakemake_storage_plugin_fs") is None:
        pytest.skip('needs snakemake-storage-plugin-fs: pip install -c constraints.txt -e ".[slurm]"')
    if shutil.which("rsync") is None:
        pytest.skip("needs rsync, which snakemake-storage-plugin-fs copies with: apt-get install rsync")
    folder, storage = place / "repository", place / "storage"
    folder.mkdir()
    copy_of_repository(folder)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    subprocess.run(["git", "add", "."], cwd=folder, check=True)  # what git knows is sent to jobs
    options = ["--default-storage-provider", "fs", "--default-storage-prefix", str(storage)]
    snakemake(folder, *arguments, "--cores", "2", *options, "--workflow-profile", "none")
    assert not (folder / "results").exists()
    return storage


@pytest.fixture(scope="module")
def run_here(tmp_path_factory):
    """All of the preset on this machine, which shares only where Snakemake keeps its own files."""
    shared = ["persistence", "software-deployment", "sources", "source-cache"]
    return stored(tmp_path_factory.mktemp("here"), "--shared-fs-usage", *shared)


def test_a_run_whose_files_are_in_a_storage_makes_the_same(run_here, local_tables):
    assert tables(run_here) == local_tables
    assert (run_here / "results/tiny/figures/fig3.png").is_file()
    assert (run_here / "results/tiny/claims.html").is_file()


def test_jobs_in_folders_of_their_own_have_all_they_need(run_here, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(PLUGINS), os.environ.get("PYTHONPATH")])))
    storage = stored(tmp_path, CLUSTERS, "--executor", "elsewhere", "--jobs", "1", "--shared-fs-usage", "none")
    assert (storage / CLUSTERS).read_bytes() == (run_here / CLUSTERS).read_bytes()
