"""The headline numbers: of planted tables, as they are by hand, and what each choice does to them."""

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest

from unit_clusters.similarity.measures import FORMS
from unit_clusters_paper.results.selection import LIMIT, kinds
from unit_clusters_paper.results.sensitivity import COLUMNS, Choice, Tables, headline, published_rows, variant_rows

RISES = {("l2", 1e-5): 0.0, ("l2", 1e-2): 0.03, ("l2", 0.1): 0.5, ("l1", 1e-3): 0.02, ("dropout", 0.5): 0.1}
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
        modularity += [run | {"layer": layer, "q": q, "q_best": q + 0.01} for layer in (1, 2) for _ in FORMS]
        for a, b in product(FORMS, FORMS):
            if a < b:
                score = SCORES[kind(a, b)] + move + shift
                agreement.append(
                    run
                    | {"measure_a": a.measure, "measure_b": b.measure, "element_similarity": score}
                    | {"element_similarity_alive": score - 0.1, "element_similarity_adjusted": score - 0.2}
                    | {"element_similarity_best": score + 0.1}
                )
    return Tables(*map(pd.DataFrame, (models, modularity, agreement)))


def test_numbers_are_those_that_were_planted():
    found = headline(planted("base"), Choice())
    assert found["networks"] == 4 * 3
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
    found = headline(planted("base"), choice)
    assert found["lead"] == pytest.approx(lead)
    assert found["across"] == pytest.approx(across)


def test_no_lead_without_all_three_regularizers():
    """With a cut-off of 0.95 neither L1 nor strong L2 is left."""
    found = headline(planted("base"), Choice(least_accuracy=0.95))
    assert math.isnan(found["lead"])
    assert found["across"] == pytest.approx(0.3)


def test_a_single_seed_has_no_error_and_no_networks_no_numbers():
    assert math.isnan(headline(planted("base", seeds=1), Choice())["across_se"])
    empty = headline(planted("base").of("early"), Choice())
    assert empty.pop("networks") == 0
    assert all(map(math.isnan, empty.values()))


def test_seeds_without_a_baseline_do_not_count_for_the_lead():
    tables = planted("base")
    without = tables.modularity[(tables.modularity["strength"] != 1e-5) | (tables.modularity["seed"] != 0)]
    assert headline(tables._replace(modularity=without), Choice())["lead_se"] == pytest.approx(0.07 * 0.01 / 2)


def test_pairs_are_of_their_kind():
    agreement = planted("base", seeds=1).agreement.head(28)
    expected = [kind(a, b) for a, b in product(FORMS, FORMS) if a < b]
    assert list(kinds(agreement)) == expected
    assert np.unique(expected, return_counts=True)[1].tolist() == [16, 4, 4, 4]


def test_rows_name_source_and_choice():
    tables = Tables(*map(pd.concat, zip(planted("base"), planted("early", shift=0.05), strict=True)))
    rows = pd.DataFrame(published_rows(tables), columns=COLUMNS).set_index("choice")
    assert (rows["source"] == "published run").all()
    assert rows.loc["protocol: early stopping", "across"] == pytest.approx(0.35)
    assert rows.loc["as in the paper", "across"] == pytest.approx(0.3)
    tables = Tables(*map(pd.concat, zip(planted("reference"), planted("more-steps", shift=0.1), strict=True)))
    rows = pd.DataFrame(variant_rows(tables, {"more-steps": {"clustering: steps": 20_000}}), columns=COLUMNS)
    assert list(rows["choice"]) == ["as in the paper", "clustering: steps: 20000"]
    assert rows["across"].tolist() == pytest.approx([0.3, 0.4])
