"""What is kept of a run, and how it came about."""

import gzip
import json

import numpy as np
import pytest

from unit_clusters.clusters.modularity import UNUSED
from unit_clusters.similarity.measures import FORMS
from unit_clusters_paper.results.layer_files import Searches
from unit_clusters_paper.results.published import compress, decompress, pack_labels, unpack_labels
from unit_clusters_paper.runs.pages import to_html
from unit_clusters_paper.runs.processor import processor
from unit_clusters_paper.runs.provenance import NOT_RECORDED, provenance, provenance_markdown


def test_pages_show_tables_and_verdicts_in_colour():
    page = to_html(
        "# Scores < 1\n\n| verdict | x |\n|---|---|\n| **depends on the word: x** | (holds) |\n| other | 2 |\n"
    )
    assert "<title>Scores &lt; 1</title>" in page
    assert '<td class="depends-on-the-word"><strong>depends on the word: x</strong></td>' in page
    assert '<td class="holds">(holds)</td>' in page
    assert "<td>other</td>" in page


def test_compressed_files_are_the_same_bytes_and_come_back(tmp_path):
    (tmp_path / "table.csv").write_text("a,b\n1,2\n" * 100)
    for name in ("one.gz", "two.gz"):
        compress(tmp_path / "table.csv", tmp_path / name)
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()
    assert gzip.decompress((tmp_path / "one.gz").read_bytes()) == (tmp_path / "table.csv").read_bytes()
    decompress(tmp_path / "one.gz", tmp_path / "back.csv")
    assert (tmp_path / "back.csv").read_text() == (tmp_path / "table.csv").read_text()


# The labels of all searches


def searches(models, units, clusters, rng):
    """Labels as they are: the five of a matrix often agree."""
    shape = (models, len(FORMS), units)
    labels = rng.integers(UNUSED, clusters, shape)
    again, *best = (np.where(rng.random(shape) < 0.2, rng.integers(UNUSED, clusters, shape), labels) for _ in range(4))
    none = np.empty((models, len(FORMS), 0, units))
    return Searches(*(array.astype(np.int16) for array in (labels, again, best[0], np.stack(best[1:], axis=2), none)))


def cohorts(rng, clusters=5):
    """A cohort of two strengths and one of untrained networks; two layers of different width."""
    of_cohorts = (
        [{"regularizer": "dropout", "strength": strength, "seed": seed} for seed in (0, 1) for strength in (0.1, 1e-5)],
        [{"regularizer": "none", "strength": 0.0, "seed": 1000}],
    )
    return [(runs, [searches(len(runs), units, clusters, rng) for units in (64, 16)]) for runs in of_cohorts]


@pytest.mark.parametrize("clusters", [0, 5, 120, 200])
def test_packed_labels_come_back_for_each_network_and_layer(tmp_path, clusters):
    packed = cohorts(np.random.default_rng(0), clusters)
    pack_labels(packed, tmp_path / "base.npz")
    found = unpack_labels(tmp_path / "base.npz")
    assert len(found) == 5 * 2
    for runs, layers in packed:
        for number, layer in enumerate(layers, start=1):
            for place, run in enumerate(runs):
                back = found[run["regularizer"], run["strength"], run["seed"], number]
                for name, labels in layer._asdict().items():
                    assert getattr(back, name).dtype == np.int16
                    np.testing.assert_array_equal(getattr(back, name), labels[place])


def test_packed_labels_are_small_and_the_same_bytes(tmp_path):
    packed = cohorts(np.random.default_rng(0))
    for name in ("one.npz", "two.npz"):
        pack_labels(packed, tmp_path / name)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    labels = sum(array.size for _, layers in packed for layer in layers for array in layer)
    assert (tmp_path / "one.npz").stat().st_size < 0.4 * labels + 2000


def test_a_damaged_file_of_labels_is_named(tmp_path):
    pack_labels(cohorts(np.random.default_rng(0)), tmp_path / "base.npz")
    (tmp_path / "base.npz").write_bytes((tmp_path / "base.npz").read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"base\.npz"):
        unpack_labels(tmp_path / "base.npz")


# How a run came about


def test_a_processor_is_told_by_name_family_model_and_widest_instructions(tmp_path):
    cpuinfo = tmp_path / "cpuinfo"
    core = "processor\t: {}\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC\nflags\t\t: sse4_2 avx2{}\n"
    cpuinfo.write_text(core.format(0, " avx512f") + "\n" + core.format(1, " avx512f"))
    assert processor(cpuinfo) == "AMD EPYC, family 25, model 17, AVX-512"
    cpuinfo.write_text(core.format(0, ""))
    assert processor(cpuinfo) == "AMD EPYC, family 25, model 17, AVX2"
    cpuinfo.write_text("processor\t: 0\nBogoMIPS\t: 48.00\n")
    assert processor(cpuinfo)
    assert processor(tmp_path / "missing")


@pytest.fixture
def run(tmp_path):
    """The configuration of a run; its folders hold logs and benchmark files, one of an older configuration."""
    logs = {
        "train/base/a": ("09:00:01", "09:30:00", "AMD EPYC, AVX-512"),
        "train/base/b": ("21:00:00", "21:40:00", "Intel Xeon, AVX-512"),
        "train/base/stale": ("01:00:00", "01:10:00", "Pentium"),
        "cluster/base/a/layer1": ("09:40:00", "09:41:00", None),
    }
    for number, (name, (start, end, machine)) in enumerate(logs.items(), start=1):
        for folder in ("logs", "benchmarks"):
            (tmp_path / folder / name).parent.mkdir(parents=True, exist_ok=True)
        lines = [f"2026-11-25 {start},123 Making x", f"2026-11-25 {end},000 Done."]
        if machine:
            lines.insert(1, f"2026-11-25 {start},124 Processor: {machine}")
        (tmp_path / "logs" / f"{name}.log").write_text("\n".join(lines) + "\n")
        benchmark = f"s\tmax_rss\tcpu_time\n{number}.0\t{100 * number}\t{number - 0.6}\n"
        (tmp_path / "benchmarks" / f"{name}.tsv").write_text(benchmark)
    return {"pathvars": {"benchmarks": str(tmp_path / "benchmarks"), "logs": str(tmp_path / "logs")}, "steps": 5000}


JOBS = {"train": ["base/a", "base/b", "base/c"], "initialize": [], "cluster": ["base/a/layer1"]}


def test_provenance_adds_up_each_stage_of_this_configuration_only(run):
    stages = provenance(run, JOBS)["stages"]
    cost = {"wall_seconds": 3, "cpu_seconds": 2, "peak_memory_mb": 200}
    assert stages["train"] == {"jobs": 3, "measured": 2} | cost
    assert stages["initialize"] == {"jobs": 0, "measured": 0} | dict.fromkeys(cost, 0)
    assert (stages["cluster"]["jobs"], stages["cluster"]["wall_seconds"]) == (1, 4)


def test_provenance_names_the_processor_of_each_sitting(run):
    amd, intel, unknown = provenance(run, JOBS)["processors"]
    times = {"first": "2026-11-25 09:00:01", "last": "2026-11-25 09:30:00"}
    assert amd == {"processor": "AMD EPYC, AVX-512", "jobs": 1} | times
    assert (intel["processor"], intel["first"]) == ("Intel Xeon, AVX-512", "2026-11-25 21:00:00")
    assert (unknown["processor"], unknown["jobs"]) == (NOT_RECORDED, 2)  # one job has a log that does not say, one none


def test_provenance_tells_versions_and_configuration(run):
    found = provenance(run, JOBS)
    assert found["versions"]["numpy"] == np.__version__
    assert json.loads(json.dumps(found)) == found
    assert provenance(run | {"steps": 1}, JOBS)["config_sha256"] != found["config_sha256"]
    page = provenance_markdown(found)
    assert "| train | 3 | 2 | 3 | 2 | 200 |" in page
    assert "| AMD EPYC, AVX-512 | 1 | 2026-11-25 09:00:01 | 2026-11-25 09:30:00 |" in page
