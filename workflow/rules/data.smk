# The images: four IDX files in data/{name}, and the SHA-256 of each in SHA256SUMS. That small file stands for all four:
# the others are verified whenever they are read, and are never deleted by Snakemake, so that no network is needed twice.
from unit_clusters.data import sources

try:
    sources.find(config["dataset"]["name"])
except ValueError as error:
    raise WorkflowError(str(error)) from error

IMAGES = f"data/{config['dataset']['name']}/SHA256SUMS"


rule images:
    output:
        IMAGES,
    log:
        "<logs>/images.log",
    localrule: True
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        job=config["dataset"],
    message:
        "Get the images and verify them"
    script:
        "../scripts/images.py"
