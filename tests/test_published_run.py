"""Our run as it is kept in results/published: whole, scored as its scorecard says, and told truly in the README."""

import json
import re
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from unit_clusters.claims.scorecard import overall, score, write_csv
from unit_clusters.published import KEYS

ROOT = Path(__file__).parent.parent
PUBLISHED = ROOT / "results" / "published"
NETWORKS = 360 + 300
LAYERS = (270 + 45 + 200) * 2 + (45 + 100) * 5


@pytest.fixture(scope="module")
def tables():
    return {path.name.partition(".")[0]: pd.read_csv(path) for path in (PUBLISHED / "tables").glob("*.csv.gz")}


def test_tables_hold_every_network_layer_and_measure_once(tables):
    rows = {"models": NETWORKS, "modularity": LAYERS * 8, "agreement": LAYERS * 28, "repeats": 0}
    assert {name: len(table) for name, table in tables.items()} == rows
    for table in tables.values():
        assert not table.duplicated([key for key in KEYS if key in table.columns]).any()


def test_scorecard_is_that_of_the_tables(tables, tmp_path):
    write_csv(score(tables["models"], tables["modularity"], tables["agreement"]), tmp_path / "claims.csv")
    found, published = (pd.read_csv(folder / "claims.csv") for folder in (tmp_path, PUBLISHED))
    pd.testing.assert_frame_equal(found, published, rtol=1e-4)


def test_readme_tells_the_scorecard_and_what_was_discarded(tables):
    claims = pd.read_csv(PUBLISHED / "claims.csv")
    verdicts = Counter(claims.groupby(claims["id"].str.partition("/")[0])["verdict"].agg(overall))
    readme = re.sub(r"\s+", " ", (ROOT / "README.md").read_text())
    told = (
        "**{reproduced} are reproduced, {split} are split, {undecided} are undecided, "
        "{not reproduced} is not reproduced**"
    )
    assert f"Of the {verdicts.total()} claims" in readme
    assert f"of the other {verdicts.total() - verdicts['not testable']} claims" in readme
    assert told.format(**verdicts) in readme
    models = tables["models"]
    bad = models[models["trained"] & (models["test_accuracy"] < 0.8)]
    of = bad["experiment"].value_counts()
    assert f"{len(bad)} of the 360 trained networks fell below 80 %" in readme
    assert f"{of['base']} of 270 base, {of['wide']} of 45 wide and {of['deep']} of 45 deep" in readme


def test_readme_tells_the_cost_of_each_stage():
    stages = json.loads((PUBLISHED / "provenance.json").read_text())["stages"]
    for line in (ROOT / "README.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        name = {"initialise": "initialize"}.get(cells[0], cells[0].partition(",")[0])
        if name in stages:
            cost = stages.pop(name)
            told = [str(cost["jobs"]), str(round(cost["cpu_seconds"] / 60)), f"{cost['peak_memory_mb']} MB"]
            assert cells[1:] == told
    assert not stages


def test_tables_are_small():
    assert sum(path.stat().st_size for path in (PUBLISHED / "tables").iterdir()) < 10e6
