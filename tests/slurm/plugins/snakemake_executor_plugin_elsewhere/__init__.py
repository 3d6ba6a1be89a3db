"""An executor that stands in for those of clouds: each job runs in an empty folder of its own, one after another.

Its settings are those of snakemake-executor-plugin-kubernetes, but that it installs nothing.
"""

import os
import subprocess
import sys
import tempfile

from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.settings import CommonSettings

common_settings = CommonSettings(
    non_local_exec=True,
    implies_no_shared_fs=True,
    job_deploy_sources=True,
    pass_default_storage_provider_args=True,
    pass_default_resources_args=True,
    pass_envvar_declarations_to_cmd=True,
    auto_deploy_default_storage_provider=False,
    init_seconds_before_status_checks=0,
)


class Executor(RemoteExecutor):
    def run_job(self, job):
        if "gpu" in job.resources:
            raise WorkflowError("There are no GPUs.")
        with tempfile.TemporaryDirectory() as folder:
            command = self.format_job_exec(job)
            path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
            log = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
            done = subprocess.run(command, shell=True, cwd=folder, env=os.environ | {"PATH": path}, **log)
        self.logger.info(done.stdout)
        self.report_job_submission(SubmittedJobInfo(job, aux={"code": done.returncode}))

    async def check_active_jobs(self, active_jobs):
        for job in active_jobs:
            if job.aux["code"] == 0:
                self.report_job_success(job)
            else:
                self.report_job_error(job)
        return
        yield  # an asynchronous generator of the jobs that are still active: none

    def cancel_jobs(self, active_jobs):
        pass
