"""Interruption: whatever ends a run, it goes on, trains no finished cohort again, and its tables are the same.

The remedy is `make resume`: `snakemake --unlock`, needed only after kill -9 of Snakemake itself, and `snakemake`.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import psutil
import pytest
from test_workflow import ROOT, TINY, copy_of_repository, snakemake
from under_way import TABLES, printed, results, start, unfinished, wait_until, working_in

pytestmark = pytest.mark.workflow

KILL_JOB, KILL, CTRL_C, TERMINATE = "kill -9 of a job", "kill -9 of Snakemake", "Ctrl-C", "SIGTERM"
FAULTS = [KILL_JOB] * 10 + [KILL] * 10 + [CTRL_C, TERMINATE]

LATEST = 5
"""Seconds after its start, or after the fault before, within which a run is struck."""


@pytest.fixture
def folder(tmp_path):
    return copy_of_repository(tmp_path)


@pytest.fixture(autouse=True)
def _nothing_goes_on(tmp_path):
    yield
    for process in working_in(tmp_path):
        process.kill()


def make_happen(fault, run, random):
    """Make a fault happen to a run, and say so; all but kill -9 of Snakemake itself need a job at work."""
    jobs = run.children()
    if fault == KILL:
        run.kill()
    elif not jobs:
        return False
    elif fault == KILL_JOB:
        random.choice(jobs).kill()
    elif fault == CTRL_C:
        os.killpg(run.pid, signal.SIGINT)  # as a terminal does: the jobs get it, too
    else:
        run.terminate()
    return True


def strike(fault, run, random):
    """Make a fault happen at a random moment; say whether it did, or the run ended before."""
    with suppress(psutil.TimeoutExpired):
        run.wait(random.uniform(0, LATEST))
    while run.poll() is None:
        with suppress(psutil.NoSuchProcess):  # it has just ended
            if make_happen(fault, run, random):
                return True
        time.sleep(0.02)
    return False


def finished_networks(folder):
    """When the networks of each finished cohort were written."""
    paths = (folder / "results/tiny/models").rglob("[!.]*.safetensors")
    return {path: path.stat().st_mtime_ns for path in paths if str(path.relative_to(folder)) not in unfinished(folder)}


def test_a_run_struck_22_times_gives_the_same_tables_and_trains_no_finished_cohort_again(folder, expected):
    random = Random(0)
    faults = random.sample(FAULTS, len(FAULTS))
    finished, job_killed = {}, False
    run = start(folder, TABLES)
    while faults:
        if not strike(faults[-1], run, random):
            assert run.returncode == 0 or job_killed, printed(folder).read_text()
            if run.returncode == 0:  # on a fast machine: all over again
                assert results(folder) == expected
                shutil.rmtree(folder / "results")
                finished = {}
        elif (fault := faults.pop()) == KILL_JOB:
            job_killed = True
            continue
        else:
            run.wait()
            assert results(folder).items() <= expected.items(), "a file was left half-written"
            assert finished.items() <= finished_networks(folder).items()
            finished = finished_networks(folder)
            if fault == KILL:
                snakemake(folder, "--unlock")
        run, job_killed = start(folder, TABLES), False
    if run.wait() != 0:
        assert job_killed
        snakemake(folder, TABLES, "--cores", "2")
    assert results(folder) == expected
    assert finished.items() <= finished_networks(folder).items()


def test_an_orphan_of_a_run_with_other_settings_ends_in_the_middle_of_a_later_run_and_changes_nothing(folder, expected):
    networks = "results/tiny/models/base/l2_0.001_seeds0-1.safetensors"
    log = folder / "logs/tiny/train/base/l2_0.001_seeds0-1.log"
    config = folder / TINY
    ours = config.read_text()
    config.write_text(ours.replace("max_epochs: 8", "max_epochs: 400\n  stopping_patience: 400"))
    run = start(folder, networks)
    wait_until(log.exists)
    (orphan,) = (process for process, command in working_in(folder).items() if "train.py" in command)
    orphan.suspend()
    run.kill()
    run.wait()
    snakemake(folder, "--unlock")

    config.write_text(ours)
    run = start(folder, "results/tiny/agreement/base/l2_0.001_seeds0-1.csv")
    wait_until(lambda: (folder / networks).exists() and networks not in unfinished(folder))
    run.suspend()
    orphan.resume()
    wait_until(lambda: not orphan.is_running())
    run.resume()
    assert run.wait() == 0
    assert results(folder).items() <= expected.items()
    assert log.read_text().endswith("Done.\n")


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of 64 MB, and what a command has to start with to see it there."""
    mount = 'mount -t tmpfs -o size=64m tmpfs "$0" && echo mounted && exec sleep 600'
    try:
        namespace = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, tmp_path]
        holder = subprocess.Popen(namespace, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    except FileNotFoundError:
        pytest.skip("mounting a small disk needs Linux")
    try:
        if holder.stdout.readline() != "mounted\n":
            pytest.skip("mounting a small disk needs root or user namespaces, which this machine does not give")
        enter = ["nsenter", f"--target={holder.pid}", "--user", "--mount", "--preserve-credentials"]
        yield Path(f"/proc/{holder.pid}/root{tmp_path}"), [*enter, "sh", "-c", 'cd "$0" && exec "$@"', tmp_path]
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


@contextmanager
def full(folder, room):
    """Fill the folder's disk up to so many bytes."""
    filler = folder / "filler"
    with filler.open("wb") as file:
        while (free := shutil.disk_usage(folder).free) > room:
            with suppress(OSError):  # somebody else has just taken some of it
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), free - room)
    yield
    filler.unlink()


@contextmanager
def read_only(within):
    """Make the results a read-only mount."""
    subprocess.run([*within, "sh", "-c", "mount -B results results && mount -o remount,bind,ro results"], check=True)
    yield
    subprocess.run([*within, "umount", "results"], check=True)


MODELS = "results/tiny/tables/models.csv"


def start_and_finish(number, folder, within):
    """Start a run and wait until so many cohorts are finished and others at work."""
    run = start(folder, MODELS, within=within)
    wait_until(lambda: run.children() and len(finished_networks(folder)) >= number)
    return run


def test_a_full_disk_and_read_only_results_are_told_and_do_no_harm(small_disk, expected):
    """With no room at all it is Snakemake that stumbles, with a little room the jobs do."""
    folder, within = small_disk
    copy_of_repository(folder)
    finished = {}
    for number, fault, message in (
        (1, full(folder, room=100_000), "No space left on device"),
        (2, full(folder, room=0), "No space left on device"),
        (3, read_only(within), "Read-only file system: 'results/tiny/"),
    ):
        run = start_and_finish(number, folder, within)
        finished |= finished_networks(folder)
        with fault:
            assert run.wait() == 1
            assert message in printed(folder).read_text()
            assert results(folder).items() <= expected.items(), "a file was left half-written"

    assert start(folder, MODELS, within=within).wait() == 0
    assert finished.items() <= finished_networks(folder).items()
    assert results(folder)["tables/models.csv"] == expected["tables/models.csv"]


# What a long run tells

OUTPUTS = {
    "images": "synthetic",
    "train": "models",
    "initialize": "models",
    "cluster": "clusters",
    "compare": "agreement",
}
"""Where a stage's results go, if it is not a folder of the stage's name."""


def make(target, folder, *options):
    """What `make` prints, with the Snakemake of these tests."""
    snakemake = f"SNAKEMAKE={sys.executable} -m snakemake"
    command = ["make", "--no-print-directory", "-f", ROOT / "Makefile", "-o", ".venv/installed"]
    command += [snakemake, f"CONFIG={TINY}", *options, target]
    return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True).stdout


def test_make_resume_is_what_is_tested_here(folder):
    commands = [line.partition(" -m ")[2] for line in make("resume", folder, "-n").splitlines()]
    assert commands == [f"snakemake --unlock --configfile {TINY}", f"snakemake --configfile {TINY}"]


def test_make_status_says_what_is_finished_missing_and_out_of_date(undisturbed, tmp_path):
    folder = shutil.copytree(undisturbed, tmp_path / "copy")
    (folder / "results/tiny/tables/repeats.csv").unlink()
    config = folder / TINY
    config.write_text(config.read_text().replace("images: 300", "images: 301"))
    status = dict(reversed(line.split(maxsplit=1)) for line in make("status", folder).splitlines())
    assert status == {
        "images: finished": "1",
        "train: finished": "12",
        "initialize: finished": "4",
        "similarity: out of date": "12",
        "cluster: out of date": "18",
        "compare: out of date": "12",
        "table: finished": "1",
        "table: out of date": "3",
        "table: missing": "1",
        "claims: missing": "3",
        "examples: missing": "1",
        "figures: missing": "69",
        "tableS1: missing": "2",
    }


def test_every_log_says_what_its_job_makes_which_seeds_and_how_far_it_is(undisturbed):
    logs = {str(path.relative_to(undisturbed)): path.read_text() for path in (undisturbed / "logs").rglob("*.log")}
    assert len(logs) == 30
    for name, text in logs.items():
        stage = name.split("/")[2].removesuffix(".log")
        first, *_, last = text.splitlines()
        assert re.search(f"Making (results/tiny|data)/{OUTPUTS.get(stage, stage)}/", first)
        assert "Processor: " in text
        assert last.endswith("Done.")
        if stage in ("train", "initialize", "similarity", "cluster", "compare"):
            assert re.search("[12] networks", text)
        if stage in ("train", "initialize", "cluster", "compare"):
            seeds = re.search(r"seeds(\d+)-(\d+)", name)
            assert all(re.search(rf"8-6/\w+/[\d.e-]+/{seed}\b", text) for seed in seeds.groups())
        if stage == "train":
            assert "at most 8 epochs" in text
            assert "epoch 8: 1 networks" in text
        if stage in ("similarity", "cluster", "compare"):
            assert re.search(r"\b([12]) of \1 networks", text)
