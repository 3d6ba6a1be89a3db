# Experiments of networks that were trained elsewhere: each checkpoint is a cohort, from similarity on.
rule examine:
    input:
        checkpoint=lambda wildcards: cohort_of(wildcards).checkpoint or [],
        factory=lambda wildcards: EXPERIMENTS[wildcards.experiment][
            "factory"
        ].partition(":")[0],
        inputs=inputs_of,
    output:
        similarity="<results>/similarity/{experiment}/{cohort}.npz",
        halves="<results>/halves/{experiment}/{cohort}.npz",
        models="<results>/models/{experiment}/{cohort}.models.csv",
        layers="<results>/models/{experiment}/{cohort}.layers.csv",
    log:
        "<logs>/examine/{experiment}/{cohort}.log",
    benchmark:
        "<benchmarks>/examine/{experiment}/{cohort}.tsv"
    wildcard_constraints:
        experiment=either(OWN),
    conda:
        "../../envs/compute.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: attempt * 4000,
        runtime=lambda wildcards, attempt: attempt * 60,
    params:
        job=lambda wildcards: {
            "code": code_of("examine.py"),
            "runs": cohort_of(wildcards).runs,
            **{
                key: EXPERIMENTS[wildcards.experiment].get(key)
                for key in ("factory", "layers", "inputs", "loss", "options")
            },
        },
    message:
        "Similarity in {wildcards.experiment}, {wildcards.cohort}"
    script:
        "../scripts/examine.py"
