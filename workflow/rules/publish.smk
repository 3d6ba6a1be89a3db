# A finished run: how it came about, how it compares with the published one, and keeping it as that.

# The jobs of this configuration by stage, as in the paths of their logs and benchmark files.
COHORT_JOBS = dict(zip(per_cohort("{experiment}/{cohort}"), COHORTS.values()))
MADE_HERE = {job: cohort for job, cohort in COHORT_JOBS.items() if cohort.ours}
JOBS = {
    "train": [job for job, cohort in MADE_HERE.items() if cohort.trained],
    "initialize": [job for job, cohort in MADE_HERE.items() if not cohort.trained],
    "similarity": list(MADE_HERE),
    **(
        {"examine": per_cohort("{experiment}/{cohort}", experiments=OWN)} if OWN else {}
    ),
    **dict.fromkeys(["cluster", "compare"], list(COHORT_JOBS)),
}


rule provenance:
    input:
        rules.tables.input,
    output:
        json="<results>/provenance.json",
        html=report(
            "<results>/provenance.html",
            caption="../report/provenance.rst",
            category="Run",
        ),
    log:
        "<logs>/provenance.log",
    localrule: True
    conda:
        "../../envs/plot.yaml"
    threads: 1
    params:
        job={
            "code": code_of("provenance.py"),
            "config": config,
            "jobs": JOBS,
        },
    message:
        "Provenance"
    script:
        "../scripts/provenance.py"


# The tables of this run that the published one has, too; lesions are of some networks only.
COMPARED = [
    table
    for table in PARTS
    if table != "lesions" and Path(f"{KEPT}/tables/{table}.csv.gz").exists()
]


rule verify:
    input:
        run=expand("<results>/tables/{table}.csv", table=COMPARED),
        published=expand(f"{KEPT}/tables/{{table}}.csv.gz", table=COMPARED),
        claims=["<results>/claims.csv", f"{KEPT}/claims.csv"],
        provenance=["<results>/provenance.json", f"{KEPT}/provenance.json"],
    output:
        "<results>/verification.txt",
    log:
        "<logs>/verify.log",
    localrule: True
    conda:
        "../../envs/plot.yaml"
    threads: 1
    params:
        job={"code": code_of("verify.py")},
    message:
        "Compare with the published tables"
    script:
        "../scripts/verify.py"


rule publish:
    input:
        tables=expand("<results>/tables/{table}.csv", table=PARTS),
        figures=[
            path
            for path in rules.figures.input
            if ON_MNIST and str(path).endswith((".pdf", ".png"))
        ],
        labels=(
            per_cohort("<results>/clusters/{experiment}/{cohort}.npz")
            if ON_MNIST
            else []
        ),
        others=expand(
            "<results>/{file}",
            file=["claims.csv", "claims.md", "provenance.json", "examples.npz"],
        ),
    # No output: else whoever asks for `verify` would first have the run published, and compared with itself.
    # So it is run whenever it is asked for, and its params need not have the code.
    log:
        "<logs>/publish.log",
    localrule: True
    conda:
        "../../envs/plot.yaml"
    threads: 1
    params:
        job={"folder": KEPT},
    message:
        "Publish"
    script:
        "../scripts/publish.py"
