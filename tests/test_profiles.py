"""The profiles for clusters, without a cluster."""

import re

import pytest
import yaml
from test_workflow import ROOT, copy_of_repository, snakemake

PROFILES = {
    path.parent.name: yaml.safe_load(path.read_text()) for path in sorted((ROOT / "profiles").glob("*/config.yaml"))
}
OF_A_SCHEDULER = re.compile("executor|default-resources|slurm-|cluster-generic-")


@pytest.mark.parametrize("name", ["slurm", "cluster-generic"])
def test_what_a_profile_says_of_rules_is_said_of_rules_that_exist(tmp_path, name):
    rules = snakemake(copy_of_repository(tmp_path), "--list-rules", configs=()).split()
    assert PROFILES[name]["groups"].keys() <= set(rules)


def test_profiles_for_clusters_differ_in_the_scheduler_only():
    slurm, generic = (
        {key: value for key, value in PROFILES[name].items() if not OF_A_SCHEDULER.match(key)}
        for name in ("slurm", "cluster-generic")
    )
    assert slurm == generic
    assert slurm == slurm | PROFILES["default"] | {"cores": 1}
