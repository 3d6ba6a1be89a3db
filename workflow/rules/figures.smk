# One rule a figure, named as in the paper.
FORMATS = (".pdf", ".png", ".svg")


# Fig. 3 shows seed 0 of Experiment 1, at the dropout probabilities that the configuration names and sweeps.
EXAMPLES = [
    cohort
    for cohort in COHORTS.values()
    if (cohort.experiment, cohort.regularizer, cohort.seeds[0])
    == ("base", "dropout", 0)
    and cohort.strength in config["figures"]["examples"]
]
EXAMPLE_FILES = [f"{cohort.experiment}/{cohort.id}/layer1.npz" for cohort in EXAMPLES]


rule fig3:
    input:
        models="<results>/tables/models.csv",
        modularity="<results>/tables/modularity.csv",
        matrices=expand("<results>/similarity/{file}", file=EXAMPLE_FILES),
        clusters=expand("<results>/clusters/{file}", file=EXAMPLE_FILES),
        modules=modules_of("fig3.py"),
    output:
        report(
            multiext("<results>/figures/fig3", *FORMATS),
            caption="../report/fig3.rst",
            category="Figures",
        ),
    log:
        "<logs>/figures/fig3.log",
    conda:
        "../../envs/plot.yaml"
    threads: 1
    params:
        job={
            "strengths": [cohort.strength for cohort in EXAMPLES],
            "hidden": (config["experiments"].get("base") or {}).get("hidden", []),
        },
    message:
        "Figure 3"
    script:
        "../scripts/fig3.py"


rule fig5:
    input:
        models="<results>/tables/models.csv",
        agreement="<results>/tables/agreement.csv",
        modules=modules_of("fig5.py"),
    output:
        report(
            multiext("<results>/figures/fig5", *FORMATS),
            caption="../report/fig5.rst",
            category="Figures",
        ),
    log:
        "<logs>/figures/fig5.log",
    conda:
        "../../envs/plot.yaml"
    threads: 1
    message:
        "Figure 5"
    script:
        "../scripts/fig5.py"


rule figures:
    input:
        rules.fig3.output,
        rules.fig5.output,
