"""The environments for conda, Docker and Apptainer, and what the workflow catalog makes of the repository."""

import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from modulefinder import ModuleFinder
from pathlib import Path

import pytest
import yaml
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
SCRIPTS = ROOT / "workflow" / "scripts"
PYTHON = "3.11"

CONDA = {"igraph": "python-igraph", "matplotlib": "matplotlib-base", "torch": "pytorch"}
"""What packages are called on conda-forge, where that is not their name in constraints.txt."""


def packages(environment):
    """Pairs of name and version of the packages that an environment lists, of those too that pip adds to it."""
    listed = yaml.safe_load((ROOT / "envs" / f"{environment}.yaml").read_text())["dependencies"]
    by_pip = [specification for part in listed if isinstance(part, dict) for specification in part["pip"]]
    by_conda = [part for part in listed if isinstance(part, str) and part != "pip"]
    return {re.fullmatch(r"(\S+) ==?(\S+)", specification).groups() for specification in by_conda + by_pip}


def scripts_by_environment():
    """The scripts that rules run in each environment, and what these load by name."""
    found = {"compute": set(), "plot": set((ROOT / "src" / "unit_clusters_paper" / "figures").glob("*.py"))}
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        for rule in re.split(r"^ *rule\b", path.read_text(), flags=re.MULTILINE):
            if script := re.search(r'"\.\./scripts/(\w+\.py)"', rule):
                found[re.search(r'"\.\./\.\./envs/(\w+)\.yaml"', rule)[1]].add(SCRIPTS / script[1])
    return found


def imported(files):
    """The packages that files import, at the top or in a function, themselves or through modules of ours."""
    finder = ModuleFinder(path=[str(ROOT / "src")])  # it finds our modules, and calls all others bad
    for file in files:
        finder.run_script(str(file))
    modules = (
        {name.partition(".")[0] for name in finder.badmodules}
        - sys.stdlib_module_names
        - {"unit_clusters", "unit_clusters_paper"}
    )
    names = packages_distributions()
    return {canonicalize_name(names[module][0]) for module in modules}


@pytest.mark.parametrize("environment", ["compute", "plot"])
def test_an_environment_has_the_tested_versions(environment):
    pins = re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    tested = {canonicalize_name(name): version for name, version in pins}
    tested |= {conda: tested[name] for name, conda in CONDA.items()} | {"python": PYTHON}
    listed = packages(environment)
    assert listed == {(name, tested.get(name)) for name, _ in listed}


@pytest.mark.parametrize("environment", ["compute", "plot"])
def test_an_environment_has_what_its_scripts_import_and_no_more(environment):
    needed = {CONDA.get(name, name) for name in imported(scripts_by_environment()[environment])}
    assert {name for name, _ in packages(environment)} == needed | {"python"}


def test_each_script_has_an_environment():
    assert set(SCRIPTS.glob("*.py")) <= set.union(*scripts_by_environment().values())


def test_docker_and_apptainer_build_the_same():
    files = ("Dockerfile", "Apptainer.def", ".dockerignore")
    docker, apptainer, ignored = ((ROOT / name).read_text() for name in files)
    assert re.findall(r"^FROM (.+)", docker, re.MULTILINE) == [f"python:{PYTHON}-slim"]
    assert re.findall(r"^From: (.+)", apptainer, re.MULTILINE) == [f"python:{PYTHON}-slim"]
    install = re.findall(r"^RUN (.+)", docker, re.MULTILINE)
    assert install == re.findall(r"^ +(.*\bpip install .+)", apptainer, re.MULTILINE)
    assert '-c constraints.txt ".[workflow]"' in install[0]
    copied = re.search(r"^COPY (.+) \./$", docker, re.MULTILINE)[1].split()
    assert copied == re.findall(r"^ +(\S+) /opt/unit-clusters/\1$", apptainer, re.MULTILINE)
    assert set(copied) == set(re.findall(r"^!(.+)", ignored, re.MULTILINE))


def test_the_version_is_the_same_everywhere():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == version
    assert re.findall(r"^## ([\d.]+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[0] == version


def test_the_catalog_would_list_the_workflow_as_a_generic_one():
    """As its page on adding workflows has it. A file of settings would say that the workflow can be had by snakedeploy,
    which brings the rules without the package.
    """
    assert (ROOT / "workflow" / "Snakefile").is_file()
    assert {"snakemake", "workflow"} <= set(re.findall(r"\w+", (ROOT / "README.md").read_text().lower()))
    assert not (ROOT / ".snakemake-workflow-catalog.yml").exists()
