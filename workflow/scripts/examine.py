"""Compute the similarity matrices in layers of networks of the user's."""

from pathlib import Path

from unit_clusters_paper.networks import own
from unit_clusters_paper.networks.evaluation import MODELS
from unit_clusters_paper.results import tables
from unit_clusters_paper.results.layer_files import write_measured
from unit_clusters_paper.runs.logs import logged_to
from unit_clusters_paper.runs.threads import compute_with


def main(job):
    compute_with(job.threads)
    spec = job.params.job
    runs, key = spec["runs"], f"config: experiments: {spec['runs'][0]['experiment']}"
    build = own.function(spec["factory"], f"{key}: factory")
    if job.input.checkpoint:
        networks = [own.trained(build, job.input.checkpoint)]
    else:
        networks = [own.initialised(build, run["seed"]) for run in runs]
    inputs, labels = own.shown(Path(job.input.inputs), spec["inputs"].get("images"))
    loss = own.loss(spec["loss"], f"{key}: loss")
    found, layers = own.measure_layers(networks, inputs, labels, spec["layers"], loss, spec["options"] or {})
    write_measured(found, job.output.similarity, job.output.halves)
    tables.write(MODELS, [run | {"trained": bool(job.input.checkpoint)} for run in runs], job.output.models)
    numbered = [run | {"layer": number} | layer for number, layer in enumerate(layers, start=1) for run in runs]
    tables.write(own.LAYERS, numbered, job.output.layers)


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
