"""The outputs of a model and their loss: which vectors o_sens is about, and the second derivatives of the loss."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.func import jacrev, vmap

from unit_clusters.similarity.options import Loss, Options
from unit_clusters.streams import stream


def flat(returned: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch outputs"]:
    return returned.reshape(len(returned), -1)


def unit_vectors(which: Int[Tensor, " rows"], like: Float[Tensor, "batch ..."]) -> Float[Tensor, "rows batch ..."]:
    """Vectors that are 1 at one entry of every image, by its number, and else 0."""
    chosen = like.new_zeros(len(which), like[0].numel()).scatter_(1, which[:, None].to(like.device), 1)
    return chosen.unflatten(1, like.shape[1:])[:, None].expand(-1, len(like), *like.shape[1:])


def output_vectors(
    outputs: Float[Tensor, "batch outputs"], options: Options, some: Int[Tensor, " some"]
) -> Float[Tensor, "some batch outputs"]:
    """Some of the vectors v of outputs, by number, over which o_sens is the sum of (J^T v)(J^T v)^T."""
    if options.all_outputs:
        return unit_vectors(some, outputs)
    kind, number = options.outputs
    if kind == "top":
        top = outputs.topk(number).indices.T[some]
        return outputs.new_zeros(len(some), *outputs.shape).scatter_(2, top[:, :, None], 1)
    mixed = stream("random outputs", options.seed).standard_normal((number, outputs.shape[1])) / np.sqrt(number)
    return torch.from_numpy(mixed[some]).to(outputs)[:, None].expand(-1, len(outputs), -1)


@contextmanager
def explained(message: str) -> Iterator[None]:
    """Say what PyTorch's errors mean here.

    Raises:
        ValueError: there was one.
    """
    try:
        yield
    except RuntimeError as error:
        raise ValueError(f"{message}. PyTorch says: {error}") from error


def losses(loss: Loss, returned: Float[Tensor, "batch ..."], labels: Tensor) -> Float[Tensor, " batch"]:
    """The loss of each image by itself, so that it does not matter whether `loss` takes means or sums over a batch."""
    with explained(OF_ONE):
        return vmap(_of_one(loss, returned))(flat(returned), _targets(labels, returned))


OF_ONE = "the loss must be a function of outputs and labels by operations of torch.func.vmap, for each image by itself"


def _of_one(loss: Loss, returned: Float[Tensor, "batch ..."]) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda outputs, label: loss(outputs.reshape(1, *returned.shape[1:]), label[None]).sum()


def _targets(labels: Tensor, returned: Float[Tensor, "batch ..."]) -> Tensor:
    return labels.to(returned) if labels.is_floating_point() else labels.to(returned.device)


def curvature(
    loss: Loss, returned: Float[Tensor, "batch ..."], labels: Tensor
) -> tuple[Float[Tensor, "outputs batch"], Float[Tensor, "outputs batch outputs"]]:
    """Eigenvalues and eigenvectors of d^2 L / dy^2 of each image."""
    with explained(OF_ONE):
        second = vmap(jacrev(jacrev(_of_one(loss, returned))))(flat(returned.detach()), _targets(labels, returned))
    diagonal = second.diagonal(dim1=1, dim2=2)
    if second.equal(diagonal.diag_embed()):  # as of squared losses; far faster with many outputs
        return diagonal.T, torch.eye(second.shape[1]).to(second)[:, None].expand(-1, len(second), -1)
    values, vectors = torch.linalg.eigh(second)
    return values.T, vectors.permute(2, 0, 1)
