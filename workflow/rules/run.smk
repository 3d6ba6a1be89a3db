# What a run says, and what it does when it begins and when it ends.
import platform
import shlex

from unit_clusters_paper.runs import files

insides.print_less(logger)

if insides.is_of_a_job(workflow):
    if files.run_is_over():
        raise WorkflowError("Nothing is done: the run of this job is over.")
    insides.leave_failed_output()
else:
    os.environ.pop(files.MARK, None)
    if sys.version_info[:2] > (3, 14):
        logger.warning(
            f"Python {platform.python_version()} is newer than those that this workflow is made for, 3.11 to 3.14."
        )


def report_command(results):
    """What a user types to have the report of this run."""
    words = ["snakemake", "all", "provenance", "--report-after-run"]
    words += ["--report", f"{results}/report.html"]
    if workflow.overwrite_configfiles:
        words += ["--configfile", *map(os.path.relpath, workflow.overwrite_configfiles)]
    return shlex.join(words)


onstart:
    insides.mark(workflow)
    insides.limit_no_rate(workflow)
    insides.warn(logger)


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
