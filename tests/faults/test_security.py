"""Security: nothing of a configuration or a data file is ever run, and nothing is written but where the README says."""

import json
import re
import subprocess
import sys

import pytest
from test_workflow import ROOT

from unit_clusters_paper.data.sources import SOURCES

CODE = sorted(path for name in ("src", "workflow", "benchmarks") for path in (ROOT / name).rglob("*.py"))
RULES = [ROOT / "Snakefile", ROOT / "workflow" / "Snakefile", *sorted((ROOT / "workflow" / "rules").glob("*.smk"))]

MAY_BE_WRITTEN = ("results/tiny/", "logs/tiny/", "data/synthetic/", ".snakemake/", "home/.cache/matplotlib/fontlist")


def test_ruffs_security_rules_find_two_calls_that_are_as_they_should_be():
    """Among these rules: pickle, eval, exec, os.system, shell=True, yaml.load, torch.load, SQL, weak hashes."""
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--target-version=py311", "--select=S"]
    checked = subprocess.run([*command, "--output-format=json", *CODE], stdout=subprocess.PIPE, check=False)
    found = {(issue["filename"].rpartition("/")[2], issue["code"]) for issue in json.loads(checked.stdout)}
    assert found == {
        ("fetch.py", "S603"),  # subprocess.run, of a list of constants, without a shell
        ("leiden.py", "S311"),  # random numbers for igraph, and no secrets
    }


def test_no_array_is_unpickled():
    assert [path.name for path in CODE if re.search(r"allow_pickle\s*=\s*(?!False)", path.read_text())] == []


def unsafe(rules):
    """What a file of rules puts into a shell command without quoting, and what it may run otherwise."""
    for command in re.findall(r'\bshell(?::\s*|\()((?:\s*f?"[^"]*")+)', rules):
        yield from (value for value in re.findall(r"\{[^{}]*\}", command) if not value.endswith(":q}"))
    yield from re.findall(r"\b(?:eval|exec|system|popen)\(|shell=True|pickle|^\s+run:", rules, re.MULTILINE)


def test_rules_quote_what_they_put_into_shell_commands():
    assert [found for path in RULES for found in unsafe(path.read_text())] == []


def test_unsafe_rules_are_seen():
    """The rules as they are written, but without quoting: so the test above sees all that they put into commands."""
    rules = "\n".join(path.read_text() for path in RULES)
    quoted = re.findall(r"\{[^{}]*:q\}", rules)
    assert quoted
    assert list(unsafe(rules.replace(":q}", "}"))) == [value.replace(":q", "") for value in quoted]


def test_downloads_are_by_https_and_hash():
    """What has another SHA-256 is refused: tests/test_sources.py."""
    for source in SOURCES.values():
        assert all(mirror.startswith("https://") for mirror in source.mirrors)
        assert all(re.fullmatch("[0-9a-f]{64}", sha256) for sha256 in source.files.values())
    network = re.compile(r"urllib\.request|requests|http\.client|socket|ftplib|urlretrieve|pooch")
    assert {path.name for path in CODE if network.search(path.read_text())} == {"fetch.py"}


@pytest.mark.workflow
def test_a_run_writes_only_results_logs_images_and_caches(undisturbed):
    """The list of fonts is Matplotlib's own, of which clusim is a user."""
    for path in undisturbed.parent.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            name = str(path.relative_to(undisturbed.parent)).removeprefix("repository/")
            assert name.startswith(MAY_BE_WRITTEN) or path.read_bytes() == (ROOT / name).read_bytes()
