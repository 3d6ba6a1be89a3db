# The paper's claims, scored.
rule claims:
    input:
        models="<results>/tables/models.csv",
        modularity="<results>/tables/modularity.csv",
        agreement="<results>/tables/agreement.csv",
        modules=modules_of("claims.py"),
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
        job={"min_test_accuracy": config["min_test_accuracy"]},
    message:
        "Scorecard of the paper's claims"
    script:
        "../scripts/claims.py"
