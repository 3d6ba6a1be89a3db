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

PACKAGES = ("torch", "numpy", "scipy", "numba", "clusim", "matplotlib", "pandas", "safetensors", "snakemake")


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
        A row per column that both have, with columns column, rows (in both), same (the share of them that agree to
        within SAME; two NaN agree), largest (the largest absolute difference), shift (of the means, in published
        standard deviations) and verdict: "same" if all rows are, "similar" if the shift is at most SIMILAR,
        else "different". Rows that only one of the tables has make every verdict "different".
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
        if len(matched) < len(both):
            verdict = "different"
        rows.append((column, len(matched), same.mean() if len(same) else np.nan, largest, shift, verdict))
    return pd.DataFrame(rows, columns=["column", "rows", "same", "largest", "shift", "verdict"])


def _shift(ours: np.ndarray, theirs: np.ndarray) -> float:
    known = ~np.isnan(ours) & ~np.isnan(theirs)
    if not known.any() or (ours[known] == theirs[known]).all():
        return 0.0
    spread = theirs[known].std()
    return abs(ours[known].mean() - theirs[known].mean()) / spread if spread > 0 else np.inf


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
        "versions": {"python": platform.python_version()} | {name: metadata.version(name) for name in PACKAGES},
        "machine": {"system": platform.platform(), "processor": _processor(), "cores": os.cpu_count()},
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


def _processor() -> str:
    """The processor's name, where the system tells it."""
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()
