"""The scorecard: planted effects of either sign flip every verdict."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from unit_clusters.similarity.measures import FORMS
from unit_clusters.streams import stream
from unit_clusters_paper.claims import architecture, changes, document, quantities, scorecard
from unit_clusters_paper.claims.comparison import TRAINING, least_excess
from unit_clusters_paper.claims.intervals import Interval, Mean, interval, ratio
from unit_clusters_paper.claims.networks import PAIRS, arrange
from unit_clusters_paper.claims.paper import MAIN, SECTIONS
from unit_clusters_paper.claims.rules import Claim, Row, above, below, between
from unit_clusters_paper.results.selection import LIMIT
from unit_clusters_paper.runs.pages import to_html

ROOT = Path(__file__).parent.parent

CLAIMS = [
    *("q-dropout-largest", "q-dropout-upstream", "q-dropout-layer1", "redundancy", "weights-dropout"),
    "q-l2-increases",
    *("q-l1-weak", "sparsity-alike", "k-stable", "k-range", "k-training", "k-trends"),
    *("trends-remain", "wide-attenuated", "wide-l1-downstream", "wide-l1-degrades"),
    *("deep-exaggerated", "deep-lead-early", "deep-early", "deep-late-downstream", "null-depth", "null-depth-k"),
    *("agree-within", "agree-within-strength", "agree-normalisation", "agree-moment-gradient"),
    *("agree-downstream-untrained", "agree-upstream-trained", "agree-across-trained"),
    *("agree-upstream-strength", "agree-upstream-ends", "agree-downstream-normalised", "agree-l1-unnormalised"),
    *("agree-scores-alike", "transfer-confirms", "transfer-training", "mc-improves", "spectral-helps"),
    *("soft-clusters", "discarded-extreme", "hypothesis-1", "hypothesis-2", "hypothesis-3", "hypothesis-4"),
]
ROWS = document.ROWS

SWEEPS = {
    "l2": [1e-5, 1e-4, 1e-3, 1e-2, 1e-1],
    "l1": [1e-5, 1e-4, 1e-3, 1e-2],
    "dropout": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
}
SEEDS = {"base": 5, "wide": 3, "deep": 3, "early": 5}
LAYERS = {"base": 2, "wide": 2, "deep": 5, "early": 2}
UNTRAINED = 50
RUN = ["experiment", "regularizer", "strength", "seed"]
OF_MODELS = ["trained", "test_accuracy", LIMIT, "sparsity", "q_weights"]

# How much Q* changes at the full dose: by experiment, regulariser, and whether upstream; one number or one a layer.
RISES = {
    True: {
        ("base", "dropout", True): (0.50, 0.40),
        ("base", "dropout", False): 0.02,
        ("base", "l2", True): 0.18,
        ("base", "l2", False): 0.02,
        ("base", "l1", True): 0.13,
        ("base", "l1", False): 0.01,
        ("wide", "dropout", True): 0.06,
        ("wide", "dropout", False): 0.01,
        ("wide", "l1", True): 0.05,
        ("wide", "l1", False): 0.02,
        ("deep", "dropout", True): (0.6, 0.6, 0.5, 0.4, 0.4),
        ("deep", "dropout", False): (0.0, 0.0, 0.1, 0.2, 0.2),
        ("deep", "l1", True): 0.05,
        ("deep", "l1", False): 0.005,
        **{(experiment, "l2", True): 0.05 for experiment in ("wide", "deep")},
        **{(experiment, "l2", False): 0.005 for experiment in ("wide", "deep")},
    },
    False: {
        ("base", "dropout", True): (-0.04, -0.01),
        ("base", "dropout", False): (-0.02, -0.005),
        **{("base", "l2", upstream): -0.01 for upstream in (True, False)},
        **{("base", "l1", upstream): 0.2 for upstream in (True, False)},
        **{("wide", "dropout", upstream): -0.02 for upstream in (True, False)},
        **{("wide", "l1", upstream): -0.02 for upstream in (True, False)},
        ("deep", "l1", True): 0.5,
        ("deep", "dropout", True): (-0.02, -0.02, 0.0, 0.0, 0.0),
        ("deep", "dropout", False): (0.0, 0.0, 0.0, -0.02, -0.02),
        **{(experiment, "l2", upstream): 0.01 for experiment in ("wide", "deep") for upstream in (True, False)},
    },
}
WORST = {True: {("l2", 1e-1), ("l1", 1e-2)}, False: {("dropout", 0.1)}}
"""The settings at which no network learns."""


def make_tables(holds):
    """models.csv, modularity.csv and agreement.csv of networks on which every claim holds, or every claim fails."""
    models = make_models(holds)
    return models.drop(columns=["dose", "luck"]), make_modularity(holds, models), make_agreement(holds, models)


def make_models(holds):
    rows = []
    for experiment, (regularizer, strengths) in product(SEEDS, SWEEPS.items()):
        for place, strength in enumerate(strengths):
            dose = 0 if (regularizer, strength) == ("l2", 1e-5) else (place + 1) / len(strengths)
            accuracy = 0.1135 if (regularizer, strength) in WORST[holds] else 0.97
            sparsity = 0.2 + {"l1": 0.8, "l2": 0.8 if holds else 0.05, "dropout": 0}[regularizer] * dose
            rows += [
                (experiment, regularizer, strength, seed, True, accuracy, sparsity, dose)
                for seed in range(SEEDS[experiment])
            ]
    rows += [
        (experiment, "none", 0.0, 1000 + seed, False, 0.1, 0.2, 0.0)
        for experiment in ("base", "wide", "deep")
        for seed in range(UNTRAINED)
    ]
    models = pd.DataFrame(rows, columns=[*RUN, "trained", "test_accuracy", "sparsity", "dose"])
    models[LIMIT] = 0.8
    # Each network has its own luck, the same in all layers; that of trained networks is small.
    spread = np.where(models["trained"], 1e-3, 1.0)
    luck = spread * stream("claims", str(holds)).standard_normal(len(models))
    dropout = models["dose"] * (models["regularizer"] == "dropout")
    return models.assign(luck=luck, q_weights=0.2 + (0.1 if holds else -0.1) * dropout + 0.01 * luck)


def make_modularity(holds, models):
    forms = pd.DataFrame(FORMS).assign(upstream=[form.upstream for form in FORMS])
    table = models.merge(pd.DataFrame({"layer": range(1, 6)}), how="cross").merge(forms, how="cross")
    table = table[table["layer"] <= table["experiment"].map(LAYERS)].reset_index(drop=True)
    trained, dose, luck, layer = (table[name] for name in ("trained", "dose", "luck", "layer"))
    experiments = table["experiment"].replace("early", "base")
    keys = zip(experiments, table["regularizer"], table["upstream"], layer - 1, strict=True)
    rise = [np.broadcast_to(RISES[holds].get(key[:3], 0.0), 5 if key[0] == "deep" else 2)[key[3]] for key in keys]
    dropout = dose * (table["regularizer"] == "dropout")
    table["q"] = 0.4 + 0.1 * holds * layer + rise * dose + 0.05 * luck
    table["q_best"] = table["q"] + 0.001
    table["q_rotated"] = 0.1 + 0.001 * luck
    table["dead_units"] = np.where(dose * (table["regularizer"] == "l2") > 0.5, 20, 2)
    table["q_spectral"] = table["q"] * (0.9 if holds else 1.1)
    table["q_from_one_cluster"] = (table["q"] + (-0.01 if holds else 0.02)).where(table["normalized"])
    table["q_from_one_cluster_full"] = table["q_from_one_cluster"]
    own = 0.1 * dose * np.where(table["upstream"], 1, -1)
    table["num_clusters"] = 3 + 0.3 * luck + (0.4 * layer + own if holds else 4 * trained + 3 * dose)
    table["used_clusters"] = 4 if holds else 9
    table["soft_units"], table["soft_gain"] = 2.0 * holds, 0.001 * holds
    table["largest_share"] = 0.4 + 0.02 * luck + (0 if holds else 0.3) * dropout
    table["contrast"] = 0.2 + (0.3 if holds else -0.3) * dropout + 0.01 * luck
    return table.drop(columns=[*OF_MODELS, "dose", "luck", "upstream"])


def make_agreement(holds, models):
    names = ["measure_a", "normalized_a", "measure_b", "normalized_b"]
    pairs = pd.DataFrame([(*a, *b) for a, b in PAIRS], columns=names).assign(place=range(len(PAIRS)))
    table = models.merge(pd.DataFrame({"layer": range(1, 6)}), how="cross").merge(pairs, how="cross")
    table = table[table["layer"] <= table["experiment"].map(LAYERS)].reset_index(drop=True)
    trained, dose = table["trained"], table["dose"]
    own, upstream, downstream, across, raw, alike, unlike = (
        table["place"].isin(places)
        for places in (
            *(quantities.OWN, quantities.UPSTREAM_FAMILY, quantities.DOWNSTREAM_FAMILY, quantities.ACROSS),
            *(quantities.ACROSS_RAW, quantities.DOWNSTREAM_ALIKE, quantities.DOWNSTREAM_UNLIKE),
        )
    )
    last_l1 = (table["regularizer"] == "l1") & (table["strength"] == (1e-3 if holds else 1e-2))
    if holds:
        score = 0.8 * own + 0.6 * downstream + (0.27 + 0.06 * trained + dose**2) * upstream
        score += (0.25 + 0.05 * trained) * across + 0.2 * last_l1 * raw + 0.1 * dose * (1.0 * alike - unlike)
    else:
        score = 0.3 * own + (0.3 + 0.25 * trained) * downstream + (0.9 - 0.05 * trained - 0.3 * dose) * upstream
        score += (0.6 + 0.35 * trained) * across - 0.3 * last_l1 * raw - 0.1 * dose * (1.0 * alike - unlike)
    table["element_similarity"] = score + 1e-3 * table["luck"]
    for name, best in (("", 0), ("_best", 0.01)):
        table[f"element_similarity{name}"] = table["element_similarity"] + best
        table[f"element_similarity{name}_adjusted"] = (table[f"element_similarity{name}"] - 0.2) / 0.8
    table["element_similarity_alive"] = table["element_similarity"] - 0.05
    table["element_similarity_alive_adjusted"] = table["element_similarity_adjusted"]
    table["element_similarity_rotated"] = 0.1
    table["transferability"] = 0.3 * table["element_similarity"]
    for name in ("rmi", "vi", "ari", "nmi"):
        table[name] = (1 if holds else -1) * table["element_similarity"]
    return table.drop(columns=[*OF_MODELS, "dose", "luck", "place"])


@pytest.fixture(scope="module")
def tables():
    return {holds: make_tables(holds) for holds in (True, False)}


@pytest.fixture(scope="module")
def scored(tables):
    return {holds: scorecard.score(*tables[holds]).set_index("id") for holds in (True, False)}


@pytest.fixture(autouse=True)
def _signatures_are_checked_in_scored_alone(scored, unchecked):
    """To check all of them again in each test takes more than half of its time."""


TESTABLE = [id for id in ROWS if id != "soft-clusters"]


def test_every_claim_is_scored_under_its_own_id(scored):
    ids = scored[True].index
    assert ids.is_unique
    assert list(dict.fromkeys(id.partition("/")[0] for id in ids)) == CLAIMS
    assert list(scored[True].reset_index().columns) == list(scorecard.COLUMNS)


@pytest.mark.parametrize("id", TESTABLE)
def test_a_planted_effect_decides_the_verdict(scored, id):
    for holds, verdict in ((True, scorecard.HOLDS), (False, scorecard.FAILS)):
        each = ROWS[id].each_strength
        rows = scored[holds][[one == id or (each and one.startswith(f"{id}/")) for one in scored[holds].index]]
        assert (rows["verdict"] == verdict).all(), rows.T.to_string()
        assert len(rows) == (sum(map(len, SWEEPS.values())) - len(WORST[holds]) if each else 1)


def test_what_older_tables_lack_is_not_testable(tables, scored):
    models, modularity, agreement = tables[True]
    fewer = models.drop(columns="q_weights")
    rows = scorecard.score(fewer, modularity.drop(columns=["soft_units", "soft_gain"]), agreement).set_index("id")
    assert rows.loc["soft-clusters", "verdict"] == "not testable: the tables have no column soft_units"
    assert rows.loc["weights-dropout", "verdict"] == "not testable: the tables have no column q_weights"
    rows = scorecard.score(fewer, modularity, agreement, models[[*RUN, "q_weights"]].sample(frac=1, random_state=0))
    pd.testing.assert_frame_equal(rows.set_index("id"), scored[True])


# Verdicts


def test_seeds_that_disagree_leave_it_undecided(tables):
    models, modularity, agreement = tables[True]
    modularity = modularity.copy()
    l2 = (modularity["experiment"] == "base") & (modularity["regularizer"] == "l2") & (modularity["strength"] > 1e-5)
    modularity.loc[l2, "q"] += np.where(modularity.loc[l2, "seed"] % 2, 0.2, -0.4)
    row = scorecard.score(models, modularity, agreement).set_index("id").loc["q-l2-increases"]
    assert row["verdict"] == scorecard.MORE_SEEDS
    assert row["ci_low"] < 0 < row["ci_high"]
    assert (row["seeds_needed"] > 5) or np.isnan(row["seeds_needed"])


@pytest.mark.parametrize(
    ("rule", "found", "verdict"),
    [
        (above(0), (0.15, 0.1, 0.2), "holds"),
        (above(0), (0.1, 0.0, 0.2), "needs more seeds"),
        (above(0), (-0.05, -0.1, 0.0), "fails"),
        (below(1), (0.5, 0.1, 0.9), "holds"),
        (below(1), (0.99, 0.9, 1.1), "needs more seeds"),
        (below(1), (1.0, 1.0, 1.0), "fails"),
        (between(-0.5, 0.5), (0.1, -0.4, 0.4), "holds"),
        (between(-0.5, 0.5), (0.1, -0.6, 0.4), "needs more seeds"),
        (between(-0.5, 0.5), (-0.8, -0.9, -0.6), "fails"),
        (above(0.5), (np.inf, 0.9, np.inf), "needs more seeds"),
        (above(0.5), (-np.inf, -np.inf, -np.inf), "fails"),
    ],
)
def test_a_rule_must_hold_at_the_whole_interval(rule, found, verdict):
    assert scorecard.decide(Interval(*found), rule) == verdict


def with_values(networks, values):
    """As many seeds of wide as there are values of the column x."""
    group = networks.groups["wide", True]
    columns = {"x": np.asarray(values)[None]}
    group = replace(group, seeds=list(range(len(values))), columns=columns)
    return replace(networks, groups={**networks.groups, ("wide", True): group})


def test_so_many_seeds_decide_in_nine_of_ten_runs(tables):
    networks, effect = arrange(*tables[True]), 0.4

    def mean(networks, column):
        return networks.mean("wide", networks.group("wide")[column])[0]

    ten = stream("claims", "power").standard_normal(10)
    ten = effect + (ten - ten.mean()) / ten.std(ddof=1)
    row = Row("", "", mean, above(0), "x", ("wide",), unit="")
    judged = scorecard.judge(mean, "x", row, with_values(networks, ten))
    assert judged.verdict == "needs more seeds"
    runs = effect + stream("claims", "runs").standard_normal((int(judged.seeds), 4000))
    assert 0.88 < (Mean.of("a", runs).limit(-1, 0.025) > 0).mean() < 0.97
    near = with_values(networks, ten - effect + 0.1)
    assert scorecard.judge(mean, "x", row, near)[2:] == ("needs more seeds", pytest.approx(np.nan, nan_ok=True))
    far = with_values(networks, ten - effect + 0.6)
    assert scorecard.judge(mean, "x", row._replace(rule=above(0.5)), far).verdict == "depends on the word"


@pytest.mark.parametrize(
    ("verdicts", "overall", "any_row"),
    [
        (["holds", "holds"], "holds", "holds"),
        (["needs more seeds", "needs more seeds"], "needs more seeds", "needs more seeds"),
        (["needs more seeds", "depends on the word"], "depends on the word", "depends on the word"),
        (["holds", "fails"], "holds in part", "holds"),
        (["holds", "needs more seeds"], "holds in part", "holds"),
        (["fails", "needs more seeds"], "fails", "needs more seeds"),
        (["fails", "not testable: no data"], "fails", "fails"),
        (["not testable: no data", "not testable: other"], "not testable", "not testable"),
    ],
)
def test_the_verdict_on_a_claim_follows_from_its_rows(verdicts, overall, any_row):
    for expected, enough in ((overall, False), (any_row, True)):
        assert scorecard.overall(Claim("a", "", "", [], enough), verdicts) == expected


OTHERWISE = ("element_similarity_", "ari", "q_best", "q_from_one_cluster_full")
"""Beginnings of the columns that are not the paper's metrics."""


def test_what_is_not_the_papers_metric_is_shown_and_decides_nothing(tables, scored):
    models, modularity, agreement = tables[True]
    opposite = [
        table.assign(**{name: other[name] for name in table if name.startswith(OTHERWISE)})
        for table, other in ((modularity, tables[False][1]), (agreement, tables[False][2]))
    ]
    rows = scorecard.score(models, *opposite).set_index("id")
    kept = [id for id in rows.index if id != "agree-scores-alike/ari"]
    assert (rows.loc[kept, "verdict"] == scored[True].loc[kept, "verdict"]).all()
    words = rows.loc["agree-within/base/upstream", "robustness"]
    assert words.count("fails") == 4
    assert "adjusted Rand index: holds" in words  # by this one even those tables agree more within families
    assert scored[True].loc["agree-within/base/upstream", "robustness"].count(": holds") == 5
    assert rows.loc["q-l2-increases", "robustness"].startswith("best partitions: fails -0.0")
    assert rows.loc["deep-exaggerated", "robustness"].count(": ") == 3  # best partitions, strengths of both, base


def test_early_stopping_stands_beside_what_is_about_base(tables, scored):
    mixed = [
        pd.concat([table[table["experiment"] != "early"], other[other["experiment"] == "early"]])
        for table, other in zip(tables[True], tables[False], strict=True)
    ]
    rows = scorecard.score(*mixed).set_index("id")
    about = [id for id in rows.index if rows.loc[id, "early_verdict"]]
    assert {id for id in ROWS if "base" in ROWS[id].experiments} >= set(about) & set(ROWS)
    with_small = {id for id in ROWS if architecture.SMALL in ROWS[id].statistic}
    assert len(with_small) == 6
    others = rows.index.difference(with_small)
    assert (rows.loc[others, "verdict"] == scored[True].loc[others, "verdict"]).all()
    assert rows.loc["q-l2-increases", "early_verdict"] == "fails"
    assert rows.loc["q-l2-increases", "early_value"] == pytest.approx(-0.0075, abs=1e-3)
    assert rows.loc["wide-attenuated/rise", "early_verdict"] == ""
    assert "| fails: -0.00" in scorecard.to_markdown(rows.reset_index(), 0.8)
    without = scorecard.score(*(table[table["experiment"] != "early"] for table in tables[True]))
    assert not without["early_verdict"].any()


def test_the_strength_at_which_it_is_scored_is_named(scored, tables):
    assert "strongest good L1 (0.001)" in scored[True].loc["agree-l1-unnormalised/more", "statistic"]
    models, *others = tables[True]
    bad = (models["experiment"] == "early") & (models["strength"] == 1e-3) & (models["seed"] < 3)
    models = models.assign(test_accuracy=models["test_accuracy"].mask(bad, 0.5))
    row = scorecard.score(models, *others).set_index("id").loc["agree-l1-unnormalised/more"]
    assert "strongest good L1 (0.001; early 0.0001)" in row["statistic"]


def test_numbers_can_be_read_and_are_held_against_their_limit(scored):
    rows = scored[True]
    assert (rows["unit"] != "").all()
    like = rows.loc["q-l1-weak/like-l2"]
    assert like["value"] == pytest.approx(0.07 * 0.75 / (0.1 * 0.8), rel=0.01)
    assert like["distance"] == pytest.approx(like["value"] - 0.5)
    assert rows.loc["agree-within/base/downstream", "unit"] == "in element similarity"
    limits = rows["rule"].str.partition(":")[0]
    for row, limit in zip(rows.itertuples(), limits, strict=True):
        words = limit.replace("and ", "").split()
        distances = [
            row.value - float(number) if word == "above" else float(number) - row.value
            for word, number in zip(words[::2], words[1::2], strict=True)
        ]
        assert row.distance == pytest.approx(min(distances))


def test_live_units_and_chance_are_looked_at(tables, scored):
    models, modularity, agreement = tables[True]
    rows = scored[True]
    assert rows.loc["agree-within/base/upstream", ["live_verdict", "chance_verdict"]].tolist() == ["holds", "holds"]
    # L2 beyond half of its sweep leaves fewer units alive, and is left out: its mean rise is of the others
    weak = modularity[(modularity["regularizer"] != "l2") | (modularity["strength"] < 1e-3)]
    fewer = scorecard.score(
        models[(models["regularizer"] != "l2") | (models["strength"] < 1e-3)],
        weak,
        agreement[(agreement["regularizer"] != "l2") | (agreement["strength"] < 1e-3)],
    ).set_index("id")
    assert rows.loc["q-l2-increases", "live_value"] == pytest.approx(fewer.loc["q-l2-increases", "value"])
    assert rows.loc["q-l2-increases", "live_value"] < 0.7 * rows.loc["q-l2-increases", "value"]
    # a rise that the turned axes have, too, is no more than chance
    alike = modularity.assign(q_rotated=modularity["q"] - 0.01 * modularity["layer"])
    found = scorecard.score(models, alike, agreement.assign(element_similarity_rotated=0.95)).set_index("id")
    assert found.loc["q-l2-increases", "chance_value"] == pytest.approx(0, abs=1e-9)
    assert found.loc["q-l2-increases", "verdict"] == "holds"
    above = agreement["element_similarity_alive_adjusted"] - agreement["element_similarity_rotated"]
    plain = arrange(models, modularity, agreement.assign(x=above))
    expected = float(ROWS["agree-within/base/upstream"].value(plain, "x").value)
    assert rows.loc["agree-within/base/upstream", "chance_value"] == pytest.approx(expected)
    older = scorecard.score(models, modularity.drop(columns="q_rotated"), agreement).set_index("id")
    assert older.loc["q-l2-increases", "chance_verdict"].startswith("not testable: the tables have no column")


def test_other_data_stands_beside(scored):
    other = scored[False].reset_index()
    rows = scorecard.beside(scored[True].reset_index(), other[other["id"] != "redundancy"]).set_index("id")
    assert (rows.loc["q-l2-increases", "other_verdict"], rows.loc["redundancy", "other_verdict"]) == ("fails", "")
    assert rows.loc["q-l2-increases", "other_value"] == scored[False].loc["q-l2-increases", "value"]


# Tables without any structure: whatever a statistic mixes up changes its value.


def make_noise():
    """Random values; one strength that only small networks have, and two that are not good, stand out by their Q*."""
    random, tables = stream("claims", "noise"), []
    for table in make_tables(True):
        small = table["experiment"].isin(["base", "early"])
        more = table[small & (table["strength"] == 0.6)].assign(strength=0.65)
        table = pd.concat([table, more], ignore_index=True)
        values = table.select_dtypes("number").columns.difference(["strength", "seed", "layer", LIMIT])
        table[values] = random.uniform(0.1, 0.9, table[values].shape)
        tables.append(table)
    models, modularity, agreement = tables
    models["test_accuracy"] = np.where(models["strength"] == 1e-2, 0.3, 0.95)
    modularity["q"] += 5.0 * (modularity["strength"] == 0.65) + 9.0 * (modularity["strength"] == 1e-2)
    return models, modularity, agreement


@pytest.fixture(scope="module")
def noise():
    """Random tables in which single networks of strengths that are good nevertheless are discarded."""
    models, modularity, agreement = make_noise()
    some = models["trained"] & (models["seed"] == 1) & models["strength"].isin([1e-4, 1e-3, 0.3])
    models.loc[some, "test_accuracy"] = [np.nan, 0.79] * (some.sum() // 2) + [0.5] * (some.sum() % 2)
    return models, modularity, agreement


def of_kept(models, table):
    kept = models[~models["trained"] | (models["test_accuracy"] >= 0.8)]
    return table.merge(kept[[*RUN, "trained"]], on=RUN)


def plain_rises(models, modularity, experiment, regularizer, forms, layers=range(1, 6)):
    """The mean rise at each strength, as pandas gives it; the strengths that are not good have none."""
    rows = of_kept(models, modularity)
    rows = rows[(rows["experiment"] == experiment) & rows["layer"].isin(layers)]
    rows = rows[
        [
            (measure, normalized) in forms
            for measure, normalized in zip(rows["measure"], rows["normalized"], strict=True)
        ]
    ]
    cell = ["seed", "layer", "measure", "normalized"]
    baseline = rows[(rows["regularizer"] == "l2") & (rows["strength"] == 1e-5)]
    pairs = rows[rows["regularizer"] == regularizer].merge(baseline, on=cell, suffixes=("", "_baseline"))
    rises = (pairs["q"] - pairs["q_baseline"]).groupby(pairs["strength"]).mean()
    return rises.drop([1e-5] if regularizer == "l2" else [])


def plain_agreement(models, agreement, experiment, belongs, score, trained=True):
    rows = of_kept(models, agreement)
    rows = rows[(rows["experiment"] == experiment) & (rows["trained"] == trained)]
    upstream_a, upstream_b = (rows[name].isin(["cov", "i_sens"]) for name in ("measure_a", "measure_b"))
    return rows.loc[belongs(upstream_a, upstream_b, rows["measure_a"] == rows["measure_b"]), score].mean()


UPSTREAM = [(measure, normalized) for measure in ("cov", "i_sens") for normalized in (False, True)]
DOWNSTREAM = [(measure, normalized) for measure in ("o_sens", "hess") for normalized in (False, True)]
EVERY = UPSTREAM + DOWNSTREAM


def value_of(id, networks, column=None):
    return float(ROWS[id].value(networks, column or ROWS[id].column).value)


def test_rises_are_paired_by_seed_and_leave_out_discarded_networks(noise):
    models, modularity, _ = noise
    networks = arrange(*noise)
    rises = plain_rises(models, modularity, "wide", "l1", DOWNSTREAM)
    assert list(rises.index) == [1e-5, 1e-4, 1e-3]
    assert value_of("wide-l1-downstream/rise", networks) == pytest.approx(rises.mean())
    early, late = (
        plain_rises(models, modularity, "deep", "dropout", UPSTREAM, layers)[0.6] for layers in ([1, 2], [4, 5])
    )
    assert value_of("deep-early", networks) == pytest.approx(early - late)


def test_leads_are_of_good_strengths_each_experiment_in_its_own_sweeps(noise):
    models, modularity, _ = noise
    networks = arrange(*noise)

    def lead(experiment, forms, shared=False, layers=range(1, 6), pick=lambda rises: rises.max()):
        dropout, l2, l1 = (
            plain_rises(models, modularity, experiment, name, forms, layers) for name in ("dropout", "l2", "l1")
        )
        return pick(dropout.drop([0.65] if shared and experiment == "early" else [])) - max(pick(l2), pick(l1))

    normalized_cov = value_of("q-dropout-largest/normalized-cov", networks)
    assert normalized_cov == pytest.approx(lead("base", [("cov", True)]))
    assert normalized_cov > 4  # the strength that stands out counts
    assert value_of("deep-exaggerated", networks) == pytest.approx(lead("deep", UPSTREAM) - lead("early", UPSTREAM))
    shared, base = ROWS["deep-exaggerated"].checks.values()
    expected = lead("deep", UPSTREAM, True) - lead("early", UPSTREAM, True)
    assert float(shared(networks, "q").value) == pytest.approx(expected)
    assert float(base(networks, "q").value) == pytest.approx(lead("deep", UPSTREAM) - lead("base", UPSTREAM))
    assert value_of("wide-attenuated/greatly", networks) == pytest.approx(lead("wide", EVERY) / lead("early", EVERY))
    without = arrange(*(table[table["experiment"] != "early"] for table in noise))
    assert value_of("deep-exaggerated", without) == float(base(networks, "q").value)
    early, late = (lead("deep", UPSTREAM, False, layers, lambda rises: rises.iloc[-1]) for layers in ([1, 2], [4, 5]))
    assert value_of("deep-lead-early", networks) == pytest.approx(early - late)


def test_a_shared_strength_is_good_in_both_experiments(noise):
    models, *others = noise
    bad = (models["experiment"] == "deep") & (models["strength"] == 0.5)
    networks = arrange(models.assign(test_accuracy=models["test_accuracy"].mask(bad, 0.1)), *others)
    places = quantities.good_strengths(networks, "base", "dropout", shared_with=["deep"])
    strengths = [networks.group("base").settings[place][1] for place in places]
    assert strengths == [0.1, 0.2, 0.3, 0.4, 0.6]


def test_agreement_is_averaged_over_networks_layers_and_the_pairs_of_a_kind(noise):
    models, _, agreement = noise
    networks, score = arrange(*noise), "element_similarity_alive"

    def mean(experiment, belongs, trained=True):
        return plain_agreement(models, agreement, experiment, belongs, score, trained)

    upstream = mean("deep", lambda a, b, same: a & b & ~same)
    across = mean("deep", lambda a, b, same: a != b)
    assert value_of("agree-within/deep/upstream", networks, score) == pytest.approx(upstream - across)
    own = mean("base", lambda a, b, same: same)
    family = mean("base", lambda a, b, same: (a == b) & ~same)
    assert value_of("agree-normalisation", networks, score) == pytest.approx(own - family)
    before, floor = (
        mean("deep", lambda a, b, same: a & b & ~same, False),
        mean("deep", lambda a, b, same: a != b, False),
    )
    found = ROWS["agree-upstream-trained/deep"].value(networks, score)
    assert (float(found.part), float(found.whole)) == pytest.approx((upstream - before, upstream - floor))


PARTS = (-0.9, -0.3, 0.3, 0.7, 1.2)


@pytest.mark.parametrize(
    ("kind", "whole", "holds"),
    [
        ("downstream", 1.0, [False, True, True, False, False]),
        ("upstream", 1.0, [False, False, False, True, True]),
        ("across", 1.0, [False, False, True, False, False]),
        *((kind, -0.05, [False] * 5) for kind in TRAINING),  # there is no whole
    ],
)
def test_a_part_is_judged_by_its_size_and_sign_and_by_whether_there_is_a_whole(kind, whole, holds):
    small = np.array([-1e-6, 0, 1e-6])
    means = [Mean.of("a", value + small) for value in PARTS]
    found = [interval(ratio(part, Mean.of("a", whole + small))) for part in means]
    assert [scorecard.decide(one, TRAINING[kind].rule) == "holds" for one in found] == holds


def test_each_strength_is_judged_by_the_family_that_agrees_less(noise):
    models, _, agreement = noise
    networks, families = arrange(*noise), set()
    for strength in SWEEPS["dropout"]:
        at = (agreement["regularizer"] == "dropout") & (agreement["strength"] == strength)
        upstream, downstream, across = (
            plain_agreement(models, agreement[at], "base", belongs, "element_similarity")
            for belongs in (
                lambda a, b, same: a & b & ~same,
                lambda a, b, same: ~a & ~b & ~same,
                lambda a, b, same: a != b,
            )
        )
        value = least_excess(networks, "element_similarity", "base", ("dropout", strength)).value
        assert value == pytest.approx(min(upstream, downstream) - across)
        families.add(upstream < downstream)
    assert families == {True, False}


@pytest.mark.parametrize(("within", "holds"), [(0.9, False), (0.6, True), (0.35, False)])
def test_a_moderate_difference_is_neither_small_nor_large(tables, within, holds):
    """Of families, where a measure agrees with its own form by 1, and across by 0.3."""
    models, modularity, agreement = tables[True]
    places = {(*a, *b): place for place, (a, b) in enumerate(PAIRS)}
    pairs = agreement[["measure_a", "normalized_a", "measure_b", "normalized_b"]].itertuples(index=False, name=None)
    kinds = np.array([places[pair] for pair in pairs])
    values = np.where(np.isin(kinds, quantities.OWN), 1.0, np.where(np.isin(kinds, quantities.ACROSS), 0.3, within))
    networks = arrange(models, modularity, agreement.assign(element_similarity=values))
    assert (ROWS["agree-moment-gradient"].rule.distance(value_of("agree-moment-gradient", networks)) > 0) == holds


def test_half_of_the_seeds_make_a_strength_good(tables):
    models, *others = (table[table["seed"] % 1000 < 4] for table in tables[True])
    strength = (models["experiment"] == "base") & (models["strength"] == 0.3)
    for bad, good in ((2, True), (3, False)):
        accuracy = models["test_accuracy"].mask(strength & (models["seed"] < bad), 0.79)
        networks = arrange(models.assign(test_accuracy=accuracy), *others)
        assert (("dropout", 0.3) in networks.group("base").good_settings) == good


def test_another_limit_discards_other_networks(tables):
    models, *others = tables[True]  # their test accuracies are 0.97 and 0.1135
    for limit, good in ((0.98, 0), (0.97, 13), (0.1, 15)):
        group = arrange(models.assign(**{LIMIT: limit}), *others).group("base")
        assert len(group.good_settings) == good
        assert np.isnan(group["q"]).all(axis=(1, 2, 3)).sum() == 15 - good


def test_points_below_the_line_are_those_that_are_seen(noise):
    models, modularity, agreement = noise
    counted = modularity["experiment"] != "early"
    seen = of_kept(models, modularity[counted]).eval("q < q_from_one_cluster / 1.01").sum()
    assert 0 < value_of("spectral-helps/all", arrange(*noise)) == pytest.approx(seen)
    nearly = modularity.assign(q_from_one_cluster=modularity["q"] * 1.009)
    assert value_of("spectral-helps/all", arrange(models, nearly, agreement)) == 0


def test_only_the_two_strongest_of_a_sweep_are_extreme(tables):
    models, *others = tables[True]
    for strength, number in ((1e-3, 0), (1e-4, 5)):  # L1: the second strongest, and the third
        bad = (models["experiment"] == "base") & (models["regularizer"] == "l1") & (models["strength"] == strength)
        networks = arrange(models.assign(test_accuracy=models["test_accuracy"].mask(bad, 0.1)), *others)
        assert value_of("discarded-extreme/base", networks) == number


def test_clusters_are_compared_where_dropout_raises_q_most(tables):
    models, modularity, agreement = tables[True]
    for strength, stable in ((0.6, False), (0.3, True)):  # Q* rises most at 0.6
        changed = (modularity["regularizer"] == "dropout") & (modularity["strength"] == strength)
        shifted = modularity.assign(num_clusters=modularity["num_clusters"] + 1.0 * changed)
        value = value_of("k-stable/number", arrange(models, shifted, agreement))
        assert (ROWS["k-stable/number"].rule.distance(value) > 0) == stable


def test_few_seeds_are_shown_one_by_one(scored, noise):
    rows = scored[True]
    assert rows.loc["q-l2-increases", "per_seed"] == ""  # five seeds
    assert rows.loc["mc-improves/share", "per_seed"] == ""  # no one experiment's
    models, modularity, agreement = noise
    shown = []
    for seed in range(3):
        alone = modularity[(modularity["seed"] == seed) | (modularity["experiment"] != "wide")]
        shown.append(plain_rises(models, alone, "wide", "l1", DOWNSTREAM).mean())
    row = scorecard.score(models, modularity, agreement).set_index("id").loc["wide-l1-downstream/rise"]
    assert row["per_seed"] == "; ".join(f"{seed}: {value:.3g}" for seed, value in enumerate(shown))


def test_the_same_tables_give_the_same_files(tables, tmp_path):
    models, modularity, agreement = tables[True]
    shuffled = [table.sample(frac=1, random_state=1) for table in (models, modularity, agreement)]
    for name, given in (("a", tables[True]), ("b", shuffled)):
        scorecard.write_csv(scorecard.score(*given), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


# What the tables may lack


def test_missing_values_are_left_out(noise):
    models, modularity, agreement = noise
    holes = modularity.copy()
    holes.loc[stream("claims", "holes").random(len(holes)) < 0.1, ["q", "contrast"]] = np.nan
    found = interval(ROWS["q-l2-increases"].value(arrange(models, holes, agreement), "q"))
    assert np.isfinite(found).all()
    assert found.value != value_of("q-l2-increases", arrange(*noise))
    nothing = scorecard.score(models, modularity.assign(q=np.nan), agreement).set_index("id")
    assert nothing.loc["q-l2-increases", "verdict"] == "not testable: these networks leave it undefined"
    assert np.isnan(nothing.loc["q-l2-increases", "value"])


@pytest.mark.parametrize("dropped", ["wide", "deep", "base"])
def test_a_missing_experiment_leaves_the_others_testable(tables, dropped):
    rows = scorecard.score(*(table[table["experiment"] != dropped] for table in tables[True])).set_index("id")
    untested = rows["verdict"].str.startswith("not testable")
    about = [id for id in ROWS if dropped in ROWS[id].experiments]
    assert untested[about].all()
    assert (rows.loc[~untested, "verdict"] == "holds").all()
    assert 1 < untested.sum() < len(rows)


SMALLER = {
    "one strength a sweep": lambda table: table[table["strength"].isin([1e-5, 1e-4, 0.3, 0.0])],
    "no dropout": lambda table: table[table["regularizer"] != "dropout"],
    "no baseline": lambda table: table[~((table["regularizer"] == "l2") & (table["strength"] == 1e-5))],
    "two seeds": lambda table: table[table["seed"] % 1000 < 2],
    "one seed": lambda table: table[table["seed"] % 1000 < 1],
    "one seed of early": lambda table: table[(table["experiment"] != "early") | (table["seed"] < 1)],
    "no untrained networks": lambda table: table[table["regularizer"] != "none"],
    "only untrained networks": lambda table: table[table["regularizer"] == "none"],
    "one layer": lambda table: table[table["layer"] == 1] if "layer" in table else table,
    "only base, two seeds": lambda table: table[(table["experiment"] == "base") & (table["seed"] % 1000 < 2)],
    "old columns": lambda table: table.drop(
        columns=[
            *("contrast", "largest_share", "q_from_one_cluster", "q_from_one_cluster_full", "q_best"),
            *("rmi", "vi", "ari", "nmi", "element_similarity_adjusted", "element_similarity_best"),
        ],
        errors="ignore",
    ),
    "none learns": lambda table: table.assign(test_accuracy=0.1) if "test_accuracy" in table else table,
}


@pytest.mark.parametrize("smaller", SMALLER)
def test_small_tables_give_a_verdict_or_say_why_not(tables, smaller):
    rows = scorecard.score(*map(SMALLER[smaller], tables[True]))
    untested = rows["verdict"].str.startswith("not testable: ")
    assert untested.sum() > 1 or smaller in ("two seeds", "one seed of early")
    assert (rows["verdict"].isin(["holds", "fails", "needs more seeds", "depends on the word"]) | untested).all()
    assert (rows["value"].isna() == untested).all()
    tested = rows[~untested]
    assert ((tested["ci_low"] <= tested["value"]) & (tested["value"] <= tested["ci_high"])).all()
    assert (rows.loc[rows["interval"].str.contains("range|none"), "verdict"] == "needs more seeds").all()
    scorecard.to_markdown(rows, 0.8)


def test_without_an_interval_the_range_is_shown_and_nothing_decided(tables):
    models, modularity, agreement = (SMALLER["two seeds"](table) for table in tables[True])
    bad = (models["experiment"] == "wide") & (models["strength"] == 0.6) & (models["seed"] == 1)
    models = models.assign(test_accuracy=models["test_accuracy"].mask(bad, 0.1))
    row = (
        scorecard.score(models, modularity, agreement)
        .set_index("id")
        .loc["agree-within-strength/wide/each/dropout/0.6"]
    )
    assert (row["interval"], row["verdict"]) == ("1 seed: range", "needs more seeds")


def test_damaged_tables_are_refused_by_name(tables):
    models, modularity, agreement = tables[True]
    with pytest.raises(ValueError, match=r"modularity\.csv lacks the columns layer"):
        arrange(models, modularity.drop(columns="layer"), agreement)
    with pytest.raises(ValueError, match=r"agreement\.csv holds .*'seed': 0.* twice"):
        arrange(models, modularity, pd.concat([agreement, agreement[:1]]))
    with pytest.raises(ValueError, match=r"modularity\.csv holds .*'seed': 0.*models\.csv lacks"):
        arrange(models[models["seed"] != 0], modularity, agreement)


# Small pieces


def test_fitted_change_is_that_of_the_least_squares_line():
    doses, values = np.array([0.1, 0.2, 0.5, 0.7]), np.array([1.0, np.nan, 2.0, 5.0])
    known = [0, 2, 3]
    found = quantities.fitted_change(Mean.of("a", np.array([values, values])), doses)
    assert found.value == pytest.approx(np.polyfit(doses[known], values[known], 1)[0] * 0.6)


def test_rank_correlation_is_spearmans():
    random = stream("claims", "ranks")
    a, b = random.integers(0, 5, (2, 6, 12)).astype(float)
    a[0, 3], b[0, 5] = np.nan, np.nan
    expected = [spearmanr(x, y, nan_policy="omit").statistic for x, y in zip(a, b, strict=True)]
    assert quantities.rank_correlation(a, b) == pytest.approx(expected)


def test_the_scorecard_reads_as_a_table_by_section(scored):
    text = scorecard.to_markdown(scored[True].reset_index(), 0.8)
    assert f"**Of {len(CLAIMS)} claims {len(CLAIMS)} hold**." in text
    assert all(f"\n## {section}\n" in text for section in SECTIONS)
    assert all(f"**{id}**" in text for id in CLAIMS)
    first, rest = text.split("# All claims")
    main = [line for line in first.splitlines() if line.startswith("|")]
    assert len(main) == 2 + len(MAIN)
    assert {line.count("|") for line in main} == {9}
    table = [line for line in rest.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in table} == {10}
    assert len(table) == 2 * len(SECTIONS) + len(CLAIMS) + len(scored[True])


def test_a_claim_that_holds_in_part_says_where(scored):
    rows = scored[True].reset_index()
    rows.loc[rows["id"] == "q-l1-weak/like-l2", ["verdict", "seeds_needed"]] = ["needs more seeds", 36]
    rows.loc[rows["id"] == "q-dropout-upstream", ["verdict", "seeds_needed"]] = ["needs more seeds", 12]
    text = scorecard.to_markdown(rows, 0.8)
    assert text.count("**holds in part: weak**") == 2  # among the main claims, and all
    assert text.count("**needs more seeds (12)**") == 2
    assert "| needs more seeds (36) | like-l2: " in text
    rows.loc[rows["id"].str.startswith("agree-within-strength/base/each"), "verdict"] = "fails"
    assert "holds in part: base" not in scorecard.to_markdown(rows, 0.8)  # details do not count


def test_each_verdict_has_its_color_on_the_page(scored):
    verdicts = ["holds", "holds in part", "needs more seeds", "depends on the word", "fails", "not testable"]
    rows = scored[True].reset_index()
    rows.loc[:5, "verdict"] = [*verdicts[2:5], "not testable: no data", "holds", "fails"]
    page = to_html(scorecard.to_markdown(rows, 0.8))
    for name in (verdict.replace(" ", "-") for verdict in verdicts):
        assert f'<td class="{name}">' in page
        assert f".{name}" in page.partition("</style>")[0]


# docs/claims.md


@pytest.fixture(scope="module")
def earlier():
    return {name: pd.read_csv(ROOT / path) for name, path in document.EARLIER.items()}


@pytest.fixture(scope="module")
def first(earlier):
    return earlier["first"]


def test_docs_tell_the_rules_of_the_code_and_the_verdicts_of_the_published_tables(earlier):
    text = (ROOT / "docs" / "claims.md").read_text()
    published = document.published(ROOT / document.PUBLISHED)
    assert document.fill(text, published, earlier) == text, "run: python -m unit_clusters_paper.claims.document"


def test_each_rule_that_is_not_as_it_was_first_is_told(first):
    kept = first[~first["id"].str.endswith("/alive")].assign(id=first["id"].str.removesuffix("/all")).set_index("id")
    for id, row in ROWS.items():
        same = id in kept.index and tuple(kept.loc[id, ["statistic", "rule"]]) == (document.plain(row), str(row.rule))
        assert same or any(changes.belongs(id, rows) for rows in changes.CHANGES), id
    for id in kept.index.difference(list(ROWS)):
        assert any(changes.belongs(id, rows) for rows in changes.CHANGES), id


def test_each_told_change_is_of_rules_that_are_there(first):
    for rows in changes.CHANGES:
        assert any(changes.belongs(id, rows) for id in ROWS), rows
        assert rows in CLAIMS or any(changes.belongs(id, rows) for id in first["id"]), rows


def test_a_page_without_a_mark_is_refused(scored, earlier):
    text = (ROOT / "docs" / "claims.md").read_text().replace("<!-- end of added -->", "")
    with pytest.raises(ValueError, match="end of added"):
        document.fill(text, scored[True].reset_index(), earlier)
