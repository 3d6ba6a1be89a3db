# The images: four IDX files in data/{name}, and the SHA-256 of each in SHA256SUMS. That small file stands for all four:
# the others are verified whenever they are read, and are never deleted by Snakemake, so that no network is needed twice.
IMAGES = f"data/{config['dataset']['name']}/SHA256SUMS"
IMAGE_FILES = ancient(files_of(config["dataset"]["name"]))


rule images:
    output:
        "data/{dataset}/SHA256SUMS",
        files_of("{dataset}"),
    log:
        "<logs>/images/{dataset}.log",
    localrule: True
    conda:
        "../../envs/compute.yaml"
    threads: 1
    # Without the code: whatever fetches them, files are what their SHA-256 say; and after new ones all is trained anew.
    params:
        job=lambda wildcards: {
            "name": wildcards.dataset,
            "folder": (
                config["dataset"]["folder"]
                if wildcards.dataset == config["dataset"]["name"]
                else None
            ),
        },
    message:
        "Get the images of {wildcards.dataset} and verify them"
    script:
        "../scripts/images.py"
