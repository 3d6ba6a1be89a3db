"""The two packages: what each may import, in which order, and what is installed for it."""

import ast
import re
import sys
import tomllib
from functools import cache
from graphlib import TopologicalSorter
from importlib import import_module
from importlib.metadata import packages_distributions
from itertools import product
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src"

ORDER = (
    "unit_clusters.streams",
    "unit_clusters.files",
    "unit_clusters.similarity",
    "unit_clusters.clusters",
    "unit_clusters.layer",
    "unit_clusters.plots",
    "unit_clusters.analysis",
    "unit_clusters.lesioning",
    "unit_clusters_paper.runs",
    "unit_clusters_paper.data",
    "unit_clusters_paper.networks",
    "unit_clusters_paper.results",
    "unit_clusters_paper.claims",
    "unit_clusters_paper.figures",
)
"""Rooms and modules, each of which imports from those above it and from itself: the library, then the reproduction."""


def modules(package):
    """The files of a package, by the dotted names of the modules."""
    files = {path.relative_to(SOURCE).with_suffix("").parts: path for path in (SOURCE / package).rglob("*.py")}
    return {".".join(parts).removesuffix(".__init__"): path for parts, path in files.items()}


LIBRARY, REPRODUCTION = modules("unit_clusters"), modules("unit_clusters_paper")


def imports(node, top=True):
    """Pairs of a dotted name that is imported beneath a node, and whether it is when the file itself is imported.

    What is taken from a module may be a module in turn, so both names are given. What is there for the checker of types
    alone is left out.
    """
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.Import):
            yield from ((alias.name, top) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield child.module, top
            yield from ((f"{child.module}.{alias.name}", top) for alias in child.names)
        yield from imports(child, top and not isinstance(child, ast.FunctionDef))


@cache
def imported(path):
    return set(imports(ast.parse(path.read_text(encoding="utf-8"))))


def graph():
    """By module of ours, the modules of ours that it imports; but for rooms and packages, which import nothing."""
    files = {name: path for name, path in (LIBRARY | REPRODUCTION).items() if path.name != "__init__.py"}
    return {module: {name for name, _ in imported(path) if name in files} for module, path in files.items()}


def loaded(module):
    """The packages of others that are imported with a module of ours, by whatever way."""
    waiting, seen, found = [module], set(), set()
    while waiting:
        seen.add(path := (LIBRARY | REPRODUCTION)[waiting.pop()])
        for name in (name for name, top in imported(path) if top):
            if name.startswith("unit_clusters"):
                waiting += [name] if (LIBRARY | REPRODUCTION).get(name, path) not in seen else []
            else:
                found.add(name.partition(".")[0])
    return found - sys.stdlib_module_names


def importers(package, files):
    """The names of those among the files that import this package of others."""
    return {module for module, path in files.items() for name, _ in imported(path) if name.partition(".")[0] == package}


def test_the_library_imports_nothing_of_the_reproduction():
    foreign = ("unit_clusters_paper", "snakemake", "clusim")
    assert [(module, name) for name in foreign for module in importers(name, LIBRARY)] == []


def test_a_library_call_loads_what_it_uses():
    assert loaded("unit_clusters.analysis") == {"jaxtyping", "numba", "numpy", "pandas", "scipy", "torch", "tqdm"}


def test_igraph_is_imported_in_one_module_of_the_library():
    (module,) = importers("igraph", LIBRARY | REPRODUCTION)
    assert module in LIBRARY


def test_clusim_is_imported_in_one_module():
    assert len(importers("clusim", REPRODUCTION)) == 1


def test_rooms_and_packages_import_nothing():
    """`unit_clusters` imports what it offers when it is asked for."""
    rooms = [path for path in (LIBRARY | REPRODUCTION).values() if path.name == "__init__.py"]
    assert {path for path in rooms if imported(path)} == {LIBRARY["unit_clusters"]}
    assert imported(LIBRARY["unit_clusters"]) == {("importlib", True), ("importlib.import_module", True)}


def test_no_circle_of_imports():
    TopologicalSorter(graph()).prepare()


def test_no_module_reaches_back():
    def place(module):
        (found,) = (number for number, room in enumerate(ORDER) if f"{module}.".startswith(f"{room}."))
        return found

    pairs = [pair for module, names in graph().items() for pair in product([module], names)]
    assert len(pairs) > 100
    assert [f"{module} imports {name}" for module, name in pairs if place(name) > place(module)] == []


# What is installed

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
DISTRIBUTIONS = packages_distributions()


def distributions(requirements):
    """What requirements ask for, and what the extras that they name ask for."""
    for requirement in map(Requirement, requirements):
        if requirement.name != PROJECT["name"]:
            yield canonicalize_name(requirement.name)
        for extra in requirement.extras if requirement.name == PROJECT["name"] else ():
            yield from distributions(EXTRAS[extra])


def needed(names):
    """The distributions of others from which these dotted names are imported."""
    tops = (
        {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"unit_clusters", "unit_clusters_paper"}
    )
    return {canonicalize_name(DISTRIBUTIONS[top][0]) for top in tops}


def names_in(files):
    return {name for file in files for name, _ in imported(file)}


def test_the_library_asks_for_what_it_imports():
    asked = distributions([*PROJECT["dependencies"], *EXTRAS["leiden"]])
    assert set(asked) == needed(names_in(LIBRARY.values()))


def test_the_workflow_asks_for_what_it_imports():
    rules = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "workflow" / "rules").glob("*.smk"))
    names = names_in([*REPRODUCTION.values(), *(ROOT / "workflow" / "scripts").glob("*.py")])
    found = needed(names | set(re.findall(r"^(?:import|from) ([\w.]+)", rules, re.MULTILINE)))
    library, asked = set(distributions(PROJECT["dependencies"])), set(distributions(EXTRAS["workflow"]))
    bars, leiden = {"snakemake-logger-plugin-rich"}, set(distributions(EXTRAS["leiden"]))
    assert asked - bars - leiden == found - library - leiden
    assert leiden < asked
    checked = re.search(r"for name in \(([^)]+)\)", (ROOT / "workflow" / "rules" / "config.smk").read_text("utf-8"))[1]
    brought = {"jsonschema", "pyyaml", "snakemake"}
    assert {canonicalize_name(name) for name in re.findall(r"\w+", checked)} == asked - bars - brought


@pytest.mark.parametrize("extra", ["slurm", "dev"])
def test_whoever_runs_jobs_or_tests_has_the_workflow(extra):
    assert set(distributions(EXTRAS["workflow"])) < set(distributions(EXTRAS[extra]))


def test_the_changelog_names_import_paths_that_exist():
    """Of each row of its table, the new ones: modules, and what is taken from them."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `unit_clusters\.[^|]*: ([^|]*) \| ([^|]*) \|$", text, re.MULTILINE)
    rows += re.findall(r"^\| `unit_clusters\.[^|:]*()\| ([^|]*) \|$", text, re.MULTILINE)
    assert len(rows) > 20
    for old, new in rows:
        names = re.findall(r"`(\w+)`", new) or re.findall(r"`(\w+)`", old)
        (module, *others) = re.findall(r"`([\w]+\.[\w.]+)`", new)
        assert {module, *others} <= LIBRARY.keys() | REPRODUCTION.keys(), new
        for name in names:
            assert hasattr(import_module(module), name), f"{module} has no {name}"


@pytest.mark.parametrize("name", [path.stem for path in (ROOT / "benchmarks").glob("[!_]*.py")])
def test_a_benchmark_finds_what_it_imports(name):
    import_module(f"benchmarks.{name}")
