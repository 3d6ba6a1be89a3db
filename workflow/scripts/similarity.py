"""Compute the similarity matrices of one layer, for each network of a cohort."""

import logging
from pathlib import Path

import torch

from unit_clusters.data import idx
from unit_clusters.networks import ensemble as network
from unit_clusters.results.layer_files import write_similarity
from unit_clusters.runs.logs import logged_to
from unit_clusters.similarity.closed_form import similarity
from unit_clusters.similarity.measures import MEASURES


def main(job):
    torch.set_num_threads(job.threads)
    spec = job.params.job
    ensemble, runs = network.load(job.input.networks)
    expected = [run["id"] for run in spec["origin"]["runs"]]
    if runs != expected:
        raise ValueError(
            f"{job.input.networks} holds the networks {', '.join(runs)}, not {', '.join(expected)}. "
            "Delete it and run again."
        )
    dataset = idx.load(Path(job.input.images).parent)
    shown = {"test": dataset.test_images, "training": dataset.train_images}[spec["part"]]
    pixels = torch.from_numpy(shown[: spec["images"]])

    matrices = []
    for model, run in enumerate(runs):
        matrices.append(similarity(ensemble[model : model + 1], spec["layer"], pixels))
        logging.info("%s, layer %d: %d of %d networks", run, spec["layer"], model + 1, len(runs))

    stacks = {measure: torch.stack([getattr(matrix, measure) for matrix in matrices]) for measure in MEASURES}
    write_similarity({measure: stack.numpy() for measure, stack in stacks.items()}, job.output[0])


if "snakemake" in globals():
    with logged_to(snakemake.log[0], snakemake.output):
        main(snakemake)
