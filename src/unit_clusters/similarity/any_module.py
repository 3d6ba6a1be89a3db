"""The four similarities in layers of any torch module, from one pass over the images, in the fastest way there is."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from unit_clusters.similarity.automatic import Automatic, examine
from unit_clusters.similarity.closed_form import ClosedForm
from unit_clusters.similarity.measures import Matrices, Measured
from unit_clusters.similarity.options import Loss, Options
from unit_clusters.similarity.passes import Pick, passes
from unit_clusters.similarity.perceptron import hidden_layers, parameters

LabeledImages = Tensor | Sequence[Tensor]
"""Some images, or images and their labels."""


def measure(
    model: nn.Module,
    images: Tensor | Iterable[LabeledImages],
    labels: Tensor | None,
    names: Sequence[str],
    options: Options,
    output: Pick | Mapping[str, Pick] | None = None,
    device: str | torch.device | None = None,
    progress: bool = True,
) -> tuple[dict[str, Measured], int]:
    """The matrices of each layer, in closed form or else by automatic differentiation; and the number of images.

    Without a loss there is no hess.

    Args:
        model: any module.
        images: as for `analysis.analyze`, and so are `labels`, `output`, `device` and `progress`.
        names: of the layers.
        options: of the analysis.

    Raises:
        ValueError: a layer, or what the model returns, or the data cannot be analysed; the message says what to do.
        TypeError: the images are no tensors.
    """
    batches = _batches(images, labels, options.loss)
    first = next(batches)
    two = first[0][[0, -1]]
    plain = hidden_layers(model, two) if options.units == "auto" and not output else {}
    with passes(model, names, output, device) as run:
        if plain.keys() >= set(names):
            examine(run, two, names, options)
            way = ClosedForm(*parameters(model), {name: plain[name] for name in names}, options)
        else:
            way = Automatic(run, two, names, options)
        with tqdm(total=len(images) if isinstance(images, Tensor) else None, unit="image", disable=not progress) as bar:
            for inputs, targets in chain([first], batches):
                for some in torch.arange(len(inputs)).split(way.most):
                    way.add(inputs[some], targets if targets is None else targets[some])
                    bar.update(len(some))
    if way.images < 2:
        raise ValueError("similarity takes at least two images")
    found = way.measured()
    for name, layer in found.items():
        for matrices in (layer.signed, *layer.halves) if options.loss is None else ():
            del matrices["hess"]
        _check_finite(name, layer.signed)
    return found, way.images


def _check_finite(name: str, matrices: Matrices) -> None:
    for measure, matrix in matrices.items():
        if not np.isfinite(matrix).all():
            raise ValueError(f"layer {name!r}: {measure} has entries that are NaN or infinite, at some of the images")


def _batches(
    images: Tensor | Iterable[LabeledImages], labels: Tensor | None, loss: Loss | None
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Batches of images and labels, each checked when its turn comes."""
    if isinstance(images, Tensor):
        images = [images if labels is None else (images, labels)]
    elif labels is not None and not isinstance(images, np.ndarray):
        raise ValueError("labels= goes with images in one tensor; an iterable yields pairs of inputs and labels")
    empty = True
    for batch in images:
        inputs, targets = (*batch, None)[:2] if isinstance(batch, tuple | list) else (batch, None)
        if not isinstance(inputs, Tensor):
            raise TypeError(
                f"images must be a tensor or an iterable of batches, each a tensor or a pair of inputs and labels, not "
                f"of {type(inputs).__name__}; torch.as_tensor makes a tensor of an array"
            )
        if targets is not None and len(targets) != len(inputs):
            raise ValueError(f"there are {len(targets)} labels for {len(inputs)} images")
        if loss and targets is None:
            raise ValueError(
                "the loss needs labels=, or batches of inputs and labels; for an autoencoder, labels=images"
            )
        if len(inputs):
            empty = False
            yield inputs, targets
    if empty:
        raise ValueError("there are no images")
