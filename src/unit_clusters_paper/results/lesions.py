"""What trained networks lose with clusters of their units, by the library's lesions."""

import logging
from collections.abc import Iterator, Mapping, Sequence

from jaxtyping import Int, UInt8
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from unit_clusters.lesioning import LESIONS, lesions_of
from unit_clusters.similarity.measures import FORMS
from unit_clusters_paper.networks.ensemble import Ensemble
from unit_clusters_paper.results.layer_files import Searches
from unit_clusters_paper.runs.columns import RUN_COLUMNS

COLUMNS = (*RUN_COLUMNS, "layer", *LESIONS)
"""Of lesions.csv."""


def lesion_rows(
    networks: Ensemble,
    layers: Sequence[Searches],
    runs: Sequence[Mapping],
    seeds: int,
    pixels: UInt8[Tensor, "images pixels"],
    classes: Int[Tensor, " images"],
    sets: int,
) -> Iterator[dict]:
    """The rows of lesions.csv, of networks of the first so many seeds.

    Args:
        networks: of a cohort.
        layers: the clusters in each hidden layer, of all networks.
        runs: the networks, as `Cohort.runs` names them.
        seeds: how many.
        pixels: images as bytes; networks see them in [0, 1].
        classes: the label of each image.
        sets: random sets for each cluster, of either kind.
    """
    for number, run in enumerate(runs):
        if run["seed"] < seeds:
            model = as_module(networks[number : number + 1])
            clusters = {
                str(2 * layer - 1): {
                    form: searches.labels[number, place].astype(int)
                    for place, form in enumerate(FORMS)
                    if form.normalized
                }
                for layer, searches in enumerate(layers, start=1)
            }
            images = pixels.to(networks.parameters.dtype) / 255
            for row in lesions_of(
                model, images, classes, cross_entropy, clusters, sets=sets, identity=(run["id"],), progress=False
            ):
                yield run | row | {"layer": (int(row["layer"]) + 1) // 2}
            logging.info("lesions of %s", run["id"])


def as_module(network: Ensemble) -> nn.Sequential:
    """An ensemble of one as a module of torch: Linear and ReLU by turns, and a Linear for the logits."""
    modules = []
    for weight, bias in zip(network.weights, network.biases, strict=True):
        modules += [nn.Linear(*weight[0].T.shape), nn.ReLU()]
        modules[-2].weight, modules[-2].bias = nn.Parameter(weight[0]), nn.Parameter(bias[0])
    return nn.Sequential(*modules[:-1]).requires_grad_(False)
