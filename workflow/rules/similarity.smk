# The four similarity matrices of each hidden layer, for each network of a cohort; and those by halves of the images.
rule similarity:
    input:
        networks="<results>/models/{experiment}/{cohort}.safetensors",
        images=IMAGES,
        files=IMAGE_FILES,
    output:
        similarity="<results>/similarity/{experiment}/{cohort}.npz",
        halves="<results>/halves/{experiment}/{cohort}.npz",
    log:
        "<logs>/similarity/{experiment}/{cohort}.log",
    benchmark:
        "<benchmarks>/similarity/{experiment}/{cohort}.tsv"
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
            "code": code_of("similarity.py"),
            "runs": [run["id"] for run in cohort_of(wildcards).runs],
            **cohort_of(wildcards).settings["similarity"],
        },
    message:
        "Similarity in {wildcards.experiment}, {wildcards.cohort}"
    script:
        "../scripts/similarity.py"
