# The cohorts of the configuration, and what several rules ask of them.
import ast
import os
import sys
from functools import cache
from itertools import groupby
from pathlib import Path

from snakemake.exceptions import WorkflowError

# The package is used from this folder, in this process and in every job, whether or not it is installed there.
SOURCE = ROOT / "src"
SCRIPTS = ROOT / "workflow" / "scripts"
sys.path.insert(0, str(SOURCE))
os.environ.update(
    PYTHONPATH=os.pathsep.join(
        filter(None, [str(SOURCE), os.environ.get("PYTHONPATH")])
    )
)

from unit_clusters import files, sweep

# jobs that go on after this process was killed write nothing
os.environ[files.RUN] = str(os.getpid())

try:
    COHORTS = {
        (cohort.experiment, cohort.id): cohort for cohort in sweep.cohorts(config)
    }
except ValueError as error:
    raise WorkflowError(str(error)) from error


wildcard_constraints:
    experiment="[^/]+",
    cohort="[^/]+",
    layer=r"\d+",


def cohort_of(wildcards):
    """The cohort that a path names."""
    try:
        return COHORTS[wildcards.experiment, wildcards.cohort]
    except KeyError:
        raise WorkflowError(
            f"The configuration has no cohort {wildcards.cohort} in experiment {wildcards.experiment}."
        )


def networks(wildcards):
    """What defines the networks of a cohort."""
    cohort = cohort_of(wildcards)
    return {
        "hidden": list(cohort.hidden),
        "runs": cohort.runs,
        "validation_share": config["validation_share"],
    }


def trainings():
    """The cohorts of each of the training rules. Any one; or those of a block that are not trained yet, together.

    The rules differ in their outputs only, so that what one of them made does not count as changed for the other.
    """
    found = {"{experiment}/{cohort}": ["{experiment}/{cohort}"]}
    size, models = (
        config["cohorts_per_job"],
        Path(config["pathvars"]["results"]) / "models",
    )
    trained = (cohort for cohort in COHORTS.values() if cohort.trained)
    sweeps = groupby(
        trained, lambda cohort: f"{cohort.experiment}_{cohort.regularizer}"
    )
    for name, cohorts in sweeps if size > 1 else ():
        for number, block in enumerate(sweep.blocks(list(cohorts), size)):
            paths = [f"{cohort.experiment}/{cohort.id}" for cohort in block]
            missing = [
                path for path in paths if not (models / f"{path}.safetensors").exists()
            ]
            if missing:
                found[f"{name}_{number}"] = missing
    return found


def training(path, wildcards):
    """What the networks of a cohort depend on besides its name, as far as they are trained; alike in a whole sweep."""
    cohort = COHORTS[tuple(path.format(**wildcards).split("/"))]
    made = {
        "hidden": list(cohort.hidden),
        "validation_share": config["validation_share"],
        "training": config["training"],
    }
    return (
        made if cohort.regularizer == "l2" else made | {"l2_floor": config["l2_floor"]}
    )


def runs_of_cohorts(wildcards, output):
    """The runs of each cohort that a job trains. Snakemake does not compare params that follow from the output."""
    return [
        COHORTS[Path(path.removesuffix(".safetensors")).parts[-2:]].runs
        for path in output.networks
    ]


def layer_of_runs(wildcards):
    """Which networks, and which of their layers, a path is about; and what the similarities were made with."""
    cohort = cohort_of(wildcards)
    return {
        "runs": cohort.runs,
        "layer": int(wildcards.layer),
        "origin": origin(wildcards),
        "similarity": config["similarity"],
    }


def per_cohort(path):
    """The path, with {experiment} and {cohort}, for every cohort."""
    return [
        path.format(experiment=cohort.experiment, cohort=cohort.id)
        for cohort in COHORTS.values()
    ]


def per_layer(path):
    """The path, with {experiment}, {cohort} and {layer}, for every cohort and layer."""
    return [
        path.format(experiment=cohort.experiment, cohort=cohort.id, layer=layer)
        for cohort in COHORTS.values()
        for layer in cohort.layers
    ]


def origin(wildcards):
    """What the networks that a job is about were made with, by configuration and by code.

    Rules after training have this in their params, and these modules among their inputs. Their own input files change
    with them, so nothing is run twice. But when one of the jobs before them fails, Snakemake deletes its output, and
    later takes what had once been made from an older version of that output for up to date.
    """
    made = networks(wildcards) | {"dataset": config["dataset"]["name"]}
    return (
        made | {"training": config["training"]}
        if cohort_of(wildcards).trained
        else made
    )


def modules_since_training(*scripts):
    """An input function: the modules of these scripts and of the one that made the cohort's networks."""
    return lambda wildcards: modules_of(
        *scripts, "train.py" if cohort_of(wildcards).trained else "initialize.py"
    )


@cache
def modules_of(*scripts):
    """The modules of the package that the scripts use, by whatever way: a rule depends on these, and on no others."""
    waiting, found = [SCRIPTS / script for script in scripts], set()
    while waiting:
        for name in imported_names(waiting.pop()):
            place = SOURCE.joinpath(*name.split("."))
            for path in (place.with_suffix(".py"), place / "__init__.py"):
                if path.is_file() and path not in found:
                    found.add(path)
                    waiting.append(path)
    return sorted(os.path.relpath(path) for path in found)


def imported_names(path):
    """Dotted names that a Python file imports. What it takes from a module may be a module in turn."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
