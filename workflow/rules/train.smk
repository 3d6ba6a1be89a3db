# Networks: one job a cohort.
UNTRAINED = f"{sweep.UNTRAINED}_.+"


rule train:
    input:
        images=IMAGES,
        files=IMAGE_FILES,
    output:
        networks="<results>/models/{experiment}/{cohort}.safetensors",
        history="<results>/models/{experiment}/{cohort}.history.csv",
        models="<results>/models/{experiment}/{cohort}.models.csv",
    log:
        "<logs>/train/{experiment}/{cohort}.log",
    benchmark:
        "<benchmarks>/train/{experiment}/{cohort}.tsv"
    wildcard_constraints:
        experiment=either(PERCEPTRONS),
        cohort=f"(?!{UNTRAINED}).+",
    conda:
        "../../envs/compute.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: attempt * 1000,
        runtime=training_minutes,
        # none, not 0: for some clouds' plugins, 0 is a GPU, too
        gpu=lambda wildcards: (
            1
            if cohort_of(wildcards).settings["training"]["device"] == "cuda"
            else None
        ),
    params:
        job=lambda wildcards: {
            "code": code_of("train.py"),
            "runs": cohort_of(wildcards).runs,
            "hidden": list(cohort_of(wildcards).hidden),
            "validation_share": config["validation_share"],
            "training": cohort_of(wildcards).settings["training"],
        },
    message:
        "Train {wildcards.experiment}, {wildcards.cohort}"
    script:
        "../scripts/train.py"


rule initialize:
    input:
        images=IMAGES,
        files=IMAGE_FILES,
    output:
        networks="<results>/models/{experiment}/{cohort}.safetensors",
        models="<results>/models/{experiment}/{cohort}.models.csv",
    log:
        "<logs>/initialize/{experiment}/{cohort}.log",
    benchmark:
        "<benchmarks>/initialize/{experiment}/{cohort}.tsv"
    wildcard_constraints:
        experiment=either(PERCEPTRONS),
        cohort=UNTRAINED,
    conda:
        "../../envs/compute.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: attempt * 1100,
        runtime=layer_minutes,
    params:
        job=lambda wildcards: {
            "code": code_of("initialize.py"),
            "runs": cohort_of(wildcards).runs,
            "hidden": list(cohort_of(wildcards).hidden),
            "validation_share": config["validation_share"],
        },
    message:
        "Initialise {wildcards.experiment}, {wildcards.cohort}"
    script:
        "../scripts/initialize.py"
