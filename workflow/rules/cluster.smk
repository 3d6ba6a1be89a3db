# The clusters of each hidden layer under all measures, and of the graph of weights, for each network of a cohort.
rule cluster:
    input:
        networks=lambda wildcards: (
            "<results>/models/{experiment}/{cohort}.safetensors"
            if cohort_of(wildcards).ours
            else []
        ),
        similarity="<results>/similarity/{experiment}/{cohort}.npz",
        halves="<results>/halves/{experiment}/{cohort}.npz",
    output:
        labels="<results>/clusters/{experiment}/{cohort}.npz",
        modularity="<results>/clusters/{experiment}/{cohort}.csv",
        weights="<results>/clusters/{experiment}/{cohort}.weights.csv",
    log:
        "<logs>/cluster/{experiment}/{cohort}.log",
    benchmark:
        "<benchmarks>/cluster/{experiment}/{cohort}.tsv"
    priority: 1  # what has been trained is seen through before more is trained
    conda:
        "../../envs/compute.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: attempt * 700,
        runtime=layer_minutes,
    params:
        job=lambda wildcards: {
            "code": code_of("cluster.py"),
            "runs": cohort_of(wildcards).runs,
            "clustering": cohort_of(wildcards).settings["clustering"],
        },
    message:
        "Cluster {wildcards.experiment}, {wildcards.cohort}"
    script:
        "../scripts/cluster.py"
