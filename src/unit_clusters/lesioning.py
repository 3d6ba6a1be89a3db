"""Do clusters matter? What a network loses with a cluster, beside random sets of as many units (ours, not the paper's).

Units are lesioned by holding them at their means over images and positions, so that they tell nothing of the image. A
cluster is compared with random sets of as many live units; and, since units that are much alike may also be units that
matter much, with sets whose units, each by itself, cost as much in sum.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from tqdm import tqdm

from unit_clusters.clusters.modularity import EQUAL, UNUSED
from unit_clusters.layer import Layer
from unit_clusters.similarity.layers import Units, as_units
from unit_clusters.similarity.measures import FORMS, Form
from unit_clusters.similarity.options import Loss
from unit_clusters.similarity.outputs import losses
from unit_clusters.similarity.passes import Pass, Pick, only_output, passes
from unit_clusters.streams import stream

SETS = 30
"""How many random sets a cluster is compared with, of either kind."""

BATCH = 1000
"""Images at a time."""

LESIONS = (
    *("measure", "cluster", "units", "loss", "loss_random", "loss_random_sd", "loss_matched", "loss_matched_sd"),
    *("loss_units", "loss_unit", "accuracy", "accuracy_random", "accuracy_matched"),
    *("classes", "classes_random", "classes_matched"),
)
"""Columns: see `lesions`."""


class Damage(NamedTuple):
    """What a lesion changes."""

    loss: float
    """The rise of the mean loss."""
    accuracy: float
    """The fall of the accuracy; NaN if labels are no classes."""
    classes: float
    """Over how many classes the rise of the loss spreads: exp of the entropy of the shares of those in which it rises.

    NaN if it rises in none, or labels are no classes.
    """


def lesions(
    model: nn.Module,
    images: Float[Tensor, "images ..."],
    labels: Tensor,
    loss: Loss,
    found: Mapping[str, Layer],
    *,
    units: Units = "auto",
    output: Pick | Mapping[str, Pick] | None = None,
    sets: int = SETS,
    seed: int = 0,
    device: str | torch.device | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """What the model loses if it loses a cluster of units, for each cluster by the normalized measures.

    Args:
        model: that was analysed.
        images: on which to measure; others than those of the analysis, at best.
        labels: of each image.
        loss: as for `analyze`.
        found: what `analyze` found.
        units: as for `analyze`.
        output: as for `analyze`.
        sets: random sets of either kind for each cluster.
        seed: of the random sets.
        device: where to work; None: where the model is.
        progress: whether to show how far it is.

    Returns:
        A row a layer, measure and cluster of its single search: `units`, how many it has; `loss`, by how much the mean
        loss rises if all are held at their means; `loss_random` and `..._sd`, the same for random sets of as many live
        units; `loss_matched`, for sets of as many whose units alone cost as much in sum; `loss_units`, that sum, and
        `loss_unit`, the mean of the cluster's units alone. `accuracy`: by how much it falls. `classes`: over how many
        classes the rise of the loss spreads. Both are NaN unless labels are classes.

    Raises:
        ValueError: as for `analyze`; or the layer has other units than those that were found.
    """
    clusters = {
        name: {
            form: layer.clusters[str(form)].labels for form in FORMS if form.normalized and str(form) in layer.clusters
        }
        for name, layer in found.items()
    }
    rows = lesions_of(model, images, labels, loss, clusters, units, output, sets, (seed,), device, progress)
    return pd.DataFrame(rows, columns=["layer", *LESIONS])


def lesions_of(
    model: nn.Module,
    images: Float[Tensor, "images ..."],
    labels: Tensor,
    loss: Loss,
    clusters: Mapping[str, Mapping[Form, Int[np.ndarray, " _units"]]],
    units: Units = "auto",
    output: Pick | Mapping[str, Pick] | None = None,
    sets: int = SETS,
    identity: tuple[str | int, ...] = (),
    device: str | torch.device | None = None,
    progress: bool = True,
) -> Iterator[dict]:
    """The rows of `lesions`, by the labels of clusters in each layer; `identity` is part of the random streams' names.

    Raises:
        ValueError: as `lesions` does.
    """
    with passes(model, list(clusters), output, device) as run, torch.no_grad():
        for name, by_form in clusters.items():
            damage = _Damages(_Held(model, name, run, images, units, output is None and device is None), labels, loss)
            for form, of_units in by_form.items():
                if len(of_units) != damage.units:
                    raise ValueError(
                        f"layer {name!r} has {damage.units} units, but clusters of {len(of_units)} were found"
                    )
                live = np.flatnonzero(of_units != UNUSED)
                numbers = range(of_units.max(initial=UNUSED) + 1)
                for number in tqdm(numbers, f"{name}, {form}", unit="cluster", disable=not progress):
                    members, rng = (
                        np.flatnonzero(of_units == number),
                        stream("lesions", *identity, name, str(form), number),
                    )
                    named = {"layer": name, "measure": form.measure, "cluster": number, "units": len(members)}
                    yield named | _row(damage, members, live, sets, rng)


def _row(
    damage: "_Damages",
    members: Int[np.ndarray, " members"],
    live: Int[np.ndarray, " live"],
    sets: int,
    rng: np.random.Generator,
) -> dict[str, float]:
    alone = np.array([damage.of(unit).loss for unit in np.arange(damage.units)[:, None]])
    random = [rng.choice(live, len(members), replace=False) for _ in range(sets)]
    matched = [_matched(start, live, alone, alone[members].sum()) for start in random]
    row = damage.of(members)._asdict() | {"loss_units": alone[members].sum(), "loss_unit": alone[members].mean()}
    for kind, others in (("random", random), ("matched", matched)):
        peers = pd.DataFrame([damage.of(some) for some in others], columns=Damage._fields)
        row |= {f"{column}_{kind}": mean for column, mean in peers.mean().items()}
        row[f"loss_{kind}_sd"] = peers["loss"].std()
    return row


def _matched(
    start: Int[np.ndarray, " members"],
    live: Int[np.ndarray, " live"],
    alone: Float[np.ndarray, " units"],
    wanted: float,
) -> Int[np.ndarray, " members"]:
    """The set after exchanges of one unit for another, always the best one, while its summed effect comes nearer."""
    inside, rounding = np.isin(live, start), EQUAL * np.abs(alone).sum()
    while True:
        members, others = live[inside], live[~inside]
        sums = alone[members].sum() + alone[others] - alone[members][:, None]
        if not sums.size or np.abs(sums - wanted).min() >= abs(alone[members].sum() - wanted) - rounding:
            return members
        leaves, comes = np.unravel_index(np.abs(sums - wanted).argmin(), sums.shape)
        inside[np.isin(live, (members[leaves], others[comes]))] ^= True


class _Held:
    """Runs the model with some units of a layer held at their means.

    A Sequential is run from its layer on, by what that put out; any other model as a whole, with a hook.

    Attributes:
        places: of each unit and position, the number in what the layer puts out for an image.
        means: of each unit, over images and positions.
    """

    def __init__(
        self,
        model: nn.Module,
        name: str,
        run: Callable[[Tensor], Pass],
        images: Float[Tensor, "images ..."],
        units: Units,
        plain: bool,
    ):
        self.run, self.module, self.batches = run, model.get_submodule(name), images.split(BATCH)
        values = [only_output(name, run(batch).kept.get(name, ())) for batch in self.batches]
        numbers = torch.arange(values[0][0].numel()).reshape(1, *values[0].shape[1:])
        self.places = as_units(numbers, units)[0]
        self.means = sum(as_units(some, units).double().mean(2).sum(0) for some in values) / len(images)
        children = dict(model.named_children()) if plain and type(model) is nn.Sequential else {}
        self.rest = None
        if name in children:
            self.rest, self.batches = model[list(children).index(name) + 1 :], values

    def outputs(self, units: Sequence[int]) -> Iterator[Tensor]:
        """What the model returns with these units held, batch by batch."""
        places = self.places[list(units)].flatten()
        means = self.means[list(units)].repeat_interleave(self.places.shape[1])

        def hold(values: Tensor) -> Tensor:
            held = values.flatten(1).clone()
            held[:, places] = means.to(held)
            return held.reshape(values.shape)

        if self.rest is not None:
            yield from (self.rest(hold(values)) for values in self.batches)
            return
        hook = self.module.register_forward_hook(lambda _module, _arguments, result: hold(result))
        try:
            yield from (self.run(batch).returned for batch in self.batches)
        finally:
            hook.remove()


class _Damages:
    """The damage of each set of units of a layer, computed when it is first asked for.

    Attributes:
        units: of the layer.
    """

    def __init__(self, held: _Held, labels: Tensor, loss: Loss):
        self.held, self.loss, self.batches = held, loss, labels.split(BATCH)
        are_classes = labels.ndim == 1 and not labels.is_floating_point() and bool((labels >= 0).all())
        self.classes = labels.cpu().numpy() if are_classes else None
        self.units, self.known = len(held.places), {}
        self.intact = self._responses(())

    def of(self, units: Int[np.ndarray, " some"]) -> Damage:
        some = tuple(sorted(units.tolist()))
        if some not in self.known:
            losses, right = self._responses(some)
            self.known[some] = self._damage(losses - self.intact[0], self.intact[1] - right)
        return self.known[some]

    def _responses(self, units: Sequence[int]) -> tuple[Float[np.ndarray, " images"], Float[np.ndarray, " images"]]:
        """The loss of each image, and whether it is classified rightly; NaN if labels are no classes."""
        found, right = [], []
        for outputs, labels in zip(self.held.outputs(units), self.batches, strict=True):
            found.append(losses(self.loss, outputs, labels).double().cpu())
            classified = self.classes is not None and outputs.ndim == 2
            hits = outputs.argmax(1).cpu() == labels.cpu() if classified else torch.full([len(labels)], torch.nan)
            right.append(hits.double())
        return torch.cat(found).numpy(), torch.cat(right).numpy()

    def _damage(self, rises: Float[np.ndarray, " images"], falls: Float[np.ndarray, " images"]) -> Damage:
        spread = float("nan")
        if self.classes is not None:
            by_class = np.maximum(np.bincount(self.classes, rises), 0)
            shares = by_class[by_class > 0] / by_class.sum()
            spread = float(np.exp(-np.sum(shares * np.log(shares)))) if len(shares) else spread
        return Damage(float(rises.mean()), float(falls.mean()), spread)
