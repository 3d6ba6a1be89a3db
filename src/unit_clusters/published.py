"""Our full run, kept in the repository: what is kept of a run, how it came about, and how another run compares."""

import gzip
import hashlib
import json
import os
import platform
import shutil
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd

from unit_clusters import tables
from unit_clusters.files import written_whole

KEYS = [
    *(*tables.RUN, "layer"),
    *("measure", "normalized", "measure_a", "normalized_a", "measure_b", "normalized_b"),
]
"""The columns that name a row of a table, of those that it has."""

SAME = 1e-6
"""Relative difference up to which two numbers count as the same: that of sums in another order in float32."""

SIMILAR = 0.1
"""Difference of a column's means, in standard deviations of the published column, up to which two runs are similar."""

NO_MATTER = ("machine.cores", "config.pathvars", "config.published", "config.figures")
"""Parts of a run's `provenance` on which no number of its tables depends."""

PACKAGES = ("torch", "numpy", "scipy", "numba", "clusim", "matplotlib", "pandas", "safetensors", "snakemake")

KERNELS = (
    *("ATEN_CPU_CAPABILITY", "MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS", "NPY_DISABLE_CPU_FEATURES", "NUMBA_CPU_NAME"),
    *("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"),
)
"""Environment variables that make the libraries add up in another order than the processor alone would."""


def compress(source: str | Path, destination: str | Path) -> None:
    """Gzip a file; the same content gives the same bytes."""
    with written_whole(destination) as temporary:
        temporary.write_bytes(gzip.compress(Path(source).read_bytes(), mtime=0))


def decompress(source: str | Path, destination: str | Path) -> None:
    """Undo `compress`."""
    with gzip.open(source) as archive, written_whole(destination) as temporary, temporary.open("wb") as file:
        shutil.copyfileobj(archive, file)


def compare(run: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Compare a run's table with the published one, number by number in the rows that both have.

    Returns:
        A row per column that both have, with columns column, rows (in both), unmatched (rows that only one has),
        same (the share of the rows in both that agree to within SAME; two NaN agree), largest (the largest absolute
        difference), shift (of the means, in published standard deviations) and verdict: "same" if all rows are,
        "similar" if the shift is at most SIMILAR, else "different". Unmatched rows make every verdict "different".
    """
    keys = [key for key in KEYS if key in published.columns]
    both = published.merge(run, on=keys, how="outer", suffixes=("", " run"), indicator=True)
    matched = both[both["_merge"] == "both"]
    rows = []
    for column in published.columns.intersection(run.columns).difference(keys, sort=False):
        theirs, ours = (matched[name].to_numpy(dtype=float) for name in (column, f"{column} run"))
        same = np.isclose(ours, theirs, rtol=SAME, atol=1e-12, equal_nan=True)
        largest = np.nanmax(np.abs(ours - theirs), initial=0.0)
        shift = _shift(ours, theirs)
        verdict = "same" if same.all() else "similar" if shift <= SIMILAR else "different"
        unmatched = len(both) - len(matched)
        if unmatched:
            verdict = "different"
        rows.append((column, len(matched), unmatched, same.mean() if len(same) else np.nan, largest, shift, verdict))
    return pd.DataFrame(rows, columns=["column", "rows", "unmatched", "same", "largest", "shift", "verdict"])


def _shift(ours: np.ndarray, theirs: np.ndarray) -> float:
    known = ~np.isnan(ours) & ~np.isnan(theirs)
    if not known.any() or (ours[known] == theirs[known]).all():
        return 0.0
    spread = theirs[known].std()
    return abs(ours[known].mean() - theirs[known].mean()) / spread if spread > 0 else np.inf


def changed_verdicts(run: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """The rows of claims.csv with another verdict than the published one, with columns id, verdict and published."""
    both = published.merge(run, on="id", how="outer", suffixes=(" published", " run"))
    both = both[["id", "verdict run", "verdict published"]].set_axis(["id", "verdict", "published"], axis=1)
    return both[both["verdict"] != both["published"]]


def differences(run: dict, published: dict) -> list[str]:
    """What differs between two runs' `provenance` that numbers may depend on: a line for each."""
    ours, theirs = (
        pd.json_normalize({part: one[part] for part in ("versions", "machine", "config")}).iloc[0].to_dict()
        for one in (run, published)
    )
    return [
        f"{key}: {ours.get(key)}, published {theirs.get(key)}"
        for key in sorted(ours.keys() | theirs.keys())
        if ours.get(key) != theirs.get(key) and not key.startswith(NO_MATTER)
    ]


def report(compared: dict[str, pd.DataFrame], changed: pd.DataFrame, other: list[str]) -> str:
    """verification.txt: how a run compares with the published one; its first line is the verdict.

    Args:
        compared: `compare` of each table, by its name.
        changed: `changed_verdicts`.
        other: `differences`. Where there are none, numbers that are only similar fail, too.
    """
    found = {verdict for table in compared.values() for verdict in table["verdict"]}
    passed = "different" not in found and ("similar" not in found or bool(other))
    sections = [
        f"{'PASSED' if passed else 'FAILED'}: compared with the published run, this run's numbers are "
        + " or ".join(verdict for verdict in ("same", "similar", "different") if verdict in found),
        f"same: to within {SAME:g} of each number\n"
        f"similar: the mean differs by at most {SIMILAR:g} standard deviations; this passes only on another machine, "
        "with other versions or another configuration\ndifferent: the rest, and where rows are missing",
        "\n".join(other) if other else "Versions, machine and configuration are those of the published run.",
        f"Claims with another verdict than published: {len(changed) or 'none'}",
    ]
    if len(changed):
        sections.append(changed.to_string(index=False))
    sections += [f"{name}\n{table.to_string(index=False)}" for name, table in compared.items()]
    return "\n\n".join(sections) + "\n"


def provenance(config: dict, benchmarks: Iterable[Path]) -> dict:
    """How a run came about: versions, machine, configuration, and the cost of each stage.

    Args:
        config: the whole configuration.
        benchmarks: Snakemake's benchmark files, in a folder for each stage.
    """
    stages: dict[str, list[pd.DataFrame]] = {}
    for path in sorted(benchmarks):
        stages.setdefault(path.relative_to(config["pathvars"]["benchmarks"]).parts[0], []).append(
            pd.read_csv(path, sep="\t", na_values="-")
        )
    cost = {stage: pd.concat(frames) for stage, frames in stages.items()}
    return {
        "versions": {"python": platform.python_version()} | _versions(),
        "machine": {
            **{"system": platform.platform(), "processor": _processor(), "cores": os.cpu_count()},
            **{name: os.environ[name] for name in KERNELS if name in os.environ},
        },
        "config_sha256": hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest(),
        "config": config,
        "stages": {
            stage: {
                "jobs": len(frame),
                "wall_seconds": round(float(frame["s"].sum())),
                "cpu_seconds": round(float(frame["cpu_time"].sum())),
                "peak_memory_mb": round(float(frame["max_rss"].max())),
            }
            for stage, frame in cost.items()
        },
    }


def provenance_markdown(found: dict) -> str:
    """`provenance` for readers."""
    stages = pd.DataFrame(found["stages"]).T.rename_axis("stage").reset_index()
    stages.columns = [name.replace("_", " ") for name in stages.columns]
    facts = pd.Series(found["machine"] | found["versions"]).rename_axis("machine and versions").reset_index(name="")
    return "\n\n".join(
        (
            "# How this run came about",
            "Jobs that were run, their wall and processor time added up, and the largest memory that one of them took.",
            _table(stages),
            _table(facts),
            f"The configuration, with SHA-256 `{found['config_sha256']}`:",
            f"```\n{json.dumps(found['config'], indent=2)}\n```",
        )
    )


def _table(frame: pd.DataFrame) -> str:
    lines = [frame.columns, ["---"] * len(frame.columns), *frame.to_numpy()]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _versions() -> dict[str, str]:
    """Of the packages that this environment has; under conda, each stage has its own."""
    installed = {found.name: found.version for found in metadata.distributions()}
    return {name: installed[name] for name in PACKAGES if name in installed}


def _processor() -> str:
    """The processor's name, where the system tells it."""
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()
