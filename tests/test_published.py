"""What is kept of a run, and how another compares with it."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest

from unit_clusters.pages import to_html
from unit_clusters.published import (
    changed_verdicts,
    compare,
    compress,
    decompress,
    differences,
    provenance,
    provenance_markdown,
    report,
)


@pytest.fixture
def published():
    random = np.random.default_rng(0)
    names = [("base", "l2", 1e-5, seed, layer, "cov", False) for seed in range(50) for layer in (1, 2)]
    keys = ["experiment", "regularizer", "strength", "seed", "layer", "measure", "normalized"]
    table = pd.DataFrame(names, columns=keys).assign(q=random.random(100), num_clusters=random.integers(2, 6, 100))
    table.loc[3, "q"] = np.nan
    return table


def verdicts(run, published):
    return compare(run, published).set_index("column").verdict.to_dict()


def test_a_run_is_the_same_as_itself_in_any_order(published):
    assert verdicts(published.sample(frac=1, random_state=0), published) == {"q": "same", "num_clusters": "same"}


def test_rounding_is_the_same_and_noise_is_similar_and_a_shift_is_different(published):
    def changed(q):
        return verdicts(published.assign(q=q), published)["q"]

    assert changed(published.q * (1 + 1e-8)) == "same"
    assert changed(published.q + np.resize([0.02, -0.02], 100)) == "similar"
    assert changed(published.q + 0.2) == "different"


def test_numbers_are_those_of_the_difference(published):
    run = published.copy()
    run.loc[10, "num_clusters"] += 3
    row = compare(run, published).set_index("column").loc["num_clusters"]
    assert (row["rows"], row.same, row.largest) == (100, 0.99, 3)
    assert row["shift"] == pytest.approx(0.03 / published.num_clusters.std(ddof=0))


def test_missing_and_unknown_rows_are_different(published):
    assert set(verdicts(published[1:], published).values()) == {"different"}
    assert set(verdicts(published, published[1:]).values()) == {"different"}


RUN = {"versions": {"torch": "2.13"}, "machine": {"processor": "A", "cores": 2}, "config": {"clustering": {"steps": 5}}}


def test_differences_name_what_numbers_depend_on():
    assert differences(RUN, RUN) == []
    other = RUN | {"versions": {"torch": "2.14", "numba": "1"}, "config": {"clustering": {"steps": 6}}}
    lines = ["config.clustering.steps: 6, published 5", "versions.numba: 1, published None"]
    assert differences(other, RUN) == [*lines, "versions.torch: 2.14, published 2.13"]
    same = RUN | {"machine": {"processor": "A", "cores": 64}, "config": RUN["config"] | {"pathvars": {"results": "x"}}}
    assert differences(same, RUN) == []


def test_only_another_machine_may_give_similar_numbers(published):
    noisy = published.assign(q=published.q + np.resize([0.02, -0.02], 100))
    none = pd.DataFrame({"id": [], "verdict": [], "published": []})

    def first(run, other):
        return report({"modularity": compare(run, published)}, none, other).partition(":")[0]

    assert [first(published, []), first(noisy, ["versions.torch"]), first(noisy, [])] == ["PASSED", "PASSED", "FAILED"]
    assert first(published[1:], ["versions.torch"]) == "FAILED"


def test_changed_verdicts_are_listed():
    claims = pd.DataFrame({"id": ["a", "b/1"], "verdict": ["mixed", "reproduced"]})
    assert changed_verdicts(claims, claims).empty
    (row,) = changed_verdicts(claims.assign(verdict=["mixed", "mixed"]), claims).itertuples(index=False)
    assert tuple(row) == ("b/1", "mixed", "reproduced")
    assert list(changed_verdicts(claims[:1], claims)["id"]) == ["b/1"]


def test_pages_show_tables_and_verdicts_in_colour():
    page = to_html("# Scores < 1\n\n| verdict | x |\n|---|---|\n| **not reproduced** | reproduced |\n| other | 2 |\n")
    assert "<title>Scores &lt; 1</title>" in page
    assert '<td class="not-reproduced"><strong>not reproduced</strong></td>' in page
    assert '<td class="reproduced">reproduced</td>' in page
    assert "<td>other</td>" in page


def test_compressed_files_are_the_same_bytes_and_come_back(tmp_path):
    (tmp_path / "table.csv").write_text("a,b\n1,2\n" * 100)
    for name in ("one.gz", "two.gz"):
        compress(tmp_path / "table.csv", tmp_path / name)
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()
    assert gzip.decompress((tmp_path / "one.gz").read_bytes()) == (tmp_path / "table.csv").read_bytes()
    decompress(tmp_path / "one.gz", tmp_path / "back.csv")
    assert (tmp_path / "back.csv").read_text() == (tmp_path / "table.csv").read_text()


def test_provenance_adds_up_each_stage(tmp_path):
    for name, seconds in (("train/base/a", 3.0), ("train/base/b", 5.0), ("cluster/base/a/layer1", 1.0)):
        path = tmp_path / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\tmax_rss\tcpu_time\n{seconds}\t{100 * seconds}\t{seconds - 1}\n")
    config = {"pathvars": {"benchmarks": str(tmp_path)}, "clustering": {"steps": 5000}}
    found = provenance(config, tmp_path.rglob("*.tsv"))
    assert found["stages"]["train"] == {"jobs": 2, "wall_seconds": 8, "cpu_seconds": 6, "peak_memory_mb": 500}
    assert found["stages"]["cluster"]["jobs"] == 1
    assert found["versions"]["numpy"] == np.__version__
    assert "| train | 2 | 8 | 6 | 500 |" in provenance_markdown(found)
    assert json.loads(json.dumps(found)) == found
    assert provenance(config | {"clustering": {"steps": 1}}, [])["config_sha256"] != found["config_sha256"]
