"""Where this workflow reaches into Snakemake, for want of settings that do the same.

A Snakemake that lacks one of these places still plans and runs; one warning tells what it does without.
"""

import atexit
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from unit_clusters_paper.runs import files

LACKING: list[str] = []
"""What comes of the places that this Snakemake lacks."""


@contextmanager
def dispensable(consequence: str) -> Iterator[None]:
    """If Snakemake lacks what is used within, this comes of it."""
    try:
        yield
    except (AttributeError, ImportError) as error:
        LACKING.append(f"{consequence} ({error})")


def warn(logger: logging.Logger) -> None:
    """Tell of all LACKING places at once."""
    if LACKING:
        logger.warning(f"This Snakemake is built in another way than the workflow knows, so {'; '.join(LACKING)}.")


class News(logging.Filter):
    """Lets pass what is worth a line: each job, failures, each twentieth of the whole. All is in .snakemake/log.

    `quiet: progress` would leave out the table of jobs, and how much is done, too.
    """

    shown = 0

    def filter(self, record: logging.LogRecord) -> bool:
        event = getattr(getattr(record, "event", None), "name", None)
        if event == "PROGRESS":
            before, self.shown = self.shown, 20 * record.done // record.total
            return self.shown > before
        if event == "JOB_INFO":
            return bool(record.rule_msg)  # rules that only collect have none
        scheduler = record.getMessage().startswith(("Select jobs", "Execute"))
        return event != "JOB_FINISHED" and not scheduler


def print_less(logger: logging.Logger) -> None:
    """Print no more than News, where it is Snakemake that prints and not a plugin."""
    for handler in logger.handlers:
        if handler.name == "DefaultStreamHandler":
            handler.addFilter(News())


def is_of_a_job(workflow) -> bool:
    """Whether this is the Snakemake of one job, on a node of a cluster. It goes on when that of its run is killed."""
    with dispensable("a job that outlives its run may write what a later run has made"):
        return not workflow.is_main_process
    return False


def stores_files(workflow) -> bool:
    """Whether jobs are brought their files from a storage, and see no others."""
    with dispensable("without a shared file system jobs lack the images"):
        return workflow.storage_settings.default_storage_provider is not None
    return False


def leave_failed_output() -> None:
    """Have the Snakemake of a job not remove the job's output when it fails.

    The run's own Snakemake removes it, too, and this one could not tell it from that of a later run. The setting,
    `--keep-incomplete`, holds for both.
    """

    async def leave(job, skip_outputs): ...

    with dispensable("a job that outlives its run may remove what a later run has made"):
        from snakemake.jobs import Job

        if Job.cleanup:
            Job.cleanup = leave


def mark(workflow) -> None:
    """Leave the mark of a run that begins until its end, and tell its jobs, on other nodes by their command line.

    Where nodes do not share the folder of marks there is none.
    """
    with dispensable("a job that outlives its run may write what a later run has made"):
        if "persistence" not in map(str, workflow.storage_settings.shared_fs_usage):
            return
        outputs = [str(path) for job in workflow.dag.needrun_jobs() for path in job.output]
        left = files.leave_mark(os.path.join(workflow.persistence.path, "unit-clusters"), outputs)
        atexit.register(left.unlink, missing_ok=True)
        os.environ[files.MARK] = str(left)
        workflow.register_envvars(files.MARK)


def limit_no_rate(workflow) -> None:
    """Start jobs as soon as they can be.

    For each job, the limit of jobs a second starts a chain of timers that wake the scheduler every second until the run
    ends, so its cost grows with the square of the number of jobs. The setting for it, `--max-jobs-per-timespan`, takes
    no value for none; a longer span makes the chains slower, but all runs wait for the last timer.
    """
    with dispensable("many jobs take more processor time"):
        if workflow.scheduler.job_rate_limiter:
            workflow.scheduler.job_rate_limiter = None
