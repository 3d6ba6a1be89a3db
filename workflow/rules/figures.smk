# Every figure is a rule of its own, named as in the paper, and depends on the modules that draw it and on no others.
FORMATS = (".pdf", ".png", ".svg")
MODULES = SOURCE / "unit_clusters" / "figures"

# Figures drawn from tables: which, and what else `draw` in the figure's module takes.
FIGURES = {
    "fig2": ([], {}),
    "fig4": (["modularity", "models"], {}),
    "fig5": (["agreement", "models"], {}),
    "figS1": (
        [],
        {"hidden": {name: EXPERIMENTS[name]["hidden"] for name in EXPERIMENTS}},
    ),
    "figS2": (["models"], {}),
    "figS3": (["models"], {}),
    "figS4": (["models"], {}),
    "figS5": (["modularity", "models"], {}),
    "figS6": (["modularity", "models"], {}),
    "figS7": (["modularity", "models"], {}),
    "figS8": (["modularity", "models"], {}),
    "figS9": (["modularity", "models"], {}),
    "figS10": (["modularity", "models"], {}),
    "figS11": (["agreement", "models"], {}),
    "figS12": (["agreement", "modularity", "models"], {}),
    "figscores": (["agreement", "models"], {}),
    "figrestarts": (["modularity", "models"], {}),
    "figrepeats": (["repeats", "agreement", "models"], {}),
    "figprotocol": (["models", "modularity", "agreement"], {}),
}

if REFERENCE in EXPERIMENTS:
    FIGURES["figsensitivity"] = (["sensitivity"], {})

for figure, (tables, options) in FIGURES.items():

    rule:
        name:
            figure
        input:
            **{table: f"<results>/tables/{table}.csv" for table in tables},
            modules=[
                os.path.relpath(MODULES / f"{figure}.py"),
                *modules_of("figure.py", MODULES / f"{figure}.py"),
            ],
        output:
            report(
                multiext(f"<results>/figures/{figure}", *FORMATS),
                caption=f"../report/{figure}.rst",
                category="Figures",
            ),
        log:
            f"<logs>/figures/{figure}.log",
        localrule: True
        conda:
            "../../envs/plot.yaml"
        threads: 1
        params:
            job={"figure": figure, "options": options},
        message:
            f"Figure {figure[3:]}"
        script:
            "../scripts/figure.py"


# Figs. 1 and 3 show matrices of seed 0 of Experiment 1, at the dropout probabilities that the configuration names and
# sweeps; Fig. 1 the last of them.
EXAMPLES = [
    cohort
    for cohort in COHORTS.values()
    if (cohort.experiment, cohort.regularizer, cohort.seeds[0])
    == ("base", "dropout", 0)
    and not set(cohort.strengths).isdisjoint(config["figures"]["examples"])
]
BASE = EXPERIMENTS.get("base", {"hidden": []})["hidden"]


rule fig1:
    input:
        examples="<results>/examples.npz",
        modules=modules_of("fig1.py"),
    output:
        report(
            multiext("<results>/figures/fig1", *FORMATS),
            caption="../report/fig1.rst",
            category="Figures",
        ),
    log:
        "<logs>/figures/fig1.log",
    localrule: True
    conda:
        "../../envs/plot.yaml"
    threads: 1
    params:
        job={"hidden": BASE},
    message:
        "Figure 1"
    script:
        "../scripts/fig1.py"


rule fig3:
    input:
        models="<results>/tables/models.csv",
        modularity="<results>/tables/modularity.csv",
        examples="<results>/examples.npz",
        modules=modules_of("fig3.py"),
    output:
        report(
            multiext("<results>/figures/fig3", *FORMATS),
            caption="../report/fig3.rst",
            category="Figures",
        ),
    log:
        "<logs>/figures/fig3.log",
    localrule: True
    conda:
        "../../envs/plot.yaml"
    threads: 1
    params:
        job={"hidden": BASE},
    message:
        "Figure 3"
    script:
        "../scripts/fig3.py"


rule tableS1:
    input:
        modules=modules_of("tableS1.py"),
    output:
        report(
            multiext("<results>/tables/tableS1", csv=".csv", tex=".tex"),
            caption="../report/tableS1.rst",
            category="Tables",
        ),
    log:
        "<logs>/tables/tableS1.log",
    localrule: True
    conda:
        "../../envs/plot.yaml"
    threads: 1
    params:
        job={"experiments": EXPERIMENTS, "l2_floor": config["l2_floor"]},
    message:
        "Table S1"
    script:
        "../scripts/tableS1.py"


rule figures:
    input:
        expand(
            "<results>/figures/{figure}{format}",
            figure=["fig1", "fig3", *FIGURES],
            format=FORMATS,
        ),
        rules.tableS1.output,
