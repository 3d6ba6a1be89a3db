# What one choice at a time does to the headline numbers: of the published tables, and of the experiments of the preset
# `sensitivity`, which differ from its reference by one setting each.
REFERENCE = "reference"

if REFERENCE in EXPERIMENTS:

    rule sensitivity:
        input:
            run=expand(
                "<results>/tables/{table}.csv",
                table=["models", "modularity", "agreement"],
            ),
            published=expand(
                "results/published/tables/{table}.csv.gz",
                table=["models", "modularity", "agreement"],
            ),
            modules=modules_of("sensitivity.py"),
        output:
            report(
                "<results>/tables/sensitivity.csv",
                caption="../report/figsensitivity.rst",
                category="Tables",
            ),
        log:
            "<logs>/tables/sensitivity.log",
        localrule: True
        conda:
            "../../envs/plot.yaml"
        threads: 1
        params:
            job={"variants": differences_from(REFERENCE)},
        message:
            "Table sensitivity"
        script:
            "../scripts/sensitivity.py"
