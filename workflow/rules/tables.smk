# Tidy tables of all networks.
PARTS = {
    "models": per_cohort("<results>/models/{experiment}/{cohort}.models.csv"),
    "modularity": per_layer(
        "<results>/clusters/{experiment}/{cohort}/layer{layer}.csv"
    ),
    "agreement": per_layer(
        "<results>/agreement/{experiment}/{cohort}/layer{layer}.csv"
    ),
}

# What each table is made by, and the sections of the configuration that it is made with: see origin() in common.smk.
NETWORKS = ("experiments", "l2_floor", "untrained", "validation_share", "training")
MADE_BY = {
    "models": ("train.py", "initialize.py"),
    "modularity": ("train.py", "initialize.py", "similarity.py", "cluster.py"),
    "agreement": (
        "train.py",
        "initialize.py",
        "similarity.py",
        "cluster.py",
        "compare.py",
    ),
}
MADE_WITH = {
    "models": NETWORKS,
    "modularity": (*NETWORKS, "similarity", "clustering"),
    "agreement": (*NETWORKS, "similarity", "clustering"),
}


rule table:
    input:
        parts=lambda wildcards: PARTS[wildcards.table],
        modules=lambda wildcards: modules_of("table.py", *MADE_BY[wildcards.table]),
    output:
        "<results>/tables/{table}.csv",
    log:
        "<logs>/tables/{table}.log",
    wildcard_constraints:
        table="|".join(PARTS),
    conda:
        "../../envs/plot.yaml"
    threads: 1
    params:
        job=lambda wildcards: {key: config[key] for key in MADE_WITH[wildcards.table]}
        | {"dataset": config["dataset"]["name"]},
    message:
        "Table {wildcards.table}"
    script:
        "../scripts/table.py"


rule tables:
    input:
        expand("<results>/tables/{table}.csv", table=PARTS),
