# How far the clusters of each hidden layer agree between measures, and between independent searches of one measure, for
# each network of a cohort.
rule compare:
    input:
        similarity="<results>/similarity/{experiment}/{cohort}.npz",
        labels="<results>/clusters/{experiment}/{cohort}.npz",
    output:
        agreement="<results>/agreement/{experiment}/{cohort}.csv",
        repeats="<results>/agreement/{experiment}/{cohort}.repeats.csv",
    log:
        "<logs>/compare/{experiment}/{cohort}.log",
    benchmark:
        "<benchmarks>/compare/{experiment}/{cohort}.tsv"
    priority: 1  # what has been trained is seen through before more is trained
    conda:
        "../../envs/compute.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: attempt * 700,
        runtime=layer_minutes,
    params:
        job=lambda wildcards: {
            "code": code_of("compare.py"),
            "runs": cohort_of(wildcards).runs,
            "clustering": {
                key: cohort_of(wildcards).settings["clustering"][key]
                for key in ("steps", "entropy", "rotations")
            },
        },
    message:
        "Compare clusters of {wildcards.experiment}, {wildcards.cohort}"
    script:
        "../scripts/compare.py"
