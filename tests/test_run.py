"""A run as such: what it prints, where it may take place, with which Python, and what its jobs may write."""

import json
import os
import pty
import re
import shutil
import subprocess
import sys
import tomllib

import pytest
from test_workflow import ROOT, TINY, copy_of_repository, edit, overlay, snakemake

from unit_clusters_paper.data.synthetic import write_synthetic

pytestmark = pytest.mark.workflow

IMAGES = "data/mnist/SHA256SUMS"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    return copy_of_repository(folder)


def on_a_terminal(folder, *command):
    """What a command prints on a terminal, without colours and movements, and how it ends."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        printed = b""
        try:
            while block := os.read(ours, 65536):
                printed += block
        except OSError:  # Linux's end of a terminal
            pass
    os.close(ours)
    return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", printed.decode()), process.returncode


# What it prints


def test_into_a_pipe_it_prints_a_plain_line_for_each_job_and_at_last_where_things_are(folder):
    (folder / "results/tiny").mkdir(parents=True)
    (folder / "results/tiny/claims.html").touch()
    printed = snakemake(folder, "fig2", "tableS1", "--cores", "1")
    assert "\x1b" not in printed
    assert sorted(re.findall(r"^Job \d+: (.*)$", printed, re.MULTILINE)) == ["Figure 2", "Table S1"]
    of_jobs = printed.partition("total          2\n")[2].partition("Scorecard")[0]
    assert len(of_jobs.split("\n")) <= 12
    assert re.findall(r"^(?:Scorecard|Figures|Report).*$", printed, re.MULTILINE) == [
        "Scorecard: results/tiny/claims.html",
        "Figures: results/tiny/figures",
        "Report of all on one page: snakemake all provenance --report-after-run --report results/tiny/report.html "
        f"--configfile {TINY}",
    ]


def failing(folder):
    """A configuration whose images are refused: they are not those of MNIST."""
    write_synthetic(folder / "mine", train=10, test=10, seed=0)
    return overlay(folder, dataset={"name": "mnist", "folder": "mine"})


SAID = ("rule images", "logs/tiny/images/mnist.log", "Replace this file", "the same command goes on")
"""Of a job that fails: what it was, where its log is, what to do; and of the run."""


def test_a_failed_job_shows_its_rule_its_log_and_what_to_do_into_a_pipe(folder):
    printed = snakemake(folder, IMAGES, "--cores", "1", check=False, **failing(folder))
    assert [text for text in SAID if text not in printed] == []


def test_on_a_terminal_there_are_bars_and_a_failed_job_shows_its_log(folder):
    run = [sys.executable, "-m", "snakemake", "--cores", "1", "--logger", "rich", "--configfile", TINY]
    printed, code = on_a_terminal(folder, *run, "--", "tableS1")
    assert code == 0
    assert re.search(r"Total Progress .* 100%", printed)
    printed, code = on_a_terminal(folder, *run, *failing(folder)["configs"][1:], "--", IMAGES)
    assert code == 1
    assert re.search("Failed .*images", printed)
    assert [text for text in SAID[1:] if text not in printed] == []


def test_make_shows_bars_on_a_terminal_only(folder):
    make = ["make", "-n", "-f", str(ROOT / "Makefile"), "-o", ".venv/installed", "quick"]
    assert "--logger rich" in on_a_terminal(folder, *make)[0]
    assert "--logger" not in subprocess.run(make, cwd=folder, capture_output=True, text=True, check=True).stdout


def test_the_report_opens_on_the_scorecard_and_figures_3_and_5(folder):
    shutil.copytree(ROOT / "results/published", folder / "results/published")
    report = folder / "results/redrawn/report.html"
    published = {"configs": ["workflow/presets/published.yaml"]}
    targets = ("claims", "fig3", "fig5")
    snakemake(folder, *targets, "--cores", "2", "--report-after-run", "--report", report, **published)
    text = report.read_text()
    front = json.loads(re.search(r"var workflow_desc = (.*);\n", text)[1])
    assert [part for part in re.findall(r"<svg|verdict</th>|Figure [35]:", front)][-4:] == [
        *("Figure 3:", "<svg"),
        *("Figure 5:", "<svg"),
    ]
    assert front.index("verdict</th>") < front.index("Figure 3:")
    assert "<h1" in front
    assert report.stat().st_size < 15e6


# Where, and with what


@pytest.mark.parametrize("directory", [[], ["--directory", "there"]])
def test_in_another_folder_it_has_the_configuration_of_the_clone(folder, tmp_path, directory):
    elsewhere = tmp_path / "else where"
    (elsewhere / "there").mkdir(parents=True)
    (elsewhere / "config.yaml").write_text("{not: ours}")
    clone = ["-s", folder / "workflow/Snakefile", *directory, "--cores", "1"]
    snakemake(elsewhere, "tableS1", *clone, configs=())
    assert (elsewhere / "/".join(directory[1:]) / "results/paper/tables/tableS1.csv").is_file()
    assert "Nothing to be done" in snakemake(elsewhere, "tableS1", *clone, configs=())
    assert "Job stats" in snakemake(elsewhere, "--dry-run", *clone, configs=())


@pytest.mark.parametrize(("minor", "taken"), [(10, False), (11, True), (14, True), (15, True)])
def test_make_refuses_a_python_that_is_too_old_and_names_the_remedy(folder, minor, taken):
    python = folder / "python"
    version = f"sys.version_info = (3, {minor}, 0, 'final', 0); sys.version = '3.{minor}.0'"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -c "import sys; {version}; exec(sys.argv[2])" "$@"\n')
    python.chmod(0o755)
    (folder / "pyproject.toml").touch()
    (folder / "constraints.txt").touch()
    make = ["make", "-f", str(ROOT / "Makefile"), f"PYTHON={python}", ".venv/installed"]
    printed = subprocess.run(make, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    refused = f"needs Python 3.11 or later, and {python} is 3.{minor}.0. Name one: make PYTHON="
    assert (refused in printed) == (not taken)


@pytest.mark.parametrize(("minor", "warnings"), [(14, 0), (15, 1)])
def test_the_workflow_warns_of_a_python_that_is_newer_than_it(folder, minor, warnings):
    edit(folder / "workflow/rules/run.smk", "sys.version_info[:2]", f"(3, {minor})")
    printed = snakemake(folder, "--list-rules")
    assert printed.count("is newer than those that this workflow is made for, 3.11 to 3.14.") == warnings


def test_the_package_takes_the_same_pythons():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11"


def test_files_are_read_in_their_own_encoding_whatever_the_locale(folder, tmp_path, monkeypatch):
    locale = ["localedef", "-i", "ja_JP", "-f", "EUC-JP", str(tmp_path / "ja_JP.eucJP")]
    if not shutil.which("localedef") or subprocess.run(locale, capture_output=True).returncode:
        pytest.skip("localedef makes no ja_JP.eucJP here")
    monkeypatch.setenv("LOCPATH", str(tmp_path))
    monkeypatch.setenv("LC_ALL", "ja_JP.eucJP")
    monkeypatch.delenv("PYTHONUTF8", raising=False)
    encoding = [sys.executable, "-c", "import locale; print(locale.getpreferredencoding())"]
    assert subprocess.check_output(encoding, text=True) == "EUC-JP\n"
    for file in ("config.yaml", "workflow/schemas/config.schema.yaml", "src/unit_clusters/streams.py", TINY):
        with (folder / file).open("a", encoding="utf-8") as opened:
            opened.write("# Müller’s, which is no EUC-JP\n")
    assert "This was a dry-run" in snakemake(folder, "--dry-run")


# What its jobs may write

TELL = """
import os
from pathlib import Path
mark = Path(os.environ["UNIT_CLUSTERS_MARK"])
Path("told").write_text(f"{mark}\\n{mark.read_text()}")
"""


def begin_table_with(folder, statements):
    script = folder / "workflow/scripts/tableS1.py"
    script.write_text(f"{statements}\n{script.read_text()}")


def test_a_run_tells_its_jobs_its_mark_and_takes_it_away(folder):
    begin_table_with(folder, TELL)
    snakemake(folder, "tableS1", "--dry-run")
    snakemake(folder, "--summary")
    assert not (folder / ".snakemake/unit-clusters").exists()
    snakemake(folder, "tableS1", "--cores", "1")
    mark, *outputs = (folder / "told").read_text().splitlines()
    assert mark.startswith(f"{folder}/.snakemake/unit-clusters/")
    assert sorted(outputs) == [f"results/tiny/tables/tableS1.{suffix}" for suffix in ("csv", "tex")]
    assert list((folder / ".snakemake/unit-clusters").iterdir()) == []


@pytest.mark.parametrize("place", ["workflow.persistence.path", "workflow.scheduler.job_rate_limiter"])
def test_a_snakemake_that_lacks_what_we_reach_into_runs_with_a_warning(folder, place):
    edit(folder / "src/unit_clusters_paper/runs/insides.py", place, f"{place}_of_old")
    printed = snakemake(folder, "tableS1", "--cores", "1")
    assert printed.count("This Snakemake is built in another way") == 1
    assert (folder / TABLE).is_file()


TABLE = "results/tiny/tables/tableS1.csv"


def test_the_snakemake_of_a_job_whose_run_is_over_touches_nothing(folder, monkeypatch):
    """On a cluster it may start long after its run was killed, and would first of all delete what the job makes."""
    (folder / TABLE).parent.mkdir(parents=True)
    (folder / TABLE).write_text("of a later run")
    monkeypatch.setenv("UNIT_CLUSTERS_MARK", str(folder / "gone"))
    job = ("tableS1", "--force", "--mode", "remote", "--nolock", "--no-hooks", "--cores", "1")
    assert "the run of this job is over" in snakemake(folder, *job, check=False)
    assert (folder / TABLE).read_text() == "of a later run"
    snakemake(folder, "tableS1", "--force", "--cores", "1")  # a run of its own, which has another mark


@pytest.mark.parametrize(("mode", "kept"), [("remote", True), ("default", False)])
def test_the_snakemake_of_a_job_leaves_the_removal_of_failed_output_to_that_of_the_run(folder, mode, kept):
    """Its own job may have failed since the run is over, and the output be that of a later run."""
    begin_table_with(folder, f"open({TABLE!r}, 'w').close(); raise ValueError")
    snakemake(folder, "tableS1", "--mode", mode, "--cores", "1", check=False)
    assert (folder / TABLE).exists() == kept
