# Tidy tables of all networks.
PARTS = {
    "models": per_cohort("<results>/models/{experiment}/{cohort}.models.csv"),
    "modularity": per_cohort("<results>/clusters/{experiment}/{cohort}.csv"),
    "agreement": per_cohort("<results>/agreement/{experiment}/{cohort}.csv"),
    "repeats": per_cohort("<results>/agreement/{experiment}/{cohort}.repeats.csv"),
}
if PERCEPTRONS:
    PARTS["weights"] = per_cohort(
        "<results>/clusters/{experiment}/{cohort}.weights.csv", experiments=PERCEPTRONS
    )
# Whose networks are lesioned: cohorts with one of the first few seeds of a strength.
LESIONED = [
    f"<results>/lesions/{cohort.experiment}/{cohort.id}.csv"
    for cohort in COHORTS.values()
    if cohort.ours
    and cohort.trained
    and cohort.seeds[0] < cohort.settings["lesions"]["seeds"]
]
if LESIONED:
    PARTS["lesions"] = LESIONED
if OWN:
    PARTS["layers"] = per_cohort(
        "<results>/models/{experiment}/{cohort}.layers.csv", experiments=OWN
    )

# What all parts of a table but `models` come from. When a job fails after a change, Snakemake deletes its output, and later
# takes for up to date what had once been made from an older one: unless it is asked for all of them, as here.
BETWEEN = per_cohort(
    "<results>/models/{experiment}/{cohort}.safetensors", experiments=PERCEPTRONS
) + per_cohort(
    "<results>/similarity/{experiment}/{cohort}.npz",
    "<results>/halves/{experiment}/{cohort}.npz",
    "<results>/clusters/{experiment}/{cohort}.npz",
)


rule table:
    input:
        parts=lambda wildcards: PARTS[wildcards.table],
        between=lambda wildcards: [] if wildcards.table == "models" else BETWEEN,
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
        job={"code": code_of("table.py")},
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
            "<results>/similarity/base/{cohort}.npz",
            cohort=[cohort.id for cohort in EXAMPLES],
        ),
        clusters=lambda wildcards: expand(
            "<results>/clusters/base/{cohort}.npz",
            cohort=[cohort.id for cohort in EXAMPLES],
        ),
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
            "code": code_of("examples.py"),
            "chosen": config["figures"]["examples"],
            "strengths": [list(cohort.strengths) for cohort in EXAMPLES],
        },
    message:
        "Example matrices"
    script:
        "../scripts/examples.py"
