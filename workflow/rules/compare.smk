# How far the clusters of one layer agree between measures, and between independent searches of one measure, for each
# network of a cohort.
rule compare:
    input:
        similarity="<results>/similarity/{experiment}/{cohort}/layer{layer}.npz",
        labels="<results>/clusters/{experiment}/{cohort}/layer{layer}.npz",
        modules=modules_since_training("similarity.py", "cluster.py", "compare.py"),
    output:
        agreement="<results>/agreement/{experiment}/{cohort}/layer{layer}.csv",
        repeats="<results>/agreement/{experiment}/{cohort}/layer{layer}.repeats.csv",
    log:
        "<logs>/compare/{experiment}/{cohort}/layer{layer}.log",
    benchmark:
        "<benchmarks>/compare/{experiment}/{cohort}/layer{layer}.tsv"
    priority: 1  # what has been trained is seen through before more is trained
    conda:
        "../../envs/compute.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: attempt * 700,
        runtime=layer_minutes,
    params:
        job=lambda wildcards: layer_of_runs(wildcards)
        | {"clustering": cohort_of(wildcards).settings["clustering"]},
    message:
        "Compare clusters of {wildcards.experiment}, {wildcards.cohort}, layer {wildcards.layer}"
    script:
        "../scripts/compare.py"
