# All that the workflow needs, in the tested versions. The repository itself is not in the image but mounted, so that your
# configuration and code are used, and results land in your folder. In the repository's folder:
#
#   docker build -t unit-clusters .
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/unit-clusters" unit-clusters \
#     snakemake --cores 2 --configfile workflow/presets/quick.yaml
#
# The default PyTorch holds several GB for GPUs; to use one, add `--gpus all` to `docker run`. For PyTorch's CPU builds, add
# `--build-arg PIP_EXTRA_INDEX_URL=...` to `docker build`, with the address that pytorch.org names.
# Apptainer.def is the same for Apptainer; a test keeps the two alike.
FROM python:3.11-slim
ARG PIP_EXTRA_INDEX_URL
WORKDIR /opt/unit-clusters
COPY pyproject.toml constraints.txt README.md ./
# src is empty: what the package needs is installed, not the package, which is mounted
RUN mkdir src && pip install --no-cache-dir -c constraints.txt ".[workflow]"
# for a user whom the container does not know: Snakemake asks for a name, and caches need a home
ENV USER=unit-clusters HOME=/tmp
WORKDIR /unit-clusters
