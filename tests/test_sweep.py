"""From the configuration to cohorts and runs."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from unit_clusters.sweep import cohorts, strengths

ROOT = Path(__file__).parent.parent


@pytest.fixture
def paper():
    return yaml.safe_load((ROOT / "config.yaml").read_text())


def test_the_paper_has_360_trained_and_300_untrained_networks(paper):
    """Table S1 and section 4.1."""
    found = cohorts(paper)
    trained, untrained = [c for c in found if c.trained], [c for c in found if not c.trained]
    assert (len(trained), len(untrained)) == (60, 15)
    assert (sum(len(c.seeds) for c in trained), sum(len(c.seeds) for c in untrained)) == (360, 300)
    assert sum(len(c.layers) for c in found) == 210
    assert sum(len(c.layers) * len(c.seeds) for c in found) == 1755


def test_runs_carry_table_s1(paper):
    runs = {run["id"]: run for cohort in cohorts(paper) for run in cohort.runs}
    assert len(runs) == 660
    table = {
        "base/l2/0.1/8": (0.0, 0.1, 0.0),
        "base/l1/1e-05/0": (1e-5, 1e-5, 0.0),
        "wide/l1/0.01/2": (1e-2, 1e-5, 0.0),
        "base/dropout/0.05/3": (0.0, 1e-5, 0.05),
        "deep/dropout/0.6/1": (0.0, 1e-5, 0.6),
        "wide/none/0/1099": (0.0, 0.0, 0.0),
    }
    for id, (l1, l2, dropout) in table.items():
        run = runs[id]
        assert (run["l1"], run["l2"], run["dropout"]) == (l1, l2, dropout)


def test_trained_and_untrained_seeds_are_disjoint(paper):
    found = cohorts(paper)
    seeds = [{seed for c in found if c.trained == trained for seed in c.seeds} for trained in (True, False)]
    assert seeds[0].isdisjoint(seeds[1])


def test_more_seeds_and_strengths_only_add_cohorts(paper):
    before = {(c.experiment, c.id) for c in cohorts(paper)}
    paper["experiments"]["base"]["seeds"] = 12
    paper["experiments"]["wide"]["sweeps"]["dropout"] = "linspace(0.1, 0.7, 7)"
    paper["untrained"]["models"] = 110
    after = {(c.experiment, c.id) for c in cohorts(paper)}
    assert before < after
    assert {id for _, id in after - before if "seeds9-11" in id} == {id for e, id in after - before if e == "base"} - {
        "none_seeds1100-1109"
    }
    assert ("wide", "dropout_0.7_seeds0-2") in after
    assert len(after - before) == 30 + 1 + 3


def test_an_experiment_that_is_null_is_left_out(paper):
    paper["experiments"]["wide"] = None
    assert {c.experiment for c in cohorts(paper)} == {"base", "deep"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("logspace(-5, -1, 9)", np.logspace(-5, -1, 9)),
        ("linspace(0.05, 0.7, 14)", np.linspace(0.05, 0.7, 14)),
        ("linspace(0.3, 0.9, 1)", [0.3]),
        ([0.1, 0.25], [0.1, 0.25]),
        ([], []),
    ],
)
def test_strengths_follow_numpy(values, expected):
    np.testing.assert_allclose(strengths(values), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("sweeps", "message"),
    [
        ({"l2": [0.1, 0.1]}, "base: sweeps: l2.*not all different"),
        ({"l1": "logspace(-5, -2, 0)"}, "base: sweeps: l1.*ask for 1 or more"),
        ({"l1": "logspace(-5, -2)"}, "base: sweeps: l1.*not of the form logspace"),
        ({"l2": "logspace(-5, 400, 3)"}, "base: sweeps: l2.*beyond the largest number"),
        ({"l1": "linspace(-1, 1, 3)"}, "base: sweeps: l1.*above 0"),
        ({"dropout": [0.5, 1.0]}, "base: sweeps: dropout.*below 1"),
    ],
)
def test_a_bad_sweep_is_named(paper, sweeps, message):
    paper["experiments"]["base"]["sweeps"] = sweeps
    with pytest.raises(ValueError, match=message):
        cohorts(paper)


def test_no_networks_at_all_are_refused(paper):
    paper["experiments"] = {"base": paper["experiments"]["base"] | {"sweeps": {}}, "wide": None}
    assert len(cohorts(paper)) == 5
    paper["untrained"]["models"] = 0
    with pytest.raises(ValueError, match="config: experiments: there are no networks"):
        cohorts(paper)
