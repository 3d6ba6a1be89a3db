"""`make verify`: on the published tables, and on the same networks trained with and without AVX-512.

The tables in tests/instruction_sets are of base networks by the settings of config.yaml, but for 100 epochs and 2
restarts: seeds 0 to 2 at two strengths of each regulariser, and eight untrained networks, once on a processor with
AVX-512 (avx512) and once on the same with the libraries kept from it (avx2).
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_published_run import CONFIG

from unit_clusters_paper.results import verification
from unit_clusters_paper.results.published import KEYS
from unit_clusters_paper.results.replication import GROUP, comparisons, corrected
from unit_clusters_paper.results.selection import RUN
from unit_clusters_paper.results.verification import differences, lost_claims, networks, report

ROOT = Path(__file__).parent.parent
ELSEWHERE = ["versions.torch: 3.0, published 2.13"]
"""What `differences` says of a run with other versions."""


def read(folder):
    """Tables by name."""
    return {path.name.partition(".")[0]: pd.read_csv(path) for path in sorted(folder.glob("*.csv.gz"))}


@pytest.fixture(scope="module")
def published():
    return read(ROOT / "results" / "published" / "tables")


@pytest.fixture(scope="module")
def config():
    """That of the published run."""
    return CONFIG


@pytest.fixture(scope="module")
def seeds(config):
    """Of base networks."""
    return config["experiments"]["base"]["seeds"]


def part_of(config, seeds=None, untrained=100, **sweeps):
    """A configuration with base networks only."""
    base = config["experiments"]["base"]
    base = base | {"seeds": seeds or base["seeds"], "sweeps": sweeps or base["sweeps"]}
    return config | {"experiments": {"base": base}, "untrained": {"models": untrained, "models_per_job": 20}}


def verify(run, published, config, other=ELSEWHERE, lost=()):
    return verification.verify(run, published, networks(config), lost, other)


def verify_as_it_is(run, published):
    """As if the configuration had asked for just these networks, all of two layers."""
    models = pd.MultiIndex.from_frame(run["models"][RUN])
    return verification.verify(run, published, pd.Series(2, models), [], ELSEWHERE)


def changed(tables, **functions):
    """Tables of which some are given to a function of theirs."""
    return tables | {name: function(tables[name]) for name, function in functions.items()}


def every(tables, function):
    return {name: function(table) for name, table in tables.items()}


def untrained_sd(table, column):
    """Of each row, the standard deviation of its layer and measures over untrained networks."""
    cells = [key for key in KEYS if key in table and key not in RUN[1:]]
    sd = table[table["regularizer"] == "none"].groupby(cells)[column].std().rename("sd")
    return table.merge(sd.reset_index(), how="left", on=cells)["sd"].fillna(0).to_numpy()


def shifted(table, experiment, regularizer, columns):
    """The rows of one regulariser, each column by its untrained standard deviation."""
    rows = ((table["experiment"] == experiment) & (table["regularizer"] == regularizer)).to_numpy()
    return table.assign(**{column: table[column] + rows * untrained_sd(table, column) for column in columns})


def with_other_seeds(table, experiment):
    """As if the trained networks of an experiment were of seeds that are not published."""
    rows = (table["experiment"] == experiment) & (table["regularizer"] != "none")
    return table.assign(seed=table["seed"] + 500 * rows)


def with_noise(table, experiment, share):
    """The trained networks of an experiment moved towards those of another seed, as another machine does (0.4)."""
    keys = [key for key in KEYS if key in table]
    columns = table.columns.difference(keys)
    rows = (table["experiment"] == experiment) & (table["regularizer"] != "none")
    seeds = table.loc[rows, "seed"].max() + 1
    others = table.assign(seed=table["seed"].where(~rows, (table["seed"] + 1) % seeds)).set_index(keys)
    others = others.loc[pd.MultiIndex.from_frame(table[keys]), columns].set_axis(table.index).astype(float)
    return table.assign(**(table[columns] + share * (others - table[columns])))


# Numbers that are the same


def test_a_run_is_the_same_as_itself_in_any_order(published, config):
    found = verify(every(published, lambda table: table.sample(frac=1, random_state=0)), published, config, other=[])
    assert found.failures == []
    assert found.same.all()
    assert found.whole


def test_on_a_like_machine_all_numbers_must_be_the_same(published, config):
    def failures(other, **factors):
        multiplied = {name: published["modularity"][name] * factor for name, factor in factors.items()}
        run = {"models": published["models"], "modularity": published["modularity"].assign(**multiplied)}
        return verify(run, published, config, other).failures

    assert failures([], contrast=1 + 5e-7) == []
    assert failures([], q=1 + 1e-9) == []
    (reason,) = failures([], contrast=1 + 5e-5)
    assert "not all numbers are the same" in reason
    assert failures([], q=1 + 5e-7) == [reason]  # the limit for Q is closer
    assert failures(ELSEWHERE, contrast=1 + 5e-5) == failures(ELSEWHERE, q=1 + 5e-7) == []


# Differences that must be found


def permuted(column, by=None):
    rng = np.random.default_rng(0)

    def permute(table):
        groups = table.groupby(by, sort=False) if by else table.groupby(lambda _: 0)
        return table.assign(**{column: groups[column].transform(rng.permutation)})

    return permute


def test_permuted_modularity_fails(published, config):
    assert verify(changed(published, modularity=permuted("q")), published, config).failures


def test_permuted_agreement_fails(published, config):
    run = changed(published, agreement=permuted("element_similarity"))
    assert verify(run, published, config).failures


def test_modularity_permuted_among_the_strengths_and_seeds_of_a_measure_fails(published, config):
    run = changed(published, modularity=permuted("q", [*GROUP, "layer", "measure", "normalized"]))
    found = verify(run, published, config)
    assert found.failures
    assert set(found.found["of"]) == {"slope"}  # the means are what they were


@pytest.mark.parametrize("tables", [None, ["models"], ["agreement"]])
def test_a_missing_cohort_fails(published, config, tables):
    def without(table):
        cohort = (table[["experiment", "regularizer", "seed"]] == ["base", "l2", 3]).all(axis=1)
        return table[~cohort]

    run = changed(published, **dict.fromkeys(tables or published, without))
    (reason,) = verify(run, published, config).failures
    assert "rows are missing" in reason


def test_rows_that_are_there_twice_or_were_not_asked_for_fail(published, config):
    twice = every(published, lambda table: pd.concat([table, table[:1]]))
    assert "too many" in verify(twice, published, config).failures[0]
    fewer = config | {"untrained": {"models": 99, "models_per_job": 20}}
    assert "too many" in verify(published, published, fewer).failures[0]


REGULARIZERS = ("l2", "l1", "dropout")
SHIFTED = ["q", "q_spectral", "num_clusters", "q_best"]


@pytest.mark.parametrize("regularizer", REGULARIZERS)
def test_base_rows_of_other_seeds_shifted_by_an_untrained_sd_fail(published, regularizer):
    base = every(published, lambda table: table[table["experiment"] == "base"])
    run = changed(base, modularity=lambda table: shifted(table, "base", regularizer, SHIFTED))

    def outcome(run):
        return verify_as_it_is(every(run, lambda table: with_other_seeds(table, "base")), base)

    assert outcome(base).failures == []
    assert set(outcome(run).found["regularizer"]) == {regularizer}


@pytest.fixture(scope="module", params=["wide", "deep"])
def noisy(request, published):
    """An experiment, and the published tables with noise there as another machine makes it: all pairs are kept."""
    return request.param, every(published, lambda table: with_noise(table, request.param, 0.4))


def test_wide_and_deep_rows_with_the_noise_of_another_machine_pass(published, config, noisy):
    found = verify(noisy[1], published, config)
    assert found.failures == []
    assert not found.same.all()


@pytest.mark.parametrize("regularizer", REGULARIZERS)
def test_wide_and_deep_rows_shifted_by_an_untrained_sd_fail(published, config, noisy, regularizer):
    """Of Q alone as they stand; of all its columns with that noise."""
    experiment, tables = noisy
    for columns, run in ((["q"], published), (SHIFTED, tables)):
        table = shifted(run["modularity"], experiment, regularizer, columns)
        found = verify(run | {"modularity": table}, published, config).found
        assert set(map(tuple, found[GROUP].to_numpy())) == {(experiment, regularizer)}
        assert set(found["column"]) <= set(columns)


def test_one_measure_that_is_computed_in_another_way_is_found_and_named(published, config):
    """In base networks, by an untrained SD of one measure in one layer."""
    rows = published["modularity"][["layer", "measure", "normalized"]].eq([2, "hess", True]).all(axis=1)
    run = changed(published, modularity=lambda table: table.assign(q=table["q"] + rows * untrained_sd(table, "q")))
    found = verify(run, published, config).found
    assert set(found["over"]) - {"all"} == {"2 hess True"}
    assert set(found["column"]) == {"q"}


def test_gaps_where_there_were_none_fail(published, config):
    trained = published["agreement"]["regularizer"] != "none"
    run = changed(published, agreement=lambda table: table.assign(ari=table["ari"].mask(trained)))
    assert set(verify(run, published, config).found["column"]) == {"ari missing"}


def test_a_column_that_is_the_same_for_all_published_seeds_may_not_change(published, config):
    run = changed(published, models=lambda table: table.assign(l2=table["l2"] * 2))
    assert "l2" in set(verify(run, published, config).found["column"])


# Differences that must pass


def test_one_half_of_the_seeds_of_base_networks_agrees_with_the_other(published, config, seeds):
    def of(seeds):
        return every(published, lambda table: table[(table["experiment"] == "base") & table["seed"].isin(seeds)])

    half = seeds // 2
    one, other = of(range(half)), of(range(half, 2 * half))
    found = verify(one, other, part_of(config, seeds=half, untrained=0))
    assert found.failures == []
    assert not found.same.all()
    text = report(found)
    assert text.startswith("PASSED: the whole run agrees with what is published")
    assert f"0-{half - 1} with {half}-{2 * half - 1}, pooled" in text
    # as if of another machine, with the same names: the pairs are then of different networks
    renamed = every(one, lambda table: table.assign(seed=table["seed"] + half))
    assert verify_as_it_is(renamed, other).failures == []


@pytest.fixture(scope="module")
def instruction_sets():
    return [read(ROOT / "tests" / "instruction_sets" / name) for name in ("avx2", "avx512")]


def test_a_run_with_libraries_kept_from_avx512_passes(instruction_sets, config):
    sweeps = {"l2": [1e-5, 1e-2], "l1": [1e-4, 1e-3], "dropout": [0.3, 0.6]}
    found = verify(*instruction_sets, part_of(config, seeds=3, untrained=8, **sweeps))
    assert found.failures == []
    assert not found.same.all()
    assert (found.part["paired"] == found.part["published"]).all()


def test_networks_of_one_seed_part_independently_with_and_without_avx512(instruction_sets):
    """So networks count: their mean differences vary no more between seeds than independent ones would."""
    ratios = []
    for ours, theirs in zip(*(tables.values() for tables in instruction_sets), strict=True):
        keys = [key for key in KEYS if key in ours]
        both = [table[table["regularizer"] != "none"].set_index(keys).astype(float) for table in (ours, theirs)]
        difference = (both[0] - both[1]).groupby(RUN).mean()
        size = difference.abs().groupby(RUN[:3]).mean().reindex(difference.index.droplevel("seed"))
        scaled = difference / size.to_numpy()
        between = scaled.groupby("seed").mean().var() * 6  # networks of a seed
        ratios.append((between / scaled.var()).replace([np.inf], np.nan).dropna())
    ratios = pd.concat(ratios)
    assert len(ratios) > 20
    assert ratios.median() < 1.2


def test_rounding_counts_for_nothing(published, config):
    """Untrained networks differ by 1e-6 on another machine, all in one direction perhaps."""
    run = changed(published, models=lambda table: table.assign(test_loss=table["test_loss"] * (1 + 4e-6)))
    found = verify(run, published, config)
    assert not found.same.all()
    assert found.failures == []


# How often an honest run fails


def simulated(rng, seeds, columns, correlation, strengths=5):
    """Normal columns, correlated between the networks of one seed."""
    index = pd.MultiIndex.from_product([["base"], ["l2"], 10.0 ** np.arange(strengths), seeds], names=RUN)
    of_seed = rng.standard_normal((1, len(seeds), columns)) * np.sqrt(correlation)
    own = rng.standard_normal((strengths, len(seeds), columns)) * np.sqrt(1 - correlation)
    return pd.DataFrame((of_seed + own).reshape(-1, columns), index).rename(columns="{:04}".format)


PAIRS = [(9, 0.0), (3, 0.0), (9, 0.2), (3, 0.2)]
OTHERS = [(range(4), range(4, 8)), (range(3), range(3, 6)), (range(1), range(1, 9))]


@pytest.mark.parametrize(
    ("seeds", "published_seeds", "correlation"),
    [
        *((range(number), range(number), correlation) for number, correlation in PAIRS),
        *((*both, 0.3) for both in OTHERS),
    ],
)
def test_p_values_are_those_of_chance(seeds, published_seeds, correlation):
    """Pairs of which all is new but the seed's name are allowed for up to CORRELATION; seeds for any."""
    rng, columns = np.random.default_rng(0), 4000
    ours, theirs = (simulated(rng, s, columns, correlation) for s in (seeds, published_seeds))
    p = comparisons(ours, theirs).pivot(index="column", columns="of", values="p")
    for limit in (0.05, 0.01, 1e-3):
        allowed = limit + 3 * np.sqrt(limit / columns)
        if correlation == 0.2:  # exact only for large numbers of seeds
            allowed += 0.5 * limit
        assert (p["level"] <= limit).mean() <= allowed
        assert (p["slope"] <= limit).mean() <= allowed
    if seeds != published_seeds:
        assert (p <= 0.05).mean().min() > 0.04


def test_pairs_that_depend_more_on_their_seed_than_is_allowed_for_count_by_seeds():
    """As they would where a seed's own stream has changed. Not exact: by networks alone 17 % would be below 5 %."""
    rng = np.random.default_rng(0)
    found = comparisons(*(simulated(rng, range(9), 4000, correlation=0.6) for _ in range(2)))
    assert (found["p"][found["of"] == "level"] <= 0.05).mean() < 0.1


def test_an_honest_run_fails_no_more_often_than_it_may():
    """Of 200 runs, each of 3 other seeds; the comparisons of each are corrected together."""
    rng, limit = np.random.default_rng(1), 0.1

    def runs(seeds):
        found = {f"run {number}": simulated(rng, seeds, 20, correlation=0.3) for number in range(200)}
        return pd.concat({name: run.droplevel("experiment") for name, run in found.items()}, names=["experiment"])

    by_run = comparisons(runs(range(3)), runs(range(3, 6))).groupby("experiment")
    failed = [(corrected({"table": found})["p"] <= limit).any() for _, found in by_run]
    assert len(failed) == 200
    assert limit / 5 < np.mean(failed) <= limit + 3 * np.sqrt(limit / len(failed))


# A part of a run, and what is said of it


@pytest.fixture
def part(published, config):
    """The tables and the configuration of one cohort of base networks, all wide ones and a few untrained."""
    experiments = config["experiments"]
    base = experiments["base"] | {"seeds": 1, "sweeps": {"l2": experiments["base"]["sweeps"]["l2"]}}
    experiments = {"base": base, "wide": experiments["wide"] | {"seeds_per_job": 1}, "deep": None}
    config = config | {"experiments": experiments, "untrained": {"models": 20, "models_per_job": 5}}
    asked = networks(config).index.to_frame(index=False)
    return every(published, lambda table: table.merge(asked, on=RUN)), config


def test_a_part_is_compared_with_its_part_and_says_so(published, part, seeds):
    run, config = part
    found = verify(run, published, config, other=[])
    assert found.failures == []
    assert not found.whole
    verdict, _, _, _, *lines = report(found).splitlines()
    assert verdict == "PASSED: this part of the run is the same as published"
    told = {tuple(line.split()[:2]): " ".join(line.split()[2:]) for line in lines[: len(found.part)]}
    assert told["base", "l2"] == f"9 of 9 0-0 of 0-{seeds - 1}, paired 9 9 {9 * seeds}"
    assert told["wide", "none"] == "1 of 1 1000-1019 of 1000-1099, paired 20 20 100"
    assert told["deep", "l2"] == f"0 of 5 none 0 0 {(published['models'][GROUP] == ['deep', 'l2']).all(axis=1).sum()}"
    assert len(told) == len(published["models"][GROUP].drop_duplicates())


def test_seeds_beyond_those_that_are_published_are_left_out(published, config, seeds):
    fewer = every(published, lambda table: table[table["seed"].lt(seeds - 2) | table["seed"].ge(1000)])
    found = verify(published, fewer, config, other=[])
    assert found.failures == []
    assert found.whole
    assert f"0-{seeds - 3} of 0-{seeds - 3}, paired" in report(found)


def test_a_part_on_another_machine_may_fail_by_what_it_has_and_what_it_lacks(published, part):
    run, config = part
    other = changed(run, modularity=lambda table: table.assign(q=table["q"] * 1.1))
    assert "comparisons find a difference" in verify(other, published, config).failures[0]
    lacking = changed(run, agreement=lambda table: table[table["strength"] != 1e-3])
    assert "rows are missing" in verify(lacking, published, config).failures[0]


def test_a_part_that_is_too_small_to_compare_passes_only_if_it_is_the_same(published, config):
    config = part_of(config, seeds=1, untrained=0, l2=[1e-5], l1=[], dropout=[])
    run = every(published, lambda table: table.merge(networks(config).index.to_frame(index=False), on=RUN))
    assert verify(run, published, config).failures == []
    other = changed(run, modularity=lambda table: table.assign(q=table["q"] * 1.1))
    assert verify(other, published, config).failures == [
        "too few networks or seeds to compare, unless all numbers are the same: base l2"
    ]


def test_a_run_without_a_published_network_fails(published, config):
    config = part_of(config, untrained=0, l2=[0.123])
    of_base = every(
        published, lambda table: table[(table[GROUP] == ["base", "l2"]).all(axis=1) & (table["strength"] == 1e-3)]
    )
    (reason,) = verify(every(of_base, lambda table: table.assign(strength=0.123)), published, config).failures
    assert "the published run has none of" in reason


def test_a_table_that_lacks_a_published_column_is_refused(published, config):
    run = changed(published, models=lambda table: table.drop(columns="sparsity"))
    with pytest.raises(ValueError, match="lacks the columns sparsity"):
        verify(run, published, config)


def test_claims_that_are_lost_fail_a_whole_run(published, config, part):
    verdicts = ["holds", "holds", "holds", "fails", "not testable: no networks"]
    then = pd.DataFrame({"id": list("abcde"), "verdict": verdicts})
    now = pd.DataFrame({"id": list("abcde"), "verdict": ["fails", "needs more seeds", *verdicts[2:4], "fails"]})
    assert lost_claims(now, then) == ["a"]
    assert lost_claims(then, then) == lost_claims(now[1:], then) == []
    whole = verify(published, published, config, lost=["a"])
    assert whole.failures == ["claims that hold as published fail: a"]
    assert verify(part[0], published, part[1], lost=["a"]).failures == []


def test_differences_name_what_numbers_depend_on():
    training, base = {"max_epochs": 500}, {"hidden": [64, 64], "seeds": 9, "sweeps": {"l2": [1.0]}}
    config = {
        "training": training,
        "experiments": {"base": base, "wide": {"hidden": [256]}},
        "untrained": {"models": 9},
    }
    machine = {"processor": "A", "cores": 2, "system": "Linux"}
    run = {"versions": {"torch": "2.13"}, "machine": machine, "config": config}
    assert differences(run, run) == []

    def differs(machine=machine, **sections):
        return differences(run | {"machine": machine, "config": config | sections}, run)

    assert differs(training={"max_epochs": 10}) == ["config.training.max_epochs: 10, published 500"]
    assert differs(experiments={"base": base | {"hidden": [8]}}) == [
        "config.experiments.base.hidden: [8], published [64, 64]"
    ]
    assert differs(experiments={"base": base | {"seeds": 1, "sweeps": {}}, "wide": None, "mine": {"hidden": [9]}}) == []
    assert differs(untrained={"models": 1}, pathvars={"results": "x"}, machine=machine | {"cores": 64}) == []
    assert differs(machine=machine | {"processor": "B"}) == ["processors: B, published A"]
    assert differences(run | {"versions": {"torch": "2.14", "numba": "1"}}, run) == [
        "versions.numba: 1, published None",
        "versions.torch: 2.14, published 2.13",
    ]


def test_processors_are_those_of_the_jobs_where_logs_name_them():
    def run(*processors, made_on="A"):
        named = [{"processor": name, "jobs": 1} for name in processors]
        return {"versions": {}, "machine": {"processor": made_on}, "config": {"experiments": {}}, "processors": named}

    assert differences(run("B"), run("A", "B", made_on="C")) == []
    assert differences(run("A", "not recorded"), run("A")) == []
    assert differences(run("not recorded"), run("A")) == []
    assert differences(run("A", "D"), run("A", "B")) == ["processors: A; D, published A; B"]
