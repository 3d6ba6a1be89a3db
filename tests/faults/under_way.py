"""Runs of the tiny preset that are watched, and disturbed, while they are under way."""

import base64
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
from test_workflow import TINY

TABLES = "tables"
"""The target of all runs here: all stages, without the figures."""


def results(folder):
    """What jobs left in a run, by path. Their temporary names start with a dot."""
    root = folder / "results" / "tiny"
    stages = (root / stage for stage in ("models", "similarity", "clusters", "agreement", "tables"))
    files = (path for stage in stages for path in stage.rglob("[!.]*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def start(folder, *arguments, within=()):
    """Start Snakemake in a process group of its own, as a terminal does; what it prints goes to `printed(folder)`."""
    command = [*within, sys.executable, "-m", "snakemake", *arguments, "--cores", "2", "--configfile", TINY]
    with printed(folder).open("w") as file:
        return psutil.Popen(command, cwd=folder, stdout=file, stderr=subprocess.STDOUT, start_new_session=True)


def printed(folder):
    """Beside the folder, so that it is not on a disk that is full."""
    return folder.with_name(f"{folder.name} printed.txt")


def working_in(folder):
    """The processes that work in a folder, with their command lines."""
    found = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # it has just ended, or is none of ours
            if process.cwd() == str(folder):
                found[process] = " ".join(process.cmdline())
    return found


def wait_until(condition, seconds=250):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        time.sleep(0.02)


def unfinished(folder):
    """Files that Snakemake has marked as being made, by path."""
    return {base64.urlsafe_b64decode(path.name).decode() for path in Path(folder, ".snakemake", "incomplete").iterdir()}
