# With `published: true`, tables and examples come from results/published, and nothing is trained.
PARTS = [
    path.name.partition(".")[0]
    for path in sorted(Path(KEPT, "tables").glob("*.csv.gz"))
]


rule table:
    input:
        f"{KEPT}/tables/{{table}}.csv.gz",
    output:
        "<results>/tables/{table}.csv",
    log:
        "<logs>/tables/{table}.log",
    wildcard_constraints:
        table="|".join(PARTS),
    localrule: True
    conda:
        "../../envs/plot.yaml"
    threads: 1
    params:
        job={"code": code_of("unpack.py")},
    message:
        "Unpack table {wildcards.table}"
    script:
        "../scripts/unpack.py"


rule examples:
    input:
        f"{KEPT}/examples.npz",
    output:
        "<results>/examples.npz",
    log:
        "<logs>/examples.log",
    localrule: True
    conda:
        "../../envs/plot.yaml"
    threads: 1
    message:
        "Copy the example matrices"
    shell:
        "cp {input:q} {output:q} 2> {log:q}"


rule tables:
    input:
        expand("<results>/tables/{table}.csv", table=PARTS),
