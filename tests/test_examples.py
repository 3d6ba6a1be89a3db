"""The tutorial runs at small scale, prints what it says that it prints, and its pictures are there; so does its training."""

import contextlib
import importlib.util
import io
import re
import shutil
import sys
from pathlib import Path

import pytest
import yaml
from matplotlib.image import imread
from safetensors.torch import load_file

EXAMPLES = Path(__file__).parents[1] / "examples"
TUTORIAL = (EXAMPLES / "tutorial.md").read_text()
SMALL = {"DATASET": "synthetic", "IMAGES": 6, "POSITIONS": 4}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of examples/, from which its modules are imported; the data set will be made beside it."""
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    monkeypatch.chdir(tmp_path / "examples")
    monkeypatch.syspath_prepend(tmp_path / "examples")
    yield tmp_path / "examples"
    for name in ("networks", "train", "run"):
        sys.modules.pop(name, None)


def printed(block, names):
    """What a block prints; progress bars, on stderr, not."""
    import run

    with contextlib.redirect_stdout(io.StringIO()) as stdout:
        run.run(block, names, SMALL)
    return stdout.getvalue()


def test_the_tutorial_runs(folder):
    """What it prints of tables that are there does not depend on scale, so it must be what is shown."""
    import run

    for picture in folder.glob("pictures/*.png"):
        picture.unlink()
    names = {}
    for block in run.blocks(TUTORIAL):
        output = printed(block, names)
        assert bool(output) == bool(block.shown), block.code
        if "found/" in block.code or "layers(" in block.code or "modularity" in names:
            assert output == block.shown
    assert {picture.name for picture in folder.glob("pictures/*")} == pictures()


def pictures():
    """Names of the pictures that the tutorial shows."""
    return {Path(name).name for name in re.findall(r"!\[[^\]]+\]\((pictures/[^)]+)\)", TUTORIAL)}


def test_pictures_are_there():
    assert pictures() == {picture.name for picture in EXAMPLES.glob("pictures/*")} != set()
    for name in pictures():
        assert (EXAMPLES / "pictures" / name).stat().st_size < 200_000
        assert imread(EXAMPLES / "pictures" / name).std() > 0.01


def test_links_lead_somewhere():
    for link in re.findall(r"\]\(([^)#:]+)\)", TUTORIAL):
        assert (EXAMPLES / link).exists(), link
