# The paper's claims, scored.
rule claims:
    input:
        **({"weights": "<results>/tables/weights.csv"} if "weights" in PARTS else {}),
        models="<results>/tables/models.csv",
        modularity="<results>/tables/modularity.csv",
        agreement="<results>/tables/agreement.csv",
    output:
        csv="<results>/claims.csv",
        markdown="<results>/claims.md",
        html=report(
            "<results>/claims.html",
            caption="../report/claims.rst",
            category="Scorecard",
        ),
    log:
        "<logs>/claims.log",
    localrule: True
    conda:
        "../../envs/plot.yaml"
    threads: 1
    params:
        job={
            "code": code_of("claims.py"),
            "min_test_accuracy": config["min_test_accuracy"],
            "other": OTHER_DATA,
        },
    message:
        "Scorecard of the paper's claims"
    script:
        "../scripts/claims.py"
