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


rule table:
    input:
        parts=lambda wildcards: PARTS[wildcards.table],
        modules=modules_of("table.py"),
    output:
        "<results>/tables/{table}.csv",
    log:
        "<logs>/tables/{table}.log",
    wildcard_constraints:
        table="|".join(PARTS),
    conda:
        "../../envs/plot.yaml"
    threads: 1
    message:
        "Table {wildcards.table}"
    script:
        "../scripts/table.py"


rule tables:
    input:
        expand("<results>/tables/{table}.csv", table=PARTS),
