# What one choice at a time does to the headline numbers: of the published tables, and of the experiments of the preset
# `sensitivity`, which differ from its reference by one setting each.
from unit_clusters_paper.figures import catalog

REFERENCE = "reference"
SENSITIVITY = "<results>/tables/sensitivity.csv"
KEPT_SENSITIVITY = f"{KEPT}/sensitivity.csv"  # a copy of it, by hand

if REFERENCE in EXPERIMENTS:

    rule sensitivity:
        input:
            run=expand(
                "<results>/tables/{table}.csv",
                table=["models", "modularity", "agreement"],
            ),
            published=expand(
                f"{KEPT}/tables/{{table}}.csv.gz",
                table=["models", "modularity", "agreement"],
            ),
        output:
            report(
                SENSITIVITY,
                caption="../report/caption.rst",
                category="Tables",
            ),
        log:
            "<logs>/tables/sensitivity.log",
        localrule: True
        conda:
            "../../envs/plot.yaml"
        threads: 1
        params:
            job={
                "code": code_of("sensitivity.py"),
                "variants": differences_from(REFERENCE),
                "min_test_accuracy": config["min_test_accuracy"],
                "caption": catalog.FIGURES["figsensitivity"].caption,
            },
        message:
            "Table sensitivity"
        script:
            "../scripts/sensitivity.py"

elif config["published"] and Path(KEPT_SENSITIVITY).exists():
    SENSITIVITY = KEPT_SENSITIVITY
else:
    SENSITIVITY = None
