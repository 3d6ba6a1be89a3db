"""The headline numbers: of planted tables, as they are by hand, and what each choice does to them."""

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest

from unit_clusters.similarity.measures import FORMS, PAIR_COLUMNS
from unit_clusters_paper.claims.networks import PAIRS
from unit_clusters_paper.claims.sensitivity import COLUMNS, Choice, headline, published_rows, variant_rows
from unit_clusters_paper.results.selection import LIMIT, kinds

RISES = {
    **{("l2", 1e-5): 0.0, ("l2", 1e-3): 0.01, ("l2", 1e-2): 0.03, ("l2", 0.1): 0.5},
    **{("l1", 1e-3): 0.02, ("dropout", 0.5): 0.1},
}
"""Above the baseline; at L2 = 0.1 networks learn nothing."""
ACCURACIES = {("l2", 1e-2): 0.92, ("l2", 0.1): 0.1, ("l1", 1e-3): 0.94}
SCORES = {"upstream": 0.6, "downstream": 0.5, "across": 0.3, "own": 0.9}


def kind(a, b):
    if a.measure == b.measure:
        return "own"
    return ("upstream" if a.upstream else "downstream") if a.upstream == b.upstream else "across"


def planted(experiment, seeds=3, shift=0.0):
    """Tables in which Q is that of RISES, agreement that of SCORES, both moved from seed to seed by 0.01 times it."""
    runs = [
        {"experiment": experiment, "regularizer": regularizer, "strength": strength, "seed": seed}
        for (regularizer, strength), seed in product(RISES, range(seeds))
    ]
    models, modularity, agreement = [], [], []
    for run in runs:
        setting, move = (run["regularizer"], run["strength"]), 0.01 * (run["seed"] - 1)
        models.append(run | {"trained": True, "test_accuracy": ACCURACIES.get(setting, 0.97), LIMIT: 0.8})
        q = 0.1 + RISES[setting] * (1 + move) + shift
        modularity += [
            run | {"layer": layer, "q": q, "q_best": q + 0.01} | form._asdict() for layer in (1, 2) for form in FORMS
        ]
        for a, b in PAIRS:
            score = SCORES[kind(a, b)] + move + shift
            agreement.append(
                run
                | {"layer": 1, **dict(zip(PAIR_COLUMNS, (*a, *b), strict=True)), "element_similarity": score}
                | {"element_similarity_alive": score - 0.1, "element_similarity_adjusted": score - 0.2}
                | {"element_similarity_best": score + 0.1}
            )
    tables = {"models": models, "modularity": modularity, "agreement": agreement}
    return {name: pd.DataFrame(rows) for name, rows in tables.items()}


def together(*tables):
    return {name: pd.concat([one[name] for one in tables]) for name in tables[0]}


def test_numbers_are_those_that_were_planted():
    found = headline(planted("base"), "base", Choice())
    assert found["networks"] == 5 * 3
    assert found["lead"] == pytest.approx(0.1 - 0.03)
    assert found["lead_se"] == pytest.approx(0.07 * 0.01 / math.sqrt(3))
    for name in ("upstream", "downstream", "across"):
        assert found[name] == pytest.approx(SCORES[name])
        assert found[f"{name}_se"] == pytest.approx(0.01 / math.sqrt(3))


@pytest.mark.parametrize(
    ("choice", "lead", "across"),
    [
        (Choice(least_accuracy=0.05), 0.1 - 0.5, 0.3),
        (Choice(least_accuracy=0.93), 0.1 - 0.02, 0.3),
        (Choice(q="q_best", score="element_similarity_best"), 0.07, 0.4),
        (Choice(score="element_similarity_alive"), 0.07, 0.2),
    ],
)
def test_each_choice_does_what_it_says(choice, lead, across):
    found = headline(planted("base"), "base", choice)
    assert found["lead"] == pytest.approx(lead)
    assert found["across"] == pytest.approx(across)


def test_no_lead_without_all_three_regularizers():
    """With a cut-off of 0.95 no L1 is left."""
    found = headline(planted("base"), "base", Choice(least_accuracy=0.95))
    assert math.isnan(found["lead"])
    assert found["across"] == pytest.approx(0.3)


def test_a_single_seed_has_no_error_and_no_networks_no_numbers():
    assert math.isnan(headline(planted("base", seeds=1), "base", Choice())["across_se"])
    empty = headline(planted("base"), "early", Choice())
    assert empty.pop("networks") == 0
    assert all(map(math.isnan, empty.values()))


def test_seeds_without_a_baseline_do_not_count_for_the_lead():
    tables = planted("base")
    modularity = tables["modularity"].query("strength != 1e-5 or seed != 0")
    found = headline(tables | {"modularity": modularity}, "base", Choice())
    assert found["lead"] == pytest.approx(0.07 * 1.005)
    assert found["lead_se"] == pytest.approx(0.07 * 0.01 / 2)


def test_pairs_are_of_their_kind():
    agreement = planted("base", seeds=1)["agreement"].head(28)
    expected = [kind(a, b) for a, b in PAIRS]
    assert list(kinds(agreement)) == expected
    assert np.unique(expected, return_counts=True)[1].tolist() == [16, 4, 4, 4]


def test_rows_name_source_and_choice():
    tables = together(planted("base"), planted("early", shift=0.05))
    rows = pd.DataFrame(published_rows(tables), columns=COLUMNS).set_index("choice")
    assert (rows["source"] == "published run").all()
    assert rows.loc["protocol: early stopping", "across"] == pytest.approx(0.35)
    assert rows.loc["as in the paper", "across"] == pytest.approx(0.3)
    tables = together(planted("reference"), planted("more-steps", shift=0.1))
    rows = pd.DataFrame(variant_rows(tables, {"more-steps": {"clustering: steps": 20_000}}), columns=COLUMNS)
    assert list(rows["choice"]) == ["as in the paper", "clustering: steps: 20000"]
    assert rows["across"].tolist() == pytest.approx([0.3, 0.4])
