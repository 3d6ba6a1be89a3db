# What a run says, and what it does when it begins and when it ends.
import atexit
import logging
import shlex

from snakemake.jobs import Job
from snakemake.logging import LogEvent, get_event, logger

from unit_clusters_paper.runs import files


class News(logging.Filter):
    """Lets pass what is worth a line: each job, failures, each twentieth of the whole. All is in .snakemake/log."""

    shown = 0

    def filter(self, record):
        event = get_event(record)
        if event == LogEvent.PROGRESS:
            before, self.shown = self.shown, 20 * record.done // record.total
            return self.shown > before
        if event == LogEvent.JOB_INFO:
            return bool(record.rule_msg)  # rules that only collect have none
        scheduler = record.getMessage().startswith(("Select jobs", "Execute"))
        return event != LogEvent.JOB_FINISHED and not scheduler


for handler in logger.handlers:
    if handler.name == "DefaultStreamHandler":
        handler.addFilter(News())


async def leave_it_to_the_run(job, skip_outputs):
    """In place of Job.cleanup, which removes the output of a failed job."""


if workflow.is_main_process:
    os.environ.pop(files.MARK, None)
else:
    # The Snakemake of one job, on a node of a cluster. It goes on when that of its run is killed.
    if files.run_is_over():
        raise WorkflowError("Nothing is done: the run of this job is over.")
    # The run's own Snakemake removes it, too; this one could not tell it from that of a later run.
    Job.cleanup = leave_it_to_the_run


def report_command(results):
    """What a user types to have the report of this run."""
    words = ["snakemake", "all", "provenance", "--report-after-run"]
    words += ["--report", f"{results}/report.html"]
    if workflow.overwrite_configfiles:
        words += ["--configfile", *map(os.path.relpath, workflow.overwrite_configfiles)]
    return shlex.join(words)


onstart:
    mark = files.leave_mark(
        os.path.join(workflow.persistence.path, "unit-clusters"),
        [str(path) for job in workflow.dag.needrun_jobs() for path in job.output],
    )
    atexit.register(mark.unlink, missing_ok=True)
    os.environ[files.MARK] = str(mark)
    # Told to jobs by their command line, too, where a scheduler does not pass the environment on.
    workflow.register_envvars(files.MARK)
    # For each job, the limit of jobs a second starts a chain of timers that wake the scheduler every second until the run
    # ends: its cost grows with the square of the number of jobs. A longer span (--max-jobs-per-timespan) makes the chains
    # slower, but all runs wait for the last timer.
    workflow.scheduler.job_rate_limiter = None


onsuccess:
    results = Path(config["pathvars"]["results"])
    for what, path in (
        ("Scorecard", results / "claims.html"),
        ("Figures", results / "figures"),
    ):
        if path.exists():
            logger.info(f"{what}: {path}")
    if (results / "claims.html").exists():
        logger.info(f"Report of all on one page: {report_command(results)}")


onerror:
    logger.error(
        "Jobs failed; what each says is above, and its last line says what to do. "
        "All that is finished stays: the same command goes on."
    )
