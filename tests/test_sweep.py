"""From the configuration to cohorts and runs."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml

from unit_clusters_paper.runs.sweep import cohorts, strength_blocks

ROOT = Path(__file__).parent.parent


@pytest.fixture
def paper():
    return yaml.safe_load((ROOT / "config.yaml").read_text())


def test_the_paper_has_360_trained_and_300_untrained_networks(paper):
    """Table S1 and section 4.1; and once more base's, with early stopping."""
    found = cohorts(paper)
    trained = Counter(c.experiment for c in found if c.trained for _ in c.runs)
    untrained = Counter(c.experiment for c in found if not c.trained for _ in c.runs)
    assert trained == {"base": 270, "wide": 45, "deep": 45, "early": 270}
    assert untrained == {"base": 100, "wide": 100, "deep": 100}
    assert len(found) == 60 + 15


def test_runs_carry_table_s1(paper):
    runs = {run["id"]: run for cohort in cohorts(paper) for run in cohort.runs}
    assert len(runs) == 660
    table = {
        "64-64/l2/0.1/8": (0.0, 0.1, 0.0),
        "64-64/l1/1e-05/0": (1e-5, 1e-5, 0.0),
        "256-256/l1/0.01/2": (1e-2, 1e-5, 0.0),
        "64-64/dropout/0.05/3": (0.0, 1e-5, 0.05),
        "64-64-64-64-64/dropout/0.6/1": (0.0, 1e-5, 0.6),
        "256-256/none/0/1099": (0.0, 0.0, 0.0),
    }
    for id, (l1, l2, dropout) in table.items():
        run = runs[id]
        assert (run["l1"], run["l2"], run["dropout"]) == (l1, l2, dropout)


def test_each_experiment_is_trained_in_its_own_way(paper):
    paper["training"]["max_epochs"] = 7  # as a preset does
    settings = {c.experiment: c.settings["training"] for c in cohorts(paper) if c.trained}
    assert settings["wide"] == settings["deep"] == settings["early"] == paper["training"]
    assert settings["base"] == paper["training"] | {"schedule": "constant", "stopping_patience": None, "keep": "last"}


@pytest.mark.parametrize(
    ("training", "message"),
    [
        ({"keep": "last"}, "base: training: keep: last"),
        ({"stopping_patience": None, "max_epochs": None}, "base: training: max_epochs: null.*for ever"),
    ],
)
def test_settings_that_contradict_each_other_are_named(paper, training, message):
    paper["experiments"]["base"]["training"] = training
    with pytest.raises(ValueError, match=message):
        cohorts(paper)


def test_trained_and_untrained_seeds_are_disjoint(paper):
    found = cohorts(paper)
    seeds = [{seed for c in found if c.trained == trained for seed in c.seeds} for trained in (True, False)]
    assert seeds[0].isdisjoint(seeds[1])


def test_more_seeds_and_strengths_only_add_cohorts(paper):
    before = cohorts(paper)
    paper["experiments"]["base"]["seeds"] = 11
    paper["experiments"]["wide"]["sweeps"]["dropout"] = ["linspace(0.1, 0.6, 6)", [0.7, 0.8], 0.9]
    paper["untrained"]["models"] = 110
    added = [cohort for cohort in cohorts(paper) if cohort not in before]
    assert all(cohort in cohorts(paper) for cohort in before)
    assert {c.id for c in added if c.experiment == "wide" and c.trained} == {
        "dropout_0.7to0.8_seeds0-2",
        "dropout_0.9_seeds0-2",
    }
    assert [c.seeds for c in added if c.experiment == "base" and c.trained] == [(9,), (10,)] * 3
    assert len(added) == 2 + 2 * 3 + 3
    names = [(c.experiment, c.id) for c in cohorts(paper)]
    assert len(set(names)) == len(names)


def test_an_experiment_that_is_null_is_left_out(paper):
    paper["experiments"]["wide"] = None
    assert {c.experiment for c in cohorts(paper)} == {"base", "deep", "early"}
    paper["experiments"]["base"] = None
    assert {c.experiment for c in cohorts(paper) if not c.trained} == {"deep", "early"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("logspace(-5, -1, 9)", np.logspace(-5, -1, 9)),
        ("linspace(0.05, 0.7, 14)", np.linspace(0.05, 0.7, 14)),
        ("linspace(0.3, 0.9, 1)", [0.3]),
    ],
)
def test_spaced_strengths_follow_numpy(values, expected):
    (block,) = strength_blocks(values)
    np.testing.assert_allclose(block, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("values", "blocks"),
    [
        ([], []),
        (None, []),
        ([0.1, 0.25], [(0.1,), (0.25,)]),
        (["linspace(0.1, 0.3, 3)", [0.7, 0.5], 0.9], [(0.1, 0.2, 0.3), (0.7, 0.5), (0.9,)]),
    ],
)
def test_items_of_a_sweep_are_blocks(values, blocks):
    assert strength_blocks(values) == blocks


@pytest.mark.parametrize(
    ("sweeps", "message"),
    [
        ({"l2": [[0.1, 0.2], "linspace(0.1, 0.3, 2)"]}, "base: sweeps: l2.*not all different"),
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
