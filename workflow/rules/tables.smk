# Tidy tables of all networks.
PARTS = {
    "models": per_cohort("<results>/models/{experiment}/{cohort}.models.csv"),
    "modularity": per_layer(
        "<results>/clusters/{experiment}/{cohort}/layer{layer}.csv"
    ),
    "agreement": per_layer(
        "<results>/agreement/{experiment}/{cohort}/layer{layer}.csv"
    ),
    "repeats": per_layer(
        "<results>/agreement/{experiment}/{cohort}/layer{layer}.repeats.csv"
    ),
}

# The jobs after training that each table comes from, and the sections of the configuration that networks are made with:
# see origin() in common.smk.
STAGES = {
    "models": [],
    "modularity": ["similarity.py", "cluster.py"],
    "agreement": ["similarity.py", "cluster.py", "compare.py"],
    "repeats": ["similarity.py", "cluster.py", "compare.py"],
}
NETWORKS = ["experiments", "l2_floor", "untrained", "validation_share", "training"]


rule table:
    input:
        parts=lambda wildcards: PARTS[wildcards.table],
        modules=lambda wildcards: modules_of(
            "table.py", "train.py", "initialize.py", *STAGES[wildcards.table]
        ),
    output:
        report(
            "<results>/tables/{table}.csv",
            caption="../report/table.rst",
            category="Tables",
        ),
    log:
        "<logs>/tables/{table}.log",
    wildcard_constraints:
        table="|".join(PARTS),
    localrule: True
    conda:
        "../../envs/plot.yaml"
    threads: 1
    params:
        job=lambda wildcards: {
            "dataset": config["dataset"]["name"],
            **{key: config[key] for key in NETWORKS},
            **(
                {key: config[key] for key in ("similarity", "clustering")}
                if STAGES[wildcards.table]
                else {}
            ),
        },
    message:
        "Table {wildcards.table}"
    script:
        "../scripts/table.py"


rule tables:
    input:
        expand("<results>/tables/{table}.csv", table=PARTS),


# The layers that Figs. 1 and 3 show.
rule examples:
    input:
        modularity="<results>/tables/modularity.csv",
        matrices=lambda wildcards: expand(
            "<results>/similarity/base/{cohort}/layer1.npz",
            cohort=[cohort.id for cohort in EXAMPLES],
        ),
        clusters=lambda wildcards: expand(
            "<results>/clusters/base/{cohort}/layer1.npz",
            cohort=[cohort.id for cohort in EXAMPLES],
        ),
        modules=modules_of("examples.py"),
    output:
        "<results>/examples.npz",
    log:
        "<logs>/examples.log",
    localrule: True
    conda:
        "../../envs/plot.yaml"
    threads: 1
    params:
        job=lambda wildcards: {
            "chosen": config["figures"]["examples"],
            "strengths": [list(cohort.strengths) for cohort in EXAMPLES],
        },
    message:
        "Example matrices"
    script:
        "../scripts/examples.py"
