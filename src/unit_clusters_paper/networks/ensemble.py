"""An ensemble of multi-layer perceptrons of one architecture, its parameters stacked: one row a network."""

import json
from collections.abc import Sequence
from itertools import count, pairwise, takewhile
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float
from safetensors import safe_open
from safetensors.torch import save as serialized
from torch import Tensor
from torch.nn.functional import pad

from unit_clusters.streams import stream
from unit_clusters_paper.data.images import Batch
from unit_clusters_paper.networks.products import product
from unit_clusters_paper.runs.files import written_whole


class Ensemble:
    """Networks Linear -> ReLU per hidden layer, then Linear to the logits.

    Args:
        parameters: Float[Tensor, "models parameters"], a row per network: all its weight matrices, then all its biases.
        sizes: units per layer, inputs and logits included, e.g. (784, 64, 64, 10).

    Attributes:
        weights: one view per layer, Float[Tensor, "models outputs inputs"].
        biases: one view per layer, Float[Tensor, "models outputs"].
        weight_rows: the view of `parameters` that holds all weights, Float[Tensor, "models weights"].
    """

    def __init__(self, parameters: Float[Tensor, "models parameters"], sizes: Sequence[int]):
        self.parameters = parameters
        self.sizes = tuple(sizes)
        shapes = [(outputs, inputs) for inputs, outputs in pairwise(self.sizes)]
        lengths = [outputs * inputs for outputs, inputs in shapes] + [outputs for outputs, _ in shapes]
        views = parameters.split(lengths, dim=1)
        self.weights = [view.unflatten(1, shape) for view, shape in zip(views, shapes, strict=False)]
        self.biases = list(views[len(shapes) :])
        self.weight_rows = parameters[:, : sum(lengths[: len(shapes)])]

    def __len__(self) -> int:
        return len(self.parameters)

    def __getitem__(self, models: slice | Tensor) -> "Ensemble":
        """The ensemble of the chosen networks."""
        return Ensemble(self.parameters[models], self.sizes)

    def to(self, device: str) -> "Ensemble":
        """The ensemble on the device."""
        return Ensemble(self.parameters.to(device), self.sizes)

    def forward(
        self,
        images: Float[Tensor, "models batch pixels"],
        masks: Sequence[Float[Tensor, "models batch _units"]] | None = None,
    ) -> tuple[list[Float[Tensor, "models batch _units"]], Float[Tensor, "models batch classes"]]:
        """Hidden activities (after the ReLU, and after dropout's `masks` if given) and logits."""
        hidden = []
        activity = images
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            activity = torch.baddbmm(bias.unsqueeze(1), activity, weight.transpose(1, 2))
            if layer < len(self.weights) - 1:
                activity = activity.relu_()
                if masks is not None:
                    activity.mul_(masks[layer])
                hidden.append(activity)
        return hidden, activity


class Stack:
    """Networks of one architecture, laid out to be shown the same images and trained: see `Ensemble` for the other way.

    All first layers are one tensor, a row per input, so that those of inputs that are 0 are left out of it together.
    Activities have images along their last axis.

    Attributes:
        first: the weights of the first layer, Float[Tensor, "inputs models units"].
        rest: a row per network, Float[Tensor, "models rest"]: the weights of the other layers, all biases, and zeros up
            to a multiple of 16. (Where a row ends within a processor's vector, its last numbers would be rounded
            another way, and a network would depend on the company it is trained in.)
        weights: the other layers' weights, views of `rest`, Float[Tensor, "models outputs inputs"] each.
        biases: all layers', views of `rest`, Float[Tensor, "models outputs"] each.
    """

    def __init__(
        self, first: Float[Tensor, "inputs models units"], rest: Float[Tensor, "models rest"], sizes: Sequence[int]
    ):
        self.first, self.rest, self.sizes = first, rest, tuple(sizes)
        shapes = [(outputs, inputs) for inputs, outputs in pairwise(self.sizes[1:])]
        lengths = [outputs * inputs for outputs, inputs in shapes] + list(self.sizes[1:])
        views = rest[:, : sum(lengths)].split(lengths, dim=1)
        self.weights = [view.unflatten(1, shape) for view, shape in zip(views, shapes, strict=False)]
        self.biases = list(views[len(shapes) :])

    @classmethod
    def of(cls, ensemble: Ensemble) -> "Stack":
        """A copy of the ensemble's parameters."""
        weights = ensemble.weights[0]
        rest = ensemble.parameters[:, weights[0].numel() :]
        return cls(weights.permute(2, 0, 1).contiguous(), pad(rest, (0, -rest.shape[1] % 16)), ensemble.sizes)

    def ensemble(self) -> Ensemble:
        """A copy as an ensemble."""
        rows = torch.cat([self.first.permute(1, 2, 0).flatten(1), self.rest], dim=1)
        parameters = sum((inputs + 1) * outputs for inputs, outputs in pairwise(self.sizes))
        return Ensemble(rows[:, :parameters], self.sizes)

    def __len__(self) -> int:
        return len(self.rest)

    def __getitem__(self, models: Bool[Tensor, " models"]) -> "Stack":
        """The stack of the chosen networks."""
        return Stack(self.first[:, models], self.rest[models], self.sizes)

    def forward(
        self, batch: Batch, masks: Sequence[Float[Tensor, "models _units batch"]] | None = None
    ) -> tuple[list[Float[Tensor, "models _units batch"]], Float[Tensor, "models classes batch"]]:
        """Hidden activities (after the ReLU, and after dropout's `masks` if given) and logits."""
        weights = self.first.index_select(0, batch.active)
        activity = product(weights.permute(1, 2, 0), batch.pixels.T).add_(self.biases[0].unsqueeze(2))
        hidden = []
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases[1:], strict=True)):
            activity.relu_()
            if masks is not None:
                activity.mul_(masks[layer])
            hidden.append(activity)
            activity = product(weight, activity).add_(bias.unsqueeze(2))
        return hidden, activity


def initialize(sizes: Sequence[int], seeds: Sequence[int]) -> Ensemble:
    """Freshly initialised networks, one per seed, keyed by the architecture and the seed only.

    torch's default for Linear: weights and biases uniform within +-1/sqrt(inputs). Float32.
    """
    shapes = list(pairwise(sizes))
    rows = []
    for seed in seeds:
        random = stream("initialization", *sizes, seed)
        draws = [(random.uniform(-1, 1, outputs * inputs), inputs) for inputs, outputs in shapes]
        draws += [(random.uniform(-1, 1, outputs), inputs) for inputs, outputs in shapes]
        rows.append(np.concatenate([draw / np.sqrt(inputs) for draw, inputs in draws]))
    return Ensemble(torch.tensor(np.array(rows), dtype=torch.float32), sizes)


def save(
    ensemble: Ensemble,
    run_ids: Sequence[str],
    path: str | Path,
    assignments: Sequence[Float[Tensor, "models _units clusters"]] | None = None,
) -> None:
    """Write layer{n}.weight and layer{n}.bias, stacked over networks, with the runs' ids in the metadata.

    Assignments of hidden units to clusters (networks.modular), if given, are layer{n}.assignment.
    """
    tensors = {}
    for layer, (weight, bias) in enumerate(zip(ensemble.weights, ensemble.biases, strict=True), start=1):
        tensors[f"layer{layer}.weight"] = weight.cpu().contiguous()
        tensors[f"layer{layer}.bias"] = bias.cpu().contiguous()
    for layer, assignment in enumerate(assignments or [], start=1):
        tensors[f"layer{layer}.assignment"] = assignment.cpu().contiguous()
    with written_whole(path) as temporary:  # by ourselves: safetensors' files are for their owner's eyes only
        temporary.write_bytes(serialized(tensors, metadata={"runs": json.dumps(list(run_ids))}))


def load(path: str | Path, expected: Sequence[str] | None = None) -> tuple[Ensemble, list[str]]:
    """Read back what `save` wrote: the ensemble and its runs' ids.

    Args:
        path: the file.
        expected: what the ids must be; None: any.

    Raises:
        ValueError: the file is not one that `save` wrote, is damaged, or is of other runs; the message names it.
    """
    try:
        with safe_open(path, framework="pt") as file:
            weights, biases = _by_layer(file, "weight"), _by_layer(file, "bias")
            run_ids = json.loads(file.metadata()["runs"])
        parameters = torch.cat([tensor.flatten(1) for tensor in weights + biases], dim=1)
        if not parameters.isfinite().all():
            raise ValueError("some of its weights are NaN or infinite")
        if expected not in (None, run_ids):
            raise ValueError(f"it holds the networks {', '.join(run_ids)}, not {', '.join(expected)}")
        if len(run_ids) != len(parameters):
            raise ValueError(f"{len(run_ids)} names for {len(parameters)} networks")
        return Ensemble(parameters, [weights[0].shape[2], *(weight.shape[1] for weight in weights)]), run_ids
    except OSError:
        raise
    except Exception as error:  # safetensors' own errors have no common public class
        raise ValueError(
            f"{path} is not a whole file of trained networks ({error}). Delete it and run again."
        ) from error


def load_assignments(path: str | Path) -> list[Float[Tensor, "models _units clusters"]]:
    """Read back the assignments that `save` wrote, a tensor a hidden layer; none if the networks had no aim."""
    with safe_open(path, framework="pt") as file:
        return _by_layer(file, "assignment")


def _by_layer(file: safe_open, kind: str) -> list[Tensor]:
    """layer1.kind, layer2.kind, ..., as many as there are."""
    present = set(file.keys())
    return [
        file.get_tensor(name) for name in takewhile(present.__contains__, map(f"layer{{}}.{kind}".format, count(1)))
    ]
