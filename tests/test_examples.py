"""The tutorial runs at small scale and prints what it shows, its pictures are there, and its network can be trained."""

import contextlib
import io
import re
import shutil
import sys
from pathlib import Path

import pytest
import yaml
from matplotlib.image import imread
from safetensors.torch import load_file

from unit_clusters.similarity.layers import resolve
from unit_clusters_paper.networks import own
from unit_clusters_paper.runs import sweep

EXAMPLES = Path(__file__).parents[1] / "examples"
TUTORIAL = (EXAMPLES / "tutorial.md").read_text()
PICTURES = set(re.findall(r"!\[[^\]]+\]\(([^)]+)\)", TUTORIAL))
SMALL = {"DATASET": "synthetic", "IMAGES": 6, "POSITIONS": 4}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of examples/ without its pictures, where one works; the data set will be made beside it."""
    shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns("*.png", "__pycache__"))
    monkeypatch.chdir(tmp_path / "examples")
    monkeypatch.syspath_prepend(tmp_path / "examples")
    yield tmp_path / "examples"
    for name in ("networks", "run", "train"):
        sys.modules.pop(name, None)


@pytest.mark.filterwarnings("ignore:.*which images were shown")
def test_the_tutorial_runs(folder):
    """From the heading on below which the tables of twenty networks are read, scale makes no difference."""
    import run

    interactive = len(run.blocks(TUTORIAL.partition("## Twenty networks")[0]))
    names, compared = {}, 0
    for number, block in enumerate(run.blocks(TUTORIAL)):
        with contextlib.redirect_stdout(io.StringIO()) as stdout:
            run.run(block, names, SMALL)
        printed = re.sub(" +$", "", stdout.getvalue(), flags=re.MULTILINE)
        assert bool(printed) == bool(block.shown), block.code
        if number >= interactive:
            assert printed == block.shown
            compared += bool(block.shown)
    assert compared >= 2
    assert {path.relative_to(folder).as_posix() for path in folder.glob("pictures/*")} == PICTURES


def test_pictures_are_there_and_small():
    assert PICTURES
    for name in PICTURES:
        assert (EXAMPLES / name).stat().st_size < 200_000
        assert imread(EXAMPLES / name).std() > 0.05, "it shows nothing"


def test_links_lead_somewhere():
    links = re.findall(r"\]\(([^)#:]+)\)", TUTORIAL)
    assert links
    assert [link for link in links if not (EXAMPLES / link).exists()] == []


def test_training(folder, capsys):
    """Of two networks, by a few batches of synthetic images."""
    from networks import build
    from train import main

    main([0], epochs=3, dataset="synthetic", checkpoints=folder / "new")
    shares = [float(share) for share in re.findall(r"([\d.]+)% of the test images", capsys.readouterr().out)]
    assert len(shares) == 2
    assert min(shares) > 30  # chance is 10
    plain, dropout = (load_file(folder / "new" / f"{kind}_0.safetensors") for kind in ("plain", "dropout"))
    assert build().load_state_dict(plain)
    assert not plain["dense.weight"].equal(dropout["dense.weight"])


def test_the_configuration_names_what_is_there(monkeypatch):
    monkeypatch.chdir(EXAMPLES.parent)
    config = yaml.safe_load(Path("config.yaml").read_text(encoding="utf-8"))
    mine = yaml.safe_load((EXAMPLES / "mine.yaml").read_text())
    experiment = mine["experiments"]["fashion"]
    cohorts = sweep.cohorts(config | mine)
    assert {cohort.id for cohort in cohorts if cohort.trained} >= {"plain_0.safetensors", "dropout_0.safetensors"}
    assert sum(len(cohort.runs) for cohort in cohorts if not cohort.trained) == experiment["untrained"]
    model = own.initialised(own.function(experiment["factory"], "factory"), 0)
    assert resolve(model, experiment["layers"]) == ["relu1", "relu2", "relu3"]
    assert own.loss(experiment["loss"], "loss")
