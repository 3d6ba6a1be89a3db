# Networks: one job a cohort, all its networks at once.
UNTRAINED = f"{sweep.UNTRAINED}_.+"


def networks(wildcards):
    """What defines a cohort's networks."""
    cohort = cohort_of(wildcards)
    return {"hidden": list(cohort.hidden), "runs": cohort.runs, "validation_share": config["validation_share"]}


rule train:
    input:
        images=IMAGES,
        modules=modules_of("train.py"),
    output:
        networks="<results>/models/{experiment}/{cohort}.safetensors",
        history="<results>/models/{experiment}/{cohort}.history.csv",
        models="<results>/models/{experiment}/{cohort}.models.csv",
    log:
        "<logs>/train/{experiment}/{cohort}.log",
    benchmark:
        "<benchmarks>/train/{experiment}/{cohort}.tsv"
    params:
        job=lambda wildcards: networks(wildcards) | {"training": config["training"]},
    wildcard_constraints:
        cohort=f"(?!{UNTRAINED}).+",
    threads: 1
    conda:
        "../../envs/compute.yaml"
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
    params:
        job=networks,
    wildcard_constraints:
        cohort=UNTRAINED,
    threads: 1
    conda:
        "../../envs/compute.yaml"
    script:
        "../scripts/initialize.py"
