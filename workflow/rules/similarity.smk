# The four similarity matrices of one layer, for each network of a cohort.
rule similarity:
    input:
        networks="<results>/models/{experiment}/{cohort}.safetensors",
        images=IMAGES,
        modules=modules_since_training("similarity.py"),
    output:
        "<results>/similarity/{experiment}/{cohort}/layer{layer}.npz",
    log:
        "<logs>/similarity/{experiment}/{cohort}/layer{layer}.log",
    benchmark:
        "<benchmarks>/similarity/{experiment}/{cohort}/layer{layer}.tsv"
    priority: 1  # what has been trained is seen through before more is trained
    conda:
        "../../envs/compute.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: attempt * 900,
        runtime=layer_minutes,
    params:
        job=lambda wildcards: {
            "layer": int(wildcards.layer),
            "origin": origin(wildcards),
            **cohort_of(wildcards).settings["similarity"],
        },
    message:
        "Similarity in {wildcards.experiment}, {wildcards.cohort}, layer {wildcards.layer}"
    script:
        "../scripts/similarity.py"
