# Networks: one job a cohort, all its networks at once; with `cohorts_per_job`, one job for several cohorts.
from functools import partial

UNTRAINED = f"{sweep.UNTRAINED}_.+"


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
