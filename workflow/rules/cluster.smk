# The clusters of one layer under all eight measures, for each network of a cohort.
rule cluster:
    input:
        similarity="<results>/similarity/{experiment}/{cohort}/layer{layer}.npz",
        modules=modules_since_training("similarity.py", "cluster.py"),
    output:
        labels="<results>/clusters/{experiment}/{cohort}/layer{layer}.npz",
        modularity="<results>/clusters/{experiment}/{cohort}/layer{layer}.csv",
    log:
        "<logs>/cluster/{experiment}/{cohort}/layer{layer}.log",
    benchmark:
        "<benchmarks>/cluster/{experiment}/{cohort}/layer{layer}.tsv"
    priority: 1  # what has been trained is seen through before more is trained
    conda:
        "../../envs/compute.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: attempt * 700,
        runtime=layer_minutes,
    params:
        job=lambda wildcards: layer_of_runs(wildcards)
        | cohort_of(wildcards).settings["clustering"],
    message:
        "Cluster {wildcards.experiment}, {wildcards.cohort}, layer {wildcards.layer}"
    script:
        "../scripts/cluster.py"
