# Networks: one job a cohort, all its networks at once; with `cohorts_per_job`, one job for several cohorts.
from functools import partial
from itertools import groupby

UNTRAINED = f"{sweep.UNTRAINED}_.+"


def trainings():
    """The cohorts of each rule that trains: any one; or those of a block that are not trained yet, all together.

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


for name, cohorts in trainings().items():

    rule:
        name:
            "train" if "{" in name else f"train_{name}"
        input:
            images=IMAGES,
            modules=modules_of("train.py"),
        output:
            networks=[f"<results>/models/{cohort}.safetensors" for cohort in cohorts],
            history=[f"<results>/models/{cohort}.history.csv" for cohort in cohorts],
            models=[f"<results>/models/{cohort}.models.csv" for cohort in cohorts],
        log:
            f"<logs>/train/{name}.log",
        benchmark:
            f"<benchmarks>/train/{name}.tsv"
        wildcard_constraints:
            cohort=f"(?!{UNTRAINED}).+",
        conda:
            "../../envs/compute.yaml"
        threads: 1
        resources:
            gpu=int(config["training"]["device"] == "cuda"),
        params:
            job=partial(training, cohorts[0]),
            cohorts=runs_of_cohorts,
        message:
            f"Train {name.replace('{', '{wildcards.')}"
        script:
            "../scripts/train.py"


rule initialize:
    input:
        images=IMAGES,
        modules=modules_of("initialize.py"),
    output:
        networks="<results>/models/{experiment}/{cohort}.safetensors",
        models="<results>/models/{experiment}/{cohort}.models.csv",
    log:
        "<logs>/initialize/{experiment}/{cohort}.log",
    benchmark:
        "<benchmarks>/initialize/{experiment}/{cohort}.tsv"
    wildcard_constraints:
        cohort=UNTRAINED,
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        job=networks,
    message:
        "Initialise {wildcards.experiment}, {wildcards.cohort}"
    script:
        "../scripts/initialize.py"
