# What networks lose with a cluster of units, beside random sets of units: of the first few seeds of each strength.
rule lesion:
    input:
        networks="<results>/models/{experiment}/{cohort}.safetensors",
        labels="<results>/clusters/{experiment}/{cohort}.npz",
        images=IMAGES,
        files=IMAGE_FILES,
    output:
        "<results>/lesions/{experiment}/{cohort}.csv",
    log:
        "<logs>/lesion/{experiment}/{cohort}.log",
    benchmark:
        "<benchmarks>/lesion/{experiment}/{cohort}.tsv"
    wildcard_constraints:
        experiment=either(PERCEPTRONS),
    priority: 1  # what has been trained is seen through before more is trained
    conda:
        "../../envs/compute.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: attempt * 900,
        runtime=layer_minutes,
    params:
        job=lambda wildcards: {
            "code": code_of("lesion.py"),
            "runs": cohort_of(wildcards).runs,
            **cohort_of(wildcards).settings["lesions"],
        },
    message:
        "Lesions in {wildcards.experiment}, {wildcards.cohort}"
    script:
        "../scripts/lesion.py"
