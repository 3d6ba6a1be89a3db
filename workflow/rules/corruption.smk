# How networks bear corrupted images: `snakemake corrupted`. No figure of the paper takes it, so it is no part of `all`.
rule corrupt:
    input:
        networks="<results>/models/{experiment}/{cohort}.safetensors",
        images=IMAGES,
        files=IMAGE_FILES,
    output:
        "<results>/corrupted/{experiment}/{cohort}.csv",
    log:
        "<logs>/corrupt/{experiment}/{cohort}.log",
    benchmark:
        "<benchmarks>/corrupt/{experiment}/{cohort}.tsv"
    wildcard_constraints:
        experiment=either(PERCEPTRONS),
    conda:
        "../../envs/compute.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: attempt * 1000,
        runtime=layer_minutes,
    params:
        job=lambda wildcards: {
            "code": code_of("corrupt.py"),
            "runs": cohort_of(wildcards).runs,
        },
    message:
        "Corrupted images for {wildcards.experiment}, {wildcards.cohort}"
    script:
        "../scripts/corrupt.py"


rule corrupted:
    input:
        parts=per_cohort(
            "<results>/corrupted/{experiment}/{cohort}.csv", experiments=PERCEPTRONS
        ),
    output:
        "<results>/tables/corrupted.csv",
    log:
        "<logs>/tables/corrupted.log",
    localrule: True
    conda:
        "../../envs/plot.yaml"
    threads: 1
    params:
        job={"code": code_of("table.py")},
    message:
        "Table corrupted"
    script:
        "../scripts/table.py"
