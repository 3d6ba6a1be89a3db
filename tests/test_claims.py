"""The scorecard: planted effects of either sign flip every verdict, and intervals are those of a plain bootstrap."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from unit_clusters.claims import quantities as of
from unit_clusters.claims import scorecard
from unit_clusters.claims.networks import PAIRS, arrange, bootstrap, one_by_one
from unit_clusters.claims.paper import SECTIONS
from unit_clusters.claims.rules import Rule, above, below
from unit_clusters.measures import FORMS
from unit_clusters.streams import stream

CLAIMS = [
    *("q-dropout-largest", "q-dropout-layer1", "redundancy", "q-l2-increases"),
    *("q-l1-weak", "sparsity-alike", "k-stable", "k-range"),
    *("k-training", "wide-attenuated", "wide-l1-downstream", "wide-l1-degrades"),
    *("deep-exaggerated", "deep-early", "deep-late-downstream", "null-depth"),
    *("agree-within", "agree-normalisation", "agree-moment-gradient", "agree-downstream-untrained"),
    *("agree-upstream-trained", "agree-across-trained", "agree-upstream-strength", "agree-downstream-normalised"),
    *("agree-l1-unnormalised", "agree-scores-alike", "transfer-confirms", "mc-improves"),
    *("spectral-helps", "discarded-extreme", "hypothesis-1", "hypothesis-2"),
    *("hypothesis-3", "hypothesis-4"),
]
ROWS = [
    f"{claim.id}/{row.suffix}".rstrip("/") for claims in SECTIONS.values() for claim in claims for row in claim.rows
]

SWEEPS = {
    "l2": [1e-5, 1e-4, 1e-3, 1e-2, 1e-1],
    "l1": [1e-5, 1e-4, 1e-3, 1e-2],
    "dropout": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
}
SEEDS = {"base": 5, "wide": 3, "deep": 3}
LAYERS = {"base": 2, "wide": 2, "deep": 5}
UNTRAINED = 30
RUN = ["experiment", "regularizer", "strength", "seed"]

# How much Q* changes at the full dose: by experiment, regulariser, and whether upstream; one number or one a layer.
RISES = {
    True: {
        ("base", "dropout", True): (0.50, 0.40),
        ("base", "dropout", False): -0.05,
        ("wide", "dropout", True): 0.05,
        ("wide", "dropout", False): 0.05,
        ("wide", "l1", False): 0.04,
        ("deep", "dropout", True): (0.6, 0.6, 0.5, 0.4, 0.4),
        ("deep", "dropout", False): (0.0, 0.0, 0.1, 0.2, 0.2),
        **{("base", "l2", upstream): 0.10 for upstream in (True, False)},
        **{("base", "l1", upstream): 0.04 for upstream in (True, False)},
    },
    False: {
        **{("base", "dropout", upstream): (-0.004, -0.001) for upstream in (True, False)},
        **{("base", "l2", upstream): -0.003 for upstream in (True, False)},
        **{("base", "l1", upstream): 0.2 for upstream in (True, False)},
        **{("wide", "dropout", upstream): -0.02 for upstream in (True, False)},
        ("wide", "l1", False): -0.02,
        ("deep", "l1", True): 0.5,
        ("deep", "dropout", True): (-0.02, -0.02, 0.0, 0.0, 0.0),
        ("deep", "dropout", False): (0.0, 0.0, 0.0, -0.02, -0.02),
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
            dose = 0 if (regularizer, strength) == of.BASELINE else (place + 1) / len(strengths)
            accuracy = 0.1135 if (regularizer, strength) in WORST[holds] else 0.97
            sparsity = 0.2 + {"l1": 0.8, "l2": 0.8 if holds else 0.05, "dropout": 0}[regularizer] * dose
            rows += [
                (experiment, regularizer, strength, seed, True, accuracy, sparsity, dose)
                for seed in range(SEEDS[experiment])
            ]
    rows += [
        (experiment, "none", 0.0, 1000 + seed, False, 0.1, 0.2, 0.0)
        for experiment in SEEDS
        for seed in range(UNTRAINED)
    ]
    models = pd.DataFrame(rows, columns=[*RUN, "trained", "test_accuracy", "sparsity", "dose"])
    # Each network has its own luck, the same in all layers; that of trained networks is small.
    spread = np.where(models["trained"], 1e-3, 1.0)
    return models.assign(luck=spread * stream("claims", str(holds)).standard_normal(len(models)))


def make_modularity(holds, models):
    forms = pd.DataFrame(FORMS).assign(upstream=[form.upstream for form in FORMS])
    table = models.merge(pd.DataFrame({"layer": range(1, 6)}), how="cross").merge(forms, how="cross")
    table = table[table["layer"] <= table["experiment"].map(LAYERS)].reset_index(drop=True)
    trained, dose, luck = table["trained"], table["dose"], table["luck"]
    keys = zip(table["experiment"], table["regularizer"], table["upstream"], table["layer"] - 1, strict=True)
    rise = [np.broadcast_to(RISES[holds].get(key[:3], 0.0), 5 if key[0] == "deep" else 2)[key[3]] for key in keys]
    slope, dropout = 0.1 * holds, dose * (table["regularizer"] == "dropout")
    table["q"] = 0.4 + slope * table["layer"] + rise * dose + 0.05 * luck
    table["q_spectral"] = table["q"] * (0.9 if holds else 1.0)
    table["q_from_one_cluster"] = (table["q"] + (-0.01 if holds else 0.01)).where(table["normalized"])
    table["q_from_one_cluster_full"] = table["q_from_one_cluster"]
    table["num_clusters"] = 4 + 0.3 * luck + (0 if holds else 1) * (4 * trained + 3 * dropout)
    table["used_clusters"] = 4 if holds else 9
    table["largest_share"] = 0.4 + 0.02 * luck + (0 if holds else 0.3) * dropout
    table["contrast"] = 0.2 + (0.3 if holds else -0.3) * dropout + 0.01 * luck
    return table.drop(columns=["trained", "test_accuracy", "sparsity", "dose", "luck", "upstream"])


def make_agreement(holds, models):
    names = ["measure_a", "normalized_a", "measure_b", "normalized_b"]
    pairs = pd.DataFrame([(*a, *b) for a, b in PAIRS], columns=names).assign(place=range(len(PAIRS)))
    table = models.merge(pd.DataFrame({"layer": range(1, 6)}), how="cross").merge(pairs, how="cross")
    table = table[table["layer"] <= table["experiment"].map(LAYERS)].reset_index(drop=True)
    trained, dose = table["trained"], table["dose"]
    own, upstream, downstream, across, raw, alike, unlike = (
        table["place"].isin(places)
        for places in (
            *(of.OWN, of.UPSTREAM_FAMILY, of.DOWNSTREAM_FAMILY, of.ACROSS),
            *(of.ACROSS_RAW, of.DOWNSTREAM_ALIKE, of.DOWNSTREAM_UNLIKE),
        )
    )
    sign, last_l1 = (
        1 if holds else -1,
        (table["regularizer"] == "l1") & (table["strength"] == (1e-3 if holds else 1e-2)),
    )
    if holds:
        score = 0.8 * own + 0.6 * downstream + (0.3 + trained * 0.15) * upstream + (0.25 + 0.05 * trained) * across
    else:
        score = 0.3 * own + (0.3 + 0.25 * trained) * downstream + (0.6 - 0.05 * trained) * upstream
        score = score + (0.6 + 0.1 * trained) * across
    score = score + sign * (0.3 * dose * upstream + 0.1 * dose * alike - 0.1 * dose * unlike + 0.2 * last_l1 * raw)
    table["element_similarity"] = score + 1e-3 * table["luck"]
    table["element_similarity_alive"] = table["element_similarity"] - 0.05
    table["transferability"] = 0.3 * table["element_similarity"]
    for name in ("rmi", "vi", "ari", "nmi"):
        table[name] = sign * table["element_similarity"]
    return table.drop(columns=["trained", "test_accuracy", "sparsity", "dose", "luck", "place"])


@pytest.fixture(scope="module")
def tables():
    return {holds: make_tables(holds) for holds in (True, False)}


@pytest.fixture(scope="module")
def scored(tables):
    return {holds: scorecard.score(*tables[holds], replicates=200).set_index("id") for holds in (True, False)}


def test_every_claim_is_scored_under_its_own_id(scored):
    ids = scored[True].index
    assert ids.is_unique
    assert {id.partition("/")[0] for id in ids} == set(CLAIMS)
    assert list(scored[True].reset_index().columns) == list(scorecard.COLUMNS)


@pytest.mark.parametrize("id", ROWS)
def test_a_planted_effect_decides_the_verdict(scored, id):
    assert scored[True].loc[id, "verdict"] == scorecard.REPRODUCED, scored[True].loc[id].to_dict()
    assert scored[False].loc[id, "verdict"] == scorecard.NOT_REPRODUCED, scored[False].loc[id].to_dict()


def test_seeds_that_disagree_give_a_mixed_verdict(tables):
    models, modularity, agreement = tables[True]
    modularity = modularity.copy()
    l2 = (modularity["experiment"] == "base") & (modularity["regularizer"] == "l2") & (modularity["strength"] > 1e-5)
    modularity.loc[l2, "q"] += np.where(modularity.loc[l2, "seed"] % 2, 0.2, -0.4)
    mixed = scorecard.score(models, modularity, agreement, replicates=200).set_index("id").loc["q-l2-increases"]
    assert mixed["verdict"] == scorecard.MIXED
    assert mixed["ci_low"] < 0 < mixed["ci_high"]


@pytest.mark.parametrize(
    ("rule", "interval", "verdict"),
    [
        (above(0), (0.1, 0.2), "reproduced"),
        (above(0), (0.0, 0.2), "mixed"),
        (above(0), (-0.1, 0.0), "not reproduced"),
        (below(1), (0.1, 0.9), "reproduced"),
        (below(1), (0.9, 1.1), "mixed"),
        (below(1), (1.0, 1.0), "not reproduced"),
        (Rule(0.25, 0.75, ""), (0.3, 0.7), "reproduced"),
        (Rule(0.25, 0.75, ""), (0.1, 0.9), "mixed"),
        (Rule(0.25, 0.75, ""), (0.8, 0.9), "not reproduced"),
        (Rule(0.25, 0.75, ""), (0.1, 0.2), "not reproduced"),
    ],
)
def test_a_rule_must_hold_at_the_whole_interval(rule, interval, verdict):
    assert scorecard.verdict(*interval, rule) == verdict


@pytest.mark.parametrize(
    ("verdicts", "overall"),
    [
        (["reproduced", "reproduced"], "reproduced"),
        (["reproduced", "not reproduced"], "mixed"),
        (["not reproduced", "not testable: no data"], "not reproduced"),
        (["not testable: no data", "not testable: other"], "not testable"),
    ],
)
def test_a_claim_is_mixed_where_its_statistics_differ(verdicts, overall):
    assert scorecard.overall(verdicts) == overall


# Tables without any structure: whatever a statistic mixes up changes its value.


def make_noise():
    """Random values; one strength that only base has, and two that are not good, stand out by their Q*."""
    random, tables = stream("claims", "noise"), []
    for table in make_tables(True):
        only_base = table[(table["experiment"] == "base") & (table["strength"] == 0.6)].assign(strength=0.65)
        table = pd.concat([table, only_base], ignore_index=True)
        values = table.select_dtypes("number").columns.difference(["strength", "seed", "layer"])
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


def value_of(id, sample):
    rows = {f"{c.id}/{row.suffix}".rstrip("/"): row for claims in SECTIONS.values() for c in claims for row in c.rows}
    return rows[id].value(sample)


def test_rises_are_paired_by_seed_and_leave_out_discarded_networks(noise):
    models, modularity, _ = noise
    sample = bootstrap(arrange(*noise), 1)
    rises = plain_rises(models, modularity, "wide", "l1", DOWNSTREAM)
    assert list(rises.index) == [1e-5, 1e-4, 1e-3]
    assert value_of("wide-l1-downstream", sample)[0] == pytest.approx(rises.mean())
    early, late = (
        plain_rises(models, modularity, "deep", "dropout", UPSTREAM, layers)[0.6] for layers in ([1, 2], [4, 5])
    )
    assert value_of("deep-early", sample)[0] == pytest.approx(early - late)


def test_the_lead_is_over_good_strengths_and_across_experiments_over_shared_ones(noise):
    models, modularity, _ = noise
    sample = bootstrap(arrange(*noise), 1)

    def lead(experiment, forms, shared):
        dropout, l2, l1 = (plain_rises(models, modularity, experiment, name, forms) for name in ("dropout", "l2", "l1"))
        return dropout.drop([0.65] if shared and experiment == "base" else []).max() - max(l2.max(), l1.max())

    normalized_cov = value_of("q-dropout-largest/normalized-cov", sample)[0]
    assert normalized_cov == pytest.approx(lead("base", [("cov", True)], False))
    assert normalized_cov > 4  # the strength that stands out counts
    deep = lead("deep", UPSTREAM, True) - lead("base", UPSTREAM, True)
    assert value_of("deep-exaggerated", sample)[0] == pytest.approx(deep)


def test_agreement_is_averaged_over_networks_layers_and_the_pairs_of_a_kind(noise):
    models, _, agreement = noise
    sample, score = bootstrap(arrange(*noise), 1), "element_similarity_alive"

    def mean(experiment, belongs, trained=True):
        return plain_agreement(models, agreement, experiment, belongs, score, trained)

    upstream = mean("deep", lambda a, b, same: a & b & ~same)
    across = mean("deep", lambda a, b, same: a != b)
    assert value_of("agree-within/deep/upstream/alive", sample)[0] == pytest.approx(upstream - across)
    own = mean("base", lambda a, b, same: same)
    family = mean("base", lambda a, b, same: (a == b) & ~same)
    assert value_of("agree-normalisation/alive", sample)[0] == pytest.approx(own - family)
    before, floor = (
        mean("deep", lambda a, b, same: a & b & ~same, False),
        mean("deep", lambda a, b, same: a != b, False),
    )
    expected = of.share(np.array([upstream - before]), np.array([upstream - floor]))
    assert value_of("agree-upstream-trained/deep/alive", sample)[0] == pytest.approx(expected[0])


YARDSTICK = ("k-stable", "k-training", "null-depth", "hypothesis-2", "hypothesis-3")
"""These measure in standard deviations of all untrained networks, which are not drawn anew."""


def test_the_bootstrap_is_that_of_a_plain_loop():
    """Every statistic, on tables in which the rows of each drawn seed really stand as often as it was drawn."""
    tables = make_noise()
    sample = bootstrap(arrange(*tables), 3)
    drawn = pd.concat(
        [
            pd.DataFrame(
                {"experiment": experiment, "seed": group.seeds, "count": sample.weights[experiment, trained][2]}
            )
            for (experiment, trained), group in sample.groups.items()
        ],
        ignore_index=True,
    )
    assert drawn["count"].sum() == sum(SEEDS.values()) + len(SEEDS) * UNTRAINED
    copies = drawn.loc[drawn.index.repeat(drawn["count"]), ["experiment", "seed"]]
    copies["copy"] = range(len(copies))
    redrawn = [
        table.merge(copies, on=["experiment", "seed"]).drop(columns="seed").rename(columns={"copy": "seed"})
        for table in tables
    ]
    plain = bootstrap(arrange(*redrawn), 1)
    for id in ROWS:
        if not id.startswith(YARDSTICK):
            assert value_of(id, sample)[2] == pytest.approx(value_of(id, plain)[0], rel=1e-9, abs=1e-12), id


def test_seeds_are_drawn_for_all_settings_of_an_experiment_together(tables):
    models, modularity, agreement = tables[True]
    # Networks differ by their seed only: whatever is drawn, their difference to the baseline does not change.
    modularity = modularity.assign(q=0.3 + 0.1 * (modularity["regularizer"] == "l2") + modularity["seed"] % 7)
    modularity.loc[modularity["strength"] == 1e-5, "q"] -= 0.1 * (modularity["regularizer"] == "l2")
    low, high = np.quantile(value_of("q-l2-increases", bootstrap(arrange(models, modularity, agreement), 50)), [0, 1])
    assert low == pytest.approx(0.1)
    assert high == pytest.approx(0.1)


def test_few_seeds_are_shown_one_by_one(scored, noise):
    rows = scored[True]
    assert rows.loc["q-l2-increases", "per_seed"] == ""  # five seeds
    assert rows.loc["mc-improves/share", "per_seed"] == ""  # no one experiment's
    models, modularity, agreement = noise
    shown = value_of("wide-l1-downstream", one_by_one(arrange(*noise), "wide"))
    for seed in range(3):
        alone = modularity[(modularity["seed"] == seed) | (modularity["experiment"] != "wide")]
        assert shown[seed] == pytest.approx(plain_rises(models, alone, "wide", "l1", DOWNSTREAM).mean())
    row = scorecard.score(models, modularity, agreement, replicates=20).set_index("id").loc["wide-l1-downstream"]
    assert row["per_seed"] == "; ".join(f"{seed}: {value:.3g}" for seed, value in enumerate(shown))


def test_the_same_tables_give_the_same_files(tables, tmp_path):
    models, modularity, agreement = tables[True]
    shuffled = [table.sample(frac=1, random_state=1) for table in (models, modularity, agreement)]
    for name, given in (("a", tables[True]), ("b", shuffled)):
        scorecard.write_csv(scorecard.score(*given, replicates=20), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


# What the tables may lack


def test_missing_values_are_left_out(noise):
    models, modularity, agreement = noise
    holes = modularity.copy()
    holes.loc[stream("claims", "holes").random(len(holes)) < 0.1, ["q", "contrast"]] = np.nan
    values = value_of("q-l2-increases", bootstrap(arrange(models, holes, agreement), 20))
    assert np.isfinite(values).all()
    assert values[0] != value_of("q-l2-increases", bootstrap(arrange(*noise), 20))[0]
    nothing = scorecard.score(models, modularity.assign(q=np.nan), agreement, replicates=20).set_index("id")
    assert nothing.loc["q-l2-increases", "verdict"] == "not testable: these networks leave it undefined"
    assert np.isnan(nothing.loc["q-l2-increases", "value"])


@pytest.mark.parametrize("dropped", ["wide", "deep", "base"])
def test_a_missing_experiment_leaves_the_others_testable(tables, dropped):
    rows = scorecard.score(*(table[table["experiment"] != dropped] for table in tables[True]), replicates=20).set_index(
        "id"
    )
    untested = rows["verdict"].str.startswith("not testable")
    about = [id for id in ROWS if dropped in id.replace("/", "-").split("-") and not id.endswith("-base")]
    assert untested[about].all()
    assert (rows.loc[~untested, "verdict"] == "reproduced").all()
    assert 0 < untested.sum() < len(rows)


SMALLER = {
    "one strength a sweep": lambda table: table[table["strength"].isin([1e-5, 1e-4, 0.3, 0.0])],
    "no dropout": lambda table: table[table["regularizer"] != "dropout"],
    "no baseline": lambda table: table[~((table["regularizer"] == "l2") & (table["strength"] == 1e-5))],
    "two seeds": lambda table: table[table["seed"] % 1000 < 2],
    "one seed": lambda table: table[table["seed"] % 1000 < 1],
    "no untrained networks": lambda table: table[table["regularizer"] != "none"],
    "only untrained networks": lambda table: table[table["regularizer"] == "none"],
    "one layer": lambda table: table[table["layer"] == 1] if "layer" in table else table,
    "only base, two seeds": lambda table: table[(table["experiment"] == "base") & (table["seed"] % 1000 < 2)],
    "old columns": lambda table: table.drop(
        columns=[
            "contrast",
            "largest_share",
            "q_from_one_cluster",
            "q_from_one_cluster_full",
            "rmi",
            "vi",
            "ari",
            "nmi",
        ],
        errors="ignore",
    ),
    "none learns": lambda table: table.assign(test_accuracy=0.1) if "test_accuracy" in table else table,
}


@pytest.mark.parametrize("smaller", SMALLER)
def test_small_tables_give_a_verdict_or_say_why_not(tables, smaller):
    rows = scorecard.score(*map(SMALLER[smaller], tables[True]), replicates=20)
    untested = rows["verdict"].str.startswith("not testable: ")
    assert untested.any() or smaller == "two seeds"
    assert (rows["verdict"].isin(["reproduced", "mixed", "not reproduced"]) | untested).all()
    assert (rows["value"].isna() == untested).all()
    assert (rows.loc[~untested, "ci_low"] <= rows.loc[~untested, "ci_high"]).all()
    scorecard.to_markdown(rows)


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
    doses, values = (
        np.array([0.1, 0.2, 0.5, 0.7]),
        np.array([[1.0, 2.0, 2.0, 5.0], [4.0, np.nan, 2.0, 1.0], [np.nan] * 4]),
    )
    found = of.fitted_change(values, doses)
    assert found[0] == pytest.approx(np.polyfit(doses, values[0], 1)[0] * 0.6)
    known = [0, 2, 3]
    assert found[1] == pytest.approx(np.polyfit(doses[known], values[1, known], 1)[0] * 0.6)
    assert np.isnan(found[2])


def test_rank_correlation_is_spearmans():
    random = stream("claims", "ranks")
    a, b = random.integers(0, 5, (2, 6, 12)).astype(float)
    a[0, 3], b[0, 5] = np.nan, np.nan
    expected = [spearmanr(x, y, nan_policy="omit").statistic for x, y in zip(a, b, strict=True)]
    assert of.rank_correlation(a, b) == pytest.approx(expected)


def test_the_scorecard_reads_as_a_table_by_section(scored):
    text = scorecard.to_markdown(scored[True].reset_index())
    assert f"**{len(CLAIMS)} reproduced, 0 mixed, 0 not reproduced of {len(CLAIMS)} claims**." in text
    assert all(f"\n## {section}\n" in text for section in SECTIONS)
    assert all(f"**{id}**" in text for id in CLAIMS)
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in table} == {7}
    assert len(table) == 2 * len(SECTIONS) + len(CLAIMS) + len(ROWS)
