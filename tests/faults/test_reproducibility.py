"""Reproducibility: where, when and in what order the jobs of a run are done does not change its tables by a bit.

That networks trained one by one or together are the same is tested in test_training.py.
"""

from random import Random

import pytest
from test_workflow import copy_of_repository, overlay, snakemake
from under_way import TABLES, results

pytestmark = pytest.mark.workflow

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


def test_neither_folder_calls_cores_order_nor_thread_variables_change_a_table(tmp_path, expected, monkeypatch):
    folder = tmp_path / "another name"
    folder.mkdir()
    copy_of_repository(folder)
    for variable in THREADS:
        monkeypatch.setenv(variable, "4")
    targets = [f"results/tiny/{path}" for path in expected if path.startswith("agreement") and "repeats" not in path]
    Random(0).shuffle(targets)
    snakemake(folder, *targets[:3], "--cores", "2")
    snakemake(folder, TABLES, "--cores", "1")
    assert results(folder) == expected


def test_untrained_networks_made_three_at_a_time_give_the_same_rows(tmp_path, expected):
    folder = copy_of_repository(tmp_path)
    together = overlay(folder, untrained={"models_per_job": 3})
    parts = ["models/base/{}.models.csv", "clusters/base/{}.csv", "agreement/base/{}.csv"]
    cohorts = ("none_seeds1000-1001", "none_seeds1002-1002")
    snakemake(folder, *(f"results/tiny/{part.format('none_seeds1000-1002')}" for part in parts), **together)
    made = results(folder)
    for part in parts:
        first, second = (expected[part.format(cohort)].splitlines() for cohort in cohorts)
        assert first[0] == second[0]
        assert sorted(made[part.format("none_seeds1000-1002")].splitlines()) == sorted(first + second[1:])
