"""The profiles for clusters, on a real Slurm of one node: `make test-slurm`.

Each test works in a copy of the repository, its profile edited as docs/cluster.md tells users to, and leaves it to what
docs/cluster.md says to do when something goes wrong.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_workflow import COHORTS, TINY, UNTRAINED, copy_of_repository, edit, snakemake, tables

pytestmark = pytest.mark.slurm

SLURM = Path(__file__).parent / "slurm.sh"
NETWORKS = "results/tiny/models/base/l2_0.001_seeds0-1.safetensors"


@pytest.fixture(scope="module", autouse=True)
def node(request):
    """Slurm on this machine; ended, with all its jobs, when the tests have ended."""
    if request.config.option.markexpr != "slurm":
        pytest.skip("installs and starts Slurm on this machine: make test-slurm")
    start = subprocess.run([SLURM, "start"], stdout=subprocess.PIPE, text=True, timeout=300)
    if start.returncode == 77:
        pytest.skip(start.stdout.strip())
    start.check_returncode()
    yield
    subprocess.run([SLURM, "stop"], check=True, timeout=120)


@pytest.fixture
def folder(tmp_path):
    """A copy of the repository, its profile set for a Slurm that keeps no accounts and for jobs of seconds."""
    folder = copy_of_repository(tmp_path)
    edit(folder / "profiles/slurm/config.yaml", "slurm-status-command: sacct", "slurm-status-command: squeue")
    edit(folder / "profiles/slurm/config.yaml", "before-status-checks: 20", "before-status-checks: 2")
    return folder


class Run:
    """Snakemake on the tiny preset with a profile. It is killed, and the test fails, if it does not end in time."""

    def __init__(self, folder, *arguments, profile="slurm", seconds=600):
        command = [sys.executable, "-m", "snakemake", "--workflow-profile", f"profiles/{profile}", *arguments]
        self.log = folder / "run.log"
        self.deadline = time.monotonic() + seconds
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*command, "--configfile", TINY], cwd=folder, stdout=log, stderr=subprocess.STDOUT
            )

    @property
    def printed(self):
        return self.log.read_text()

    @property
    def logged(self):
        """What it says of each job, which is more than it prints."""
        logs = self.log.parent.glob(".snakemake/log/*.log")
        return "".join(log.read_text() for log in sorted(logs)[-1:])

    def until(self, happened):
        """Wait for something to happen while it runs."""
        while not happened():
            assert self.process.poll() is None, f"It ended before that.\n{self.printed}"
            if time.monotonic() > self.deadline:
                self.kill()
                pytest.fail(f"It did not get there in time.\n{self.printed}")
            time.sleep(0.2)

    def end(self, code=0):
        """Wait for its end, and give back what it printed."""
        try:
            self.process.wait(self.deadline - time.monotonic())
        except subprocess.TimeoutExpired:
            self.kill()
        assert self.process.returncode == code, self.printed
        return self.printed

    def kill(self):
        """Kill Snakemake, and not the jobs that it submitted."""
        self.process.kill()
        self.process.wait()


def jobs(folder, *columns):
    """What squeue says of each job of a folder, waiting, running or ended, in the order of submission."""
    command = ["squeue", "--states=all", "--noheader", "--sort=i", f"--format={'|'.join(['%Z', *columns])}"]
    rows = [line.split("|") for line in subprocess.check_output(command, text=True).splitlines()]
    return [tuple(row) for directory, *row in rows if directory == str(folder)]


def cancel(folder):
    """Cancel a folder's jobs by their name, and wait until they are gone."""
    subprocess.run(["scancel", "--name", jobs(folder, "%j")[0][0]], check=True)
    deadline = time.monotonic() + 60
    while {state for (state,) in jobs(folder, "%T")} & {"PENDING", "RUNNING", "COMPLETING"}:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def begin_training_with(folder, statement):
    script = folder / "workflow/scripts/train.py"
    script.write_text(f"{statement}\n{script.read_text()}")


def test_tables_are_those_of_a_local_run_with_one_submission_for_a_cohorts_layers(folder, local_tables):
    Run(folder).end()
    assert tables(folder) == local_tables
    submissions = [re.match("rule_(train|layers)", rule)[1] for (rule,) in jobs(folder, "%k")]
    assert sorted(submissions) == ["layers"] * (COHORTS + UNTRAINED) + ["train"] * COHORTS
    assert set(jobs(folder, "%T", "%C")) == {("COMPLETED", "1")}


def test_a_job_killed_for_its_memory_is_submitted_again_with_more(folder):
    begin_training_with(folder, "import time; block = b'x' * 1_000_000_000; time.sleep(10)")
    Run(folder, NETWORKS).end()
    first, second = jobs(folder, "%i", "%T", "%m")
    assert "exceeded memory limit" in next((folder / "logs/slurm").rglob(f"{first[0]}.log")).read_text()
    assert (first[2], *second[1:]) == ("1000M", "COMPLETED", "2000M")
    assert (folder / NETWORKS).exists()


def test_a_cancelled_job_is_reported_by_its_rule_and_made_by_a_later_run(folder):
    begin_training_with(
        folder, "from pathlib import Path; import time; time.sleep(0 if Path('fast').exists() else 600)"
    )
    run = Run(folder, NETWORKS, "--retries", "0")
    run.until(lambda: jobs(folder, "%T") == [("RUNNING",)])
    cancel(folder)
    printed = run.end(code=1)
    assert "Error in rule train" in printed
    assert "CANCELLED" in printed
    assert len(list((folder / "logs/slurm/rule_train").rglob("*.log"))) == 1
    (folder / "fast").touch()
    Run(folder, NETWORKS).end()
    assert (folder / NETWORKS).exists()


def test_when_the_submitting_process_was_killed_finished_cohorts_are_not_done_again(folder, local_tables):
    run = Run(folder, "tables")
    run.until(lambda: "(Rule: compare)" in run.logged)
    run.kill()
    reported = re.findall(r"Finished jobid: (\d+) \(Rule: compare\)", run.logged)
    cohorts = {re.search(rf"Job {job}: Compare clusters of base, (.+)", run.logged)[1] for job in reported}
    submitted = len(jobs(folder))
    assert 0 < len(cohorts) < COHORTS + UNTRAINED
    files = [p for id in cohorts for p in (folder / "results/tiny").rglob("*") if id in str(p) and p.is_file()]
    before = {path: path.stat().st_mtime_ns for path in files}
    cancel(folder)
    snakemake(folder, "--unlock", configs=())
    Run(folder, "tables").end()
    assert tables(folder) == local_tables
    assert {path: path.stat().st_mtime_ns for path in files} == before
    assert not [rule for (rule,) in jobs(folder, "%k")[submitted:] for id in cohorts if id in rule]


@pytest.mark.parametrize("profile", ["slurm", "cluster-generic"])
def test_a_job_that_outlives_its_run_changes_nothing_once_another_run_has_begun(folder, profile):
    """The earlier run has other settings; its job ends after the later run, and would replace what that has made."""
    begin_training_with(
        folder,
        "from pathlib import Path; import time\n"
        "while snakemake.params.job['training']['max_epochs'] == 9 and not Path('go on').exists():\n"
        "    Path('at work').touch(); time.sleep(0.2)",
    )
    edit(folder / TINY, "max_epochs: 8", "max_epochs: 9")
    earlier = Run(folder, NETWORKS, profile=profile)
    earlier.until((folder / "at work").exists)
    earlier.kill()
    edit(folder / TINY, "max_epochs: 9", "max_epochs: 8")
    snakemake(folder, "--unlock", configs=())
    Run(folder, NETWORKS, profile=profile).end()
    made = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.glob("results/tiny/models/base/*")}
    (folder / "go on").touch()
    deadline = time.monotonic() + 120
    while {state for (state,) in jobs(folder, "%T")} & {"RUNNING", "COMPLETING"}:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert [state for (state,) in jobs(folder, "%T")] == ["FAILED", "COMPLETED"]
    assert made == {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in made}
    assert {path.suffix for path in made} == {".safetensors", ".csv"}
    assert "Nothing to be done" in snakemake(folder, NETWORKS, "--cores", "1")


def test_the_generic_profile_gives_the_same_tables(folder, local_tables):
    Run(folder, "tables", profile="cluster-generic").end()
    assert tables(folder) == local_tables
