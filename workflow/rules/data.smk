# The images: four IDX files in data/{name}, and the SHA-256 of each in SHA256SUMS. That small file stands for all four:
# the others are verified whenever they are read, and are never deleted by Snakemake, so that no network is needed twice.
IMAGES = f"data/{config['dataset']['name']}/SHA256SUMS"


rule mnist:
    output:
        "data/mnist/SHA256SUMS",
    log:
        "<logs>/mnist.log",
    localrule: True
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        folder=config["dataset"]["folder"],
    message:
        "Fetch and verify MNIST"
    script:
        "../scripts/mnist.py"


rule synthetic:
    output:
        "data/synthetic/SHA256SUMS",
    log:
        "<logs>/synthetic.log",
    localrule: True
    conda:
        "../../envs/compute.yaml"
    threads: 1
    message:
        "Make synthetic images"
    script:
        "../scripts/synthetic.py"
