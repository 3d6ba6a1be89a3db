# The cohorts of the configuration, and what several rules ask of them.
import math
import os
import re
import sys
from functools import cache
from itertools import pairwise
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

from unit_clusters_paper.data import sources
from unit_clusters_paper.runs import code, insides, sweep

try:
    DATASET = sources.find(config["dataset"]["name"])
    COHORTS = {
        (cohort.experiment, cohort.id): cohort for cohort in sweep.cohorts(config)
    }
except ValueError as error:
    raise WorkflowError(str(error)) from error


EXPERIMENTS = {
    name: experiment for name, experiment in config["experiments"].items() if experiment
}
# Of perceptrons, which are trained here; and of networks of the user's.
PERCEPTRONS = [name for name in EXPERIMENTS if "hidden" in EXPERIMENTS[name]]
OWN = [name for name in EXPERIMENTS if "hidden" not in EXPERIMENTS[name]]


def either(names):
    """A pattern of wildcards that is one of these names; of none, one that nothing fits."""
    return "|".join(map(re.escape, names)) or "(?!)"


# What is kept of the full run, in the repository; on other data than MNIST and its stand-in, tables and scorecard.
ON_MNIST = config["dataset"]["name"] in ("mnist", "synthetic")
PUBLISHED = ROOT / "results" / "published"
KEPT = os.path.relpath(PUBLISHED / ("" if ON_MNIST else config["dataset"]["name"]))
# Whose scorecard stands beside that of the run, where the repository's results are there. A parameter, and no input, since
# it is no file of the run's storage.
OTHER_DATA = os.path.relpath(
    PUBLISHED / ("fashion-mnist" if ON_MNIST else "") / "claims.csv"
)
OTHER_DATA = OTHER_DATA if os.path.exists(OTHER_DATA) else None


wildcard_constraints:
    experiment="[^/]+",
    cohort="[^/]+",


def cohort_of(wildcards):
    """The cohort that a path names."""
    try:
        return COHORTS[wildcards.experiment, wildcards.cohort]
    except KeyError:
        raise WorkflowError(
            f"The configuration has no cohort {wildcards.cohort} in experiment {wildcards.experiment}."
        )


def files_of(dataset):
    """The IDX files of a data set, where Snakemake has to bring them to jobs. Only a new SHA256SUMS counts as a change."""
    names = sources.find("mnist").files if insides.stores_files(workflow) else []
    return [f"data/{dataset}/{name}" for name in names]


def inputs_of(wildcards):
    """What networks of the user's are shown: an archive, or a data set."""
    inputs = EXPERIMENTS[wildcards.experiment]["inputs"]
    return inputs.get("file") or f"data/{inputs['dataset']}/SHA256SUMS"


def differences_from(reference):
    """By experiment, the settings that are others than those of the one that is named, by their keys."""
    settings = {cohort.experiment: cohort.settings for cohort in COHORTS.values()}
    expected = settings.pop(reference)
    return {
        experiment: {
            f"{section}: {key}": value
            for section, values in found.items()
            for key, value in values.items()
            if value != expected[section][key]
        }
        for experiment, found in settings.items()
    }


def per_cohort(*paths, experiments=EXPERIMENTS):
    """The paths, with {experiment} and {cohort}, for every cohort of these experiments."""
    return [
        path.format(experiment=cohort.experiment, cohort=cohort.id)
        for path in paths
        for cohort in COHORTS.values()
        if cohort.experiment in experiments
    ]


@cache
def code_of(script, *modules):
    """What a rule's params hold of the code, so that a job is done again when its script or what that imports changes."""
    return code.hash_of(SCRIPTS / script, *modules)


# Time and memory of a job, for clusters; a job that fails for want of them is tried again with more. They are a few times
# what the paper's run took on our processor.


def training_minutes(wildcards, attempt):
    """From the products that training takes: of an image, 4 or 6 operations a weight, at 15 GFLOP/s a core."""
    cohort = cohort_of(wildcards)
    sizes = (DATASET.pixels, *cohort.hidden, DATASET.classes)
    first, *others = (a * b for a, b in pairwise(sizes))
    images = DATASET.shape[0] * (1 - config["validation_share"])
    stops_early = cohort.settings["training"]["stopping_patience"] is not None
    epochs = min(
        cohort.settings["training"]["max_epochs"] or 150,
        150 if stops_early else math.inf,
    )
    operations = len(cohort.runs) * epochs * images * (4 * first + 6 * sum(others))
    return attempt * math.ceil(5 + operations / 15e9 / 60)


def layer_minutes(wildcards, attempt):
    """From the number of networks and layers."""
    cohort = cohort_of(wildcards)
    layers = len(cohort.hidden) or 10  # of networks of the user's, who knows
    return attempt * (5 + len(cohort.runs) * layers // 3)
