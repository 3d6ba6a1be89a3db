# Every figure of the catalog is a rule of its own, named as in the paper. It depends on the modules that draw it and on no
# others.
from unit_clusters_paper.figures import catalog
from unit_clusters_paper.runs.aims import AIMS

FORMATS = (".pdf", ".png", ".svg")
MODULES = code.SOURCE / "unit_clusters_paper" / "figures"
FILES = {
    "claims": "<results>/claims.csv",
    "examples": "<results>/examples.npz",
    "sensitivity": SENSITIVITY,
}
# Without experiments that are swept over strengths of modularity alone: they are no part of the paper.
HIDDEN = {
    name: EXPERIMENTS[name]["hidden"]
    for name in PERCEPTRONS
    if not EXPERIMENTS[name]["sweeps"] or set(EXPERIMENTS[name]["sweeps"]) - set(AIMS)
}

# Those that this run has something to show in: perceptrons, networks of the user's, a study of sensitivity.
FIGURES = {
    figure: entry
    for figure, entry in catalog.FIGURES.items()
    if ("layers" in PARTS if "layers" in entry.files else PERCEPTRONS)
    and (SENSITIVITY or "sensitivity" not in entry.files)
    and ("lesions" in PARTS or "lesions" not in entry.files)
}

for figure, entry in FIGURES.items():

    rule:
        name:
            figure
        input:
            **{
                name: FILES.get(name, f"<results>/tables/{name}.csv")
                for name in entry.files
            },
        output:
            report(
                f"<results>/figures/{figure}.svg",
                caption="../report/caption.rst",
                category="Figures",
            ),
            multiext(f"<results>/figures/{figure}", ".pdf", ".png"),
        log:
            f"<logs>/figures/{figure}.log",
        localrule: True
        conda:
            "../../envs/plot.yaml"
        threads: 1
        params:
            job={
                "code": code_of("figure.py", MODULES / f"{entry.module}.py"),
                "module": entry.module,
                "options": entry.options
                | ({"hidden": HIDDEN} if entry.hidden else {}),
                "min_test_accuracy": config["min_test_accuracy"],
                "caption": entry.caption.format(
                    limit=f"{100 * config['min_test_accuracy']:g} %"
                ),
            },
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


rule tableS1:
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
        job={
            "code": code_of("tableS1.py"),
            "experiments": {name: EXPERIMENTS[name] for name in PERCEPTRONS},
            "l2_floor": config["l2_floor"],
        },
    message:
        "Table S1"
    script:
        "../scripts/tableS1.py"


rule figures:
    input:
        expand(
            "<results>/figures/{figure}{format}",
            figure=FIGURES,
            format=FORMATS,
        ),
        rules.tableS1.output if PERCEPTRONS else [],
