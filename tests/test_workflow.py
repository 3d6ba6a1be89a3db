"""The workflow itself: real Snakemake on the tiny preset, in a copy of the repository."""

import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from safetensors.torch import save_file

from unit_clusters.lesioning import LESIONS
from unit_clusters_paper.networks import own
from unit_clusters_paper.networks.ensemble import load_assignments
from unit_clusters_paper.results.published import KEYS

pytestmark = pytest.mark.workflow

ROOT = Path(__file__).parent.parent
TINY = "workflow/presets/tiny.yaml"

RUN = ["experiment", "regularizer", "strength", "seed"]
TABLES = {
    "models": [
        *("experiment", "regularizer", "strength", "l1", "l2", "dropout", "upstream", "downstream"),
        *("seed", "trained", "epochs"),
        *("train_loss", "train_accuracy", "val_loss", "val_accuracy", "test_loss", "test_accuracy"),
        *("l1_norm", "l2_norm", "nuclear_norm", "sparsity"),
    ],
    "modularity": [
        *(*RUN, "layer", "measure", "normalized"),
        *("q", "q_spectral", "num_clusters", "used_clusters", "dead_units", "contrast", "largest_share"),
        *("q_best", "q_spread", "best_restarts", "q_rotated", "q_rotated_sd", "soft_units"),
        *("reliability", "reliability_clusters"),
        *("q_leiden", "q_from_one_cluster", "q_from_one_cluster_full", "soft_gain"),
    ],
    "weights": [*RUN, "q_weights"],
    "agreement": [
        *(*RUN, "layer", "measure_a", "normalized_a", "measure_b", "normalized_b"),
        *("element_similarity", "element_similarity_alive", "element_similarity_alive_adjusted"),
        "element_similarity_adjusted",
        *("element_similarity_best", "element_similarity_best_adjusted", "transferability", "one_partition"),
        *("rmi", "vi", "ari", "nmi", "spearman", "element_similarity_rotated", "one_partition_unrelated"),
    ],
    "repeats": [
        *(*RUN, "layer", "measure", "normalized"),
        *("element_similarity", "element_similarity_adjusted"),
        *("element_similarity_best", "element_similarity_best_adjusted"),
    ],
}

MAY_BE_NAN = {
    *("element_similarity_alive", "element_similarity_alive_adjusted", "element_similarity_rotated"),
    *("one_partition", "one_partition_unrelated", "reliability", "reliability_clusters"),
    *("contrast", "largest_share", "q_leiden", "q_from_one_cluster", "q_from_one_cluster_full", "soft_gain"),
}
"""Columns with a documented NaN: no unit is alive, there is one cluster, or the matrix is not in the sample."""

COHORTS, UNTRAINED, LAYERS = 4, 2, 2
"""Trained and untrained cohorts of the tiny preset, and the hidden layers of its networks."""

OF_CONFIGURATION = {"fig2", "figS1", "tableS1"}
OF_MODELS = {"figS2", "figS3", "figS4"}
OF_LAYERS = {
    *("fig1", "fig3", "fig4", "fig5", "figS5", "figS6", "figS7", "figS8", "figS9", "figS10", "figS11", "figS12"),
    *("figclaims", "fignull", "figscores", "figrestarts", "figrepeats", "figprotocol"),
}
"""All figures and Table S1, by what they are drawn from."""


def copy_of_repository(folder):
    for name in ("Snakefile", "config.yaml"):
        shutil.copy2(ROOT / name, folder / name)
    for name in ("workflow", "src", "profiles", "envs"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


def snakemake(folder, *arguments, configs=(TINY,), check=True):
    """Run Snakemake as a user does; give back all that it printed."""
    command = [sys.executable, "-m", "snakemake", *arguments]
    if configs:
        command += ["--configfile", *configs]
    result = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900
    )
    assert (result.returncode == 0) == check, "\n".join(result.stdout.splitlines()[-60:])
    return result.stdout


def processor_seconds():
    """Of the processes started and ended so far: on a busy machine, these tell more than wall time."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def plan(folder, *arguments, **options):
    """How many jobs of each rule a run would do, but for the rules that only collect; and the figures it would draw."""
    printed = snakemake(folder, "--dry-run", *arguments, **options)
    statistics = re.search(r"Job stats:\njob +count\n[- ]+\n(.*?)\ntotal", printed, re.DOTALL)
    counts = {rule: int(count) for rule, count in map(str.split, statistics[1].splitlines())} if statistics else {}
    jobs = {rule: counts[rule] for rule in counts if rule not in ("default", "all", "figures", "tables")}
    figures = {rule for rule in jobs if rule.startswith("fig") or rule == "tableS1"}
    jobs = {rule: count for rule, count in jobs.items() if rule not in figures}
    return jobs | {"figures": figures} if figures else jobs


def tables(folder):
    return {name: (folder / "results" / "tiny" / "tables" / f"{name}.csv").read_bytes() for name in TABLES}


@pytest.fixture(scope="session")
def finished(made_once):
    """A finished run on two cores, to read."""
    return made_once("two cores", lambda folder: snakemake(copy_of_repository(folder), "--cores", "2"))


@pytest.fixture
def copy(finished, tmp_path):
    """A finished run to change, in a folder whose name is none of ASCII alone nor of letters alone."""
    return Path(shutil.copytree(finished, tmp_path / "müller & co"))


def edit(path, old, new):
    text = path.read_text()
    assert old in text, f"{path.name} has changed: the test edits {old!r}"
    path.write_text(text.replace(old, new))


def overlay(folder, **config):
    """A further configuration file, to lay over the tiny preset."""
    (folder / "more.yaml").write_text(yaml.safe_dump(config))
    return {"configs": (TINY, "more.yaml")}


def downstream(cohorts, retrained=False):
    """The jobs that follow from new similarity matrices of so many cohorts, of new networks or of old ones."""
    stages = dict.fromkeys(("similarity", "cluster", "compare"), cohorts)
    figures = OF_LAYERS | OF_MODELS if retrained else OF_LAYERS
    return stages | {"table": 5 if retrained else 4, "examples": 1, "claims": 1, "figures": figures}


# What a run plans and makes


def test_the_paper_is_planned_in_300_jobs_and_five_seconds(tmp_path):
    folder = copy_of_repository(tmp_path)
    before = processor_seconds()
    planned = plan(folder, configs=())
    assert processor_seconds() - before < 5
    assert planned == {
        "images": 1,
        "train": 60,
        "initialize": 15,
        **dict.fromkeys(("similarity", "cluster", "compare"), 75),
        "table": 5,
        "examples": 1,
        "claims": 1,
        "figures": OF_CONFIGURATION | OF_MODELS | OF_LAYERS,
    }


def test_a_figure_and_a_file_are_targets(tmp_path):
    folder = copy_of_repository(tmp_path)
    assert plan(folder, "fig3") == plan(folder, "results/tiny/figures/fig3.pdf")
    assert "compare" not in plan(folder, "fig3")
    assert "figures" not in plan(folder, "tables")
    assert plan(folder, "figures")["figures"] == OF_CONFIGURATION | OF_MODELS | OF_LAYERS
    assert plan(folder, "fig2") == {"figures": {"fig2"}}


def test_a_run_makes_tables_and_figures(finished):
    results = finished / "results" / "tiny"
    networks = 2 * COHORTS + 3
    layers = networks * LAYERS
    rows = {
        "models": networks,
        "weights": networks,
        "modularity": layers * 8,
        "agreement": layers * 28,
        "repeats": layers * 8,
    }
    for name, length in rows.items():
        table = pd.read_csv(results / "tables" / f"{name}.csv")
        assert list(table.columns) == TABLES[name]
        assert len(table) == length
        assert not table.duplicated([key for key in KEYS if key in table.columns]).any()
        assert set(table.columns[table.isna().any()]) <= MAY_BE_NAN
    models = pd.read_csv(results / "tables" / "models.csv")
    assert (models[models.trained].test_accuracy > 0.8).any()
    assert models[~models.trained].seed.between(1000, 1002).all()
    for name in (OF_MODELS | OF_LAYERS | OF_CONFIGURATION) - {"tableS1"}:
        for suffix, start in ((".png", b"\x89PNG"), (".pdf", b"%PDF"), (".svg", b"<?xml")):
            assert (results / "figures" / f"{name}{suffix}").read_bytes().startswith(start)
    assert "epoch 8: 1 networks" in (finished / "logs/tiny/train/base/l1_0.0001_seeds0-1.log").read_text()


def test_lesions_are_of_the_first_seeds_of_trained_networks(copy):
    lesioned = overlay(copy, lesions={"seeds": 1, "images": 50, "sets": 2})
    target = "results/tiny/tables/lesions.csv"
    assert plan(copy, target, **lesioned) == {"lesion": COHORTS, "table": 1}
    snakemake(copy, target, "--cores", "2", **lesioned)
    lesions = pd.read_csv(copy / target)
    modularity = pd.read_csv(copy / "results/tiny/tables/modularity.csv")
    one = modularity[(modularity.seed == 0) & modularity.normalized & (modularity.used_clusters > 0)]
    assert list(lesions.columns) == [*RUN, "layer", *LESIONS]
    found = lesions.groupby([*RUN, "layer", "measure"])["units"].agg(["size", "sum"]).sort_index()
    expected = one.set_index([*RUN, "layer", "measure"]).sort_index()
    assert (found["size"] == expected["used_clusters"]).all()
    assert len(found) == len(expected)
    assert (found["sum"] + expected["dead_units"]).isin([8, 6]).all()


def test_modularity_in_the_table_is_that_of_the_files(finished):
    """Q of the stored clusters on the stored matrices, computed here from eq. (6) as written."""
    results = finished / "results" / "tiny"
    table = pd.read_csv(results / "tables" / "modularity.csv")
    table = table[(table.regularizer == "dropout") & (table.layer == 2) & (table.seed == 1)]
    cohort = "base/dropout_0.1_seeds0-1.npz"
    with np.load(results / "similarity" / cohort) as similarity, np.load(results / "clusters" / cohort) as clusters:
        for form, row in enumerate(table.itertuples()):
            matrix = np.abs(similarity[f"layer2/{row.measure}"][1].astype(float))
            if row.normalized:
                scale = np.sqrt(np.outer(matrix.diagonal(), matrix.diagonal()))
                matrix = matrix / np.maximum(scale, 1e-12)
            a = matrix - np.diag(np.diag(matrix))
            a /= a.sum()
            p = clusters["layer2/labels"][1, form][:, None] == np.arange(-1, 6)
            b = a - np.outer(a.sum(axis=1), a.sum(axis=0))
            assert row.q == pytest.approx(np.trace(p.T @ b @ p), abs=1e-9)


def test_a_second_run_does_nothing_in_five_seconds(copy):
    before = processor_seconds()
    assert "Nothing to be done" in snakemake(copy, "--cores", "2")
    assert processor_seconds() - before < 5


def test_early_shares_the_untrained_networks_of_its_architecture(copy):
    """Networks of the same name, trained in another way, strengths together and seeds apart; nothing else is done."""
    early = {"hidden": [8, 6], "seeds": 2, "seeds_per_job": 1}
    early["sweeps"] = {"l2": [[1e-5, 1e-3]], "l1": [], "dropout": []}
    more = overlay(copy, experiments={"early": early})
    planned = plan(copy, **more)
    assert (planned["train"], planned["similarity"], "initialize" in planned) == (2, 2, False)
    snakemake(copy, "tables", "--cores", "2", **more)
    models = pd.read_csv(copy / "results/tiny/tables/models.csv").set_index("experiment")
    assert models["trained"].groupby("experiment").agg(list).map(lambda trained: False in trained).to_dict() == {
        "base": True,
        "early": False,
    }
    base, early = (models[models.trained & (models.regularizer == "l2")].loc[name] for name in ("base", "early"))
    assert (base.epochs == 8).all()
    keys = ["strength", "seed"]
    both = base.merge(early, on=keys, suffixes=(" long", " early"))
    assert len(both) == 4
    # with the same batches and to the same bits, up to the epoch that is kept
    assert (both["val_loss early"] <= both["val_loss long"]).all()


def test_modularity_as_an_aim_goes_through_all_rules_and_leaves_the_scorecard_as_it_was(copy):
    sweeps = {"both": [[0, 0.1]], "permuted_upstream": [0.1]}
    modular = {"hidden": [8, 6], "seeds": 1, "seeds_per_job": 1, "sweeps": sweeps}
    claims = (copy / "results/tiny/claims.csv").read_bytes()
    asked = overlay(copy, experiments={"modular": modular})
    snakemake(copy, "tables", "claims", "figS1", "corrupted", "--cores", "2", **asked)
    assert (copy / "results/tiny/claims.csv").read_bytes() == claims
    found = {name: pd.read_csv(copy / f"results/tiny/tables/{name}.csv") for name in TABLES}
    rows = {name: table[table["experiment"] == "modular"] for name, table in found.items()}
    columns = ["regularizer", "strength", "l2", "upstream", "downstream"]
    assert rows["models"][columns].to_numpy().tolist() == [
        ["both", 0.0, 1e-5, 0.0, 0.0],
        ["both", 0.1, 1e-5, 0.1, 0.1],
        ["permuted_upstream", 0.1, 1e-5, 0.1, 0.0],
    ]
    assert rows["models"]["test_loss"].is_unique
    forms = 8
    assert [len(rows[name]) for name in ("modularity", "agreement", "repeats")] == [
        *(3 * LAYERS * forms, 3 * LAYERS * forms * (forms - 1) // 2, 3 * LAYERS * forms)
    ]
    corrupted = pd.read_csv(copy / "results/tiny/tables/corrupted.csv")
    assert len(corrupted) == len(found["models"]) * 3 * 6
    whole = corrupted[corrupted["severity"] == 0].merge(found["models"], on=RUN)
    assert list(whole["accuracy"]) == list(whole["test_accuracy"])
    networks = copy / "results/tiny/models/modular/both_0to0.1_seeds0-0.safetensors"
    assert [layer.shape for layer in load_assignments(networks)] == [(2, 8, 8), (2, 6, 8)]


def test_in_what_order_a_file_names_experiments_decides_nothing(tmp_path):
    folder = copy_of_repository(tmp_path)
    (folder / "mine.yaml").write_text("experiments: {early: {seeds: 2}, base: {seeds: 2}}")
    untrained = "results/paper/models/base/none_seeds1000-1019.safetensors"
    assert plan(folder, untrained, configs=("mine.yaml",)) == {"images": 1, "initialize": 1}


def test_a_configuration_that_replaces_ours_need_not_have_its_experiments(tmp_path):
    folder = copy_of_repository(tmp_path)
    config = yaml.safe_load((folder / "config.yaml").read_text())
    del config["experiments"]["base"]
    (folder / "mine.yaml").write_text(yaml.safe_dump(config))
    planned = plan(folder, "tables", "--replace-workflow-config", configs=("mine.yaml",))
    assert (planned["train"], planned["initialize"]) == (9 * 3 + 2 * 3, 3 * 5)


# What reruns


def test_words_in_the_code_code_that_only_reports_and_touched_files_rerun_nothing(copy):
    training, logs = (copy / "src/unit_clusters_paper" / name for name in ("networks/training.py", "runs/logs.py"))
    edit(training, "Train networks", "Edited. Train networks")
    edit(training, "class Epoch", "# edited\nclass Epoch")
    edit(logs, "This job failed.", "This job did fail.")
    for path in (*copy.glob("src/**/*.py"), *copy.glob("workflow/scripts/*.py")):
        path.touch()
    assert plan(copy) == {}


def test_a_figures_code_redraws_that_figure_only(copy):
    edit(copy / "src/unit_clusters_paper/figures/fig5.py", "def draw(", "EDITED = 1\n\n\ndef draw(")
    assert plan(copy) == {"figures": {"fig5"}}
    before = tables(copy)
    assert "2 of 2 steps" in snakemake(copy, "--cores", "2")
    assert tables(copy) == before
    assert plan(copy) == {}


def test_a_figures_style_redraws_the_figures_only(copy):
    """And gathers the example matrices, whose module has their colours, too."""
    edit(copy / "src/unit_clusters/plots/style.py", "WIDTH = ", "WIDTH = 0.5 + ")
    assert plan(copy) == {"examples": 1, "figures": (OF_CONFIGURATION | OF_MODELS | OF_LAYERS) - {"tableS1"}}


def test_monte_carlo_steps_recluster_without_training(copy):
    expected = downstream(COHORTS + UNTRAINED)
    del expected["similarity"]
    assert plan(copy, **overlay(copy, clustering={"steps": 201})) == expected


def test_training_settings_and_code_retrain_but_do_not_initialize_again(copy):
    expected = {"train": COHORTS} | downstream(COHORTS, retrained=True)
    assert plan(copy, **overlay(copy, training={"learning_rate": 0.02})) == expected
    edit(copy / "src/unit_clusters_paper/networks/training.py", "class Epoch", "EDITED = 1\n\n\nclass Epoch")
    assert plan(copy) == expected


def test_a_new_strength_trains_its_cohort_only(copy):
    sweeps = {"base": {"sweeps": {"dropout": [0.1, 0.4]}}}
    expected = {"train": 1} | downstream(1, retrained=True)
    expected["figures"] = expected["figures"] | {"tableS1"}
    assert plan(copy, **overlay(copy, experiments=sweeps)) == expected


def test_a_new_seed_trains_new_cohorts_only(copy):
    expected = {"train": COHORTS} | downstream(COHORTS, retrained=True)
    expected["figures"] = expected["figures"] | {"tableS1"}
    assert plan(copy, **overlay(copy, experiments={"base": {"seeds": 3}})) == expected


def test_a_script_makes_its_own_jobs_anew(copy):
    edit(copy / "workflow/scripts/tableS1.py", "rows = list(", "rows = sorted(")
    assert plan(copy) == {"figures": {"tableS1"}}


def test_similarity_code_trains_nothing(copy):
    edit(copy / "src/unit_clusters/similarity/options.py", "CHUNK = 100", "CHUNK = 50")
    assert plan(copy) == downstream(COHORTS + UNTRAINED)


# Networks of the user's

FACTORY = """
from torch import nn

def build(checkpoint):
    layers = nn.Conv2d(1, 4, 5, stride=3), nn.ReLU(), nn.Flatten(), nn.Linear(256, 12), nn.ReLU(), nn.Linear(12, 10)
    return nn.Sequential(*layers)
"""


def test_networks_of_the_users_go_through_the_same_rules(copy):
    (copy / "my_networks.py").write_text(FACTORY)
    (copy / "runs").mkdir()
    build = own.function(str(copy / "my_networks.py:build"), "factory")
    for seed, name in enumerate(("a.safetensors", "b.safetensors")):
        save_file(own.initialised(build, seed).state_dict(), copy / "runs" / name)
    mine = {
        "factory": "my_networks.py:build",
        "checkpoints": "runs/*",
        "untrained": 3,
        "layers": ["1", "4"],
        "inputs": {"dataset": "synthetic", "images": 60},
        "loss": "cross_entropy",
    }
    only = overlay(copy, experiments={"base": None, "mine": mine})
    stages = dict.fromkeys(("examine", "cluster", "compare"), 4)
    assert plan(copy, **only) == stages | {"table": 5, "figures": {"figlayers", "figpairs"}}
    snakemake(copy, "--cores", "2", **only)
    results = copy / "results" / "tiny"
    layers = pd.read_csv(results / "tables" / "layers.csv")
    assert layers.groupby("name", sort=False)["units"].unique().map(list).to_dict() == {1: [4], 4: [12]}
    table = pd.read_csv(results / "tables" / "modularity.csv")
    assert table["regularizer"].value_counts().to_dict() == {"none": 48, "a.safetensors": 16, "b.safetensors": 16}
    save_file(own.initialised(build, 2).state_dict(), copy / "runs" / "0.safetensors")
    planned = plan(copy, **only)
    assert [planned[stage] for stage in stages] == [1, 1, 1]


# What goes wrong


def test_a_failed_job_shows_its_log_stops_no_other_and_leaves_nothing_stale(copy):
    later = overlay(copy, similarity={"images": 301})
    networks = copy / "results/tiny/models/base/l1_0.0001_seeds0-1.safetensors"
    networks.write_bytes(networks.read_bytes()[:-8])
    files = [f"results/tiny/similarity/base/{id}_seeds0-1.npz" for id in ("l1_0.0001", "l2_0.001")]
    printed = snakemake(copy, *files, "--cores", "2", **later, check=False)
    assert "l1_0.0001_seeds0-1.safetensors is not a whole file of trained networks" in printed
    assert "Delete it and run again" in printed
    assert [(copy / file).exists() for file in files] == [False, True]
    networks.unlink()
    # what was made of the failed cohort before, and is there still, is made again
    cohorts = COHORTS + UNTRAINED
    assert plan(copy, **later) == {"train": 1} | downstream(cohorts, retrained=True) | {"similarity": cohorts - 1}


# What is kept of a run


def test_a_published_run_is_verified_and_redrawn_without_training(copy):
    snakemake(copy, "publish", "--cores", "2")
    snakemake(copy, "verify", "--cores", "2")
    verification = (copy / "results/tiny/verification.txt").read_text()
    assert verification.startswith("PASSED")
    verdicts = re.findall(r"(same|similar|different)$", verification.partition("\n\n")[2], re.M)
    assert set(verdicts) == {"same"}
    assert len(verdicts) > 30

    published = copy / "results/published/tables/models.csv.gz"
    other = pd.read_csv(published).assign(test_accuracy=0.5)
    other.to_csv(published, index=False)
    (copy / "results/tiny/provenance.json").unlink()  # what is published is older than the run, as in a clone
    snakemake(copy, "verify", "--cores", "2")
    assert (copy / "results/tiny/verification.txt").read_text().startswith("FAILED")
    pd.testing.assert_frame_equal(pd.read_csv(published), other)
    snakemake(copy, "publish", "--cores", "2")

    redrawn = {"configs": (TINY, "workflow/presets/published.yaml")}
    planned = plan(copy, **redrawn)
    assert planned == {"table": 5, "examples": 1, "claims": 1, "figures": OF_CONFIGURATION | OF_MODELS | OF_LAYERS}
    snakemake(copy, "fig3", "claims", "--cores", "2", **redrawn)
    for name in ("figures/fig3.png", "claims.csv"):
        assert (copy / "results/redrawn" / name).read_bytes() == (copy / "results/tiny" / name).read_bytes()


# What others see of it


def test_another_workflow_uses_this_one_as_a_module(tmp_path):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    theirs.mkdir()
    copy_of_repository(ours)
    (theirs / "Snakefile").write_text(
        f'module unit_clusters:\n    snakefile: "{ours}/workflow/Snakefile"\n    config: config\n\n'
        "use rule * from unit_clusters\n"
    )
    module = {"configs": (ours / "config.yaml", ours / TINY)}
    assert plan(theirs, "--cores", "1", **module) == plan(ours)
    snakemake(theirs, "tableS1", "--cores", "1", **module)
    assert (theirs / "results" / "tiny" / "tables" / "tableS1.csv").is_file()


def test_the_picture_of_the_rules_is_current(tmp_path):
    printed = snakemake(copy_of_repository(tmp_path), "fig3", "fig5", "claims", "--rulegraph", "dot", configs=())
    drawn = (ROOT / "docs" / "rulegraph.svg").read_text()
    now, then = (
        {(names[a], names[b]) for a, b in re.findall(edge, text)}
        for text, node, edge in (
            (printed, r'(\d+)\[label = "(\w+)"', r"(\d+) -> (\d+)"),
            (drawn, r"<title>(\d+)</title>\n.*\n<text.*>(\w+)</text>", r"<title>(\d+)&#45;&gt;(\d+)</title>"),
        )
        for names in [dict(re.findall(node, text))]
    )
    assert ("cluster", "compare") in now
    assert now == then, "`make rulegraph` draws it anew"
