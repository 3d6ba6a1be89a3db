"""How a run came about: versions, machines, configuration, and the cost of each stage."""

import hashlib
import json
import os
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from itertools import chain
from pathlib import Path

import pandas as pd

from unit_clusters_paper.runs.processor import processor

PACKAGES = ("torch", "numpy", "scipy", "numba", "clusim", "matplotlib", "pandas", "safetensors", "snakemake")

KERNELS = (
    *("ATEN_CPU_CAPABILITY", "MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS", "NPY_DISABLE_CPU_FEATURES", "NUMBA_CPU_NAME"),
    *("ONEDNN_MAX_CPU_ISA", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"),
)
"""Environment variables that make the libraries add up in another order than the processor alone would."""

NOT_RECORDED = "not recorded"
"""The processor of jobs whose log does not name it."""


def provenance(config: Mapping, jobs: Mapping[str, Sequence[str]]) -> dict:
    """How a run came about.

    Args:
        config: the whole configuration.
        jobs: of this configuration, by stage. The path of a job is that of its log and of its benchmark file, in the
            folders that the configuration names and without their ends; jobs may lack either.
    """
    folders = config["pathvars"]
    return {
        "versions": {"python": platform.python_version()} | _versions(),
        "machine": {
            **{"system": platform.platform(), "processor": processor(), "cores": os.cpu_count()},
            **{name: os.environ[name] for name in KERNELS if name in os.environ},
        },
        "processors": _processors(
            Path(folders["logs"], stage, f"{job}.log") for stage, names in jobs.items() for job in names
        ),
        "config_sha256": hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest(),
        "config": config,
        "stages": {
            stage: _cost([Path(folders["benchmarks"], stage, f"{job}.tsv") for job in names])
            for stage, names in jobs.items()
        },
    }


def _cost(files: Sequence[Path]) -> dict[str, int]:
    """What the jobs of a stage took: those that have one of Snakemake's benchmark files are measured."""
    found = [pd.read_csv(file, sep="\t", na_values="-") for file in files if file.is_file()]
    columns = pd.concat(found)[["s", "cpu_time", "max_rss"]] if found else pd.DataFrame(columns=["s", "cpu_time"])
    return {
        "jobs": len(files),
        "measured": len(found),
        "wall_seconds": round(float(columns["s"].sum())),
        "cpu_seconds": round(float(columns["cpu_time"].sum())),
        "peak_memory_mb": round(float(columns["max_rss"].max())) if found else 0,
    }


def _processors(logs: Iterable[Path]) -> list[dict]:
    """Each processor by name, how many jobs it did, and from when to when; the times are those in the jobs' logs."""
    jobs: dict[str, list[list[str]]] = {}
    for log in logs:
        text = log.read_text(encoding="utf-8") if log.is_file() else ""
        name = re.search(r"^\S+ \S+ Processor: (.+)$", text, re.MULTILINE)
        times = re.findall(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", text, re.MULTILINE)
        jobs.setdefault(name[1] if name else NOT_RECORDED, []).append(times)
    return [
        {
            "processor": name,
            "jobs": len(times),
            "first": min(chain(*times), default=None),
            "last": max(chain(*times), default=None),
        }
        for name, times in sorted(jobs.items())
    ]


def provenance_markdown(found: Mapping) -> str:
    """`provenance` for readers."""
    stages = pd.DataFrame(found["stages"]).T.rename_axis("stage").reset_index()
    stages.columns = [name.replace("_", " ") for name in stages.columns]
    facts = pd.Series(found["machine"] | found["versions"]).rename_axis("machine and versions").reset_index(name="")
    return "\n\n".join(
        (
            "# How this run came about",
            "The jobs of this configuration, and of those that were measured wall and processor time added up and the "
            "largest memory that one of them took.",
            _table(stages),
            "The processors that did these jobs, by their logs.",
            _table(pd.DataFrame(found["processors"])),
            "The machine and the versions with which this page was made, after the last job.",
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
