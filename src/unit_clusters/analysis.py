"""Clusters of the units in layers of any torch module, by upstream and by downstream information."""

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from tqdm import tqdm

from unit_clusters.clusters.modularity import UNUSED
from unit_clusters.clusters.reliability import ENOUGH, WANTED, images_for, reliability
from unit_clusters.clusters.restarts import Restarts
from unit_clusters.clusters.restarts import restarts as restart
from unit_clusters.clusters.rows import FOUND, found_row, pair_rows
from unit_clusters.clusters.search import Clustering, cluster
from unit_clusters.clusters.turned import rotation, turned_clusters
from unit_clusters.files import written_whole
from unit_clusters.layer import ByForm, Layer
from unit_clusters.similarity.any_module import LabeledImages, measure
from unit_clusters.similarity.layers import Units, closest, resolve
from unit_clusters.similarity.measures import FORMS, Form, by_form, in_form
from unit_clusters.similarity.options import MEMORY, POSITIONS, Loss, Options, Outputs
from unit_clusters.similarity.passes import Pick
from unit_clusters.streams import stream

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Analysis(Mapping[str, Layer]):
    """What `analyze` found, by the name of the layer.

    Attributes:
        images: how many there were.
        seed: of the random positions and searches.
        left_out: measures that are lacking, and why.
    """

    def __init__(self, layers: Mapping[str, Layer], images: int, seed: int, left_out: Mapping[str, str]):
        self._layers, self.images, self.seed, self.left_out = dict(layers), images, seed, dict(left_out)

    def __getitem__(self, name: str) -> Layer:
        if name not in self._layers:
            raise KeyError(f"{name!r} was not analysed. {closest(name, list(self))}")
        return self._layers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)

    def __repr__(self) -> str:
        lines = [f"{name}: {layer.type}, {len(layer.similarity['cov'])} units" for name, layer in self.items()]
        lines += [f"{measure} left out: {why}" for measure, why in self.left_out.items()]
        return "\n".join([f"Analysis of {len(self)} layers by {self.images} images", *lines])

    def table(self) -> pd.DataFrame:
        """One row a layer, measure and form, with the columns of modularity.csv."""
        return pd.DataFrame(
            [
                {"layer": name} | found_row(form, *(values[str(form)] for values in layer[2:]))
                for name, layer in self.items()
                for form in self._forms()
            ],
            columns=["layer", *FOUND],
        )

    def agreement(self) -> pd.DataFrame:
        """One row a layer and pair of forms, with the columns of agreement.csv."""
        return pd.concat([self._agreement(name) for name in self], ignore_index=True)

    def _agreement(self, name: str) -> pd.DataFrame:
        layer, forms = self[name], self._forms()
        rows = pair_rows(
            {form: layer.similarity[str(form)] for form in forms},
            np.array([layer.clusters[str(form)].labels for form in forms]),
            np.array([layer.best[str(form)] for form in forms]),
        )
        return pd.DataFrame([{"layer": name} | row for row in rows])

    def _forms(self) -> list[Form]:
        return [form for form in FORMS if form.measure not in self.left_out]

    def plot(self, name: str) -> "Figure":
        """The eight matrices of a layer, each sorted by its own clusters, and how far these agree."""
        from unit_clusters.plots.layer import draw  # here, since Matplotlib is slow to import

        layer = self[name]
        return draw(name, layer.type, layer.similarity, layer.clusters, self._agreement(name), self.left_out)

    def save(self, folder: str | Path) -> None:
        """Write all of it to a folder.

        Two tables, modularity.csv and agreement.csv; analysis.json, which tells of layers, images, seed and what was
        left out; and for each layer the figure, and a file of NumPy arrays: the signed similarity by measure, the names
        of the forms, and by form the clusters ("labels") and the best that are known ("best").
        """
        from unit_clusters.plots import style

        folder = Path(folder)
        for table, frame in (("modularity.csv", self.table()), ("agreement.csv", self.agreement())):
            with written_whole(folder / table) as temporary:
                frame.to_csv(temporary, index=False, na_rep="nan")
        about = {"images": self.images, "seed": self.seed, "left_out": self.left_out, "layers": {}}
        for name, layer in self.items():
            file = quote(name, safe="")
            about["layers"][name] = {"type": layer.type, "file": f"{file}.npz", "figure": f"{file}.png"}
            with written_whole(folder / f"{file}.npz") as temporary, temporary.open("wb") as opened:
                np.savez(opened, **self._arrays(layer))
            with written_whole(folder / f"{file}.png") as temporary:
                style.save(self.plot(name), temporary)
        with written_whole(folder / "analysis.json") as temporary:
            temporary.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")

    def _arrays(self, layer: Layer) -> dict[str, np.ndarray]:
        forms = [str(form) for form in self._forms()]
        return dict(layer.signed) | {
            "forms": np.array(forms),
            "labels": np.array([layer.clusters[form].labels for form in forms]),
            "best": np.array([layer.best[form] for form in forms]),
        }


def analyze(
    model: nn.Module,
    images: Tensor | Iterable[LabeledImages],
    layers: str | Sequence[str],
    labels: Tensor | None = None,
    loss: Loss | None = None,
    *,
    units: Units = "auto",
    output: Pick | Mapping[str, Pick] | None = None,
    outputs: Outputs | None = None,
    positions: int | None = POSITIONS,
    hess_positions: int | None = None,
    steps: int = 5000,
    restarts: int = 10,
    rotations: int = 10,
    seed: int = 0,
    device: str | torch.device | None = None,
    memory: int = MEMORY,
    progress: bool = True,
) -> Analysis:
    """Cluster the units of layers by how similar they are upstream and downstream, eqs. (1) to (8) of the paper.

    The model is analysed in eval mode and comes back as it was: modes, gradients, hooks, device and random numbers.

    Args:
        model: any module that takes one tensor, with images along the first axis.
        images: Float[Tensor, "images ..."], or an iterable of batches of these, or of pairs of these and labels. What
            the model takes for images: they need not be pictures.
        layers: names or globs of submodules, as `layers` lists them. The units are what these put out, so name the
            activation, not the linear layer before it.
        labels: for the loss, of each image. For an autoencoder, the images once more.
        loss: from outputs and labels of a batch, as torch.nn.functional.cross_entropy, by operations of torch. It is
            called for one image at a time. None: hess is left out, which `left_out` tells.
        units: where the units are in what a layer puts out: "auto", the second axis of two or four, (batch, units) and
            (batch, channels, height, width), and the last of three, (batch, tokens, features); or an axis; or a
            function that chooses and reorders to (batch, units, positions).
        output: a function that picks the tensor where the model returns more than one; or a mapping from names of
            layers, "" being the model, to such functions.
        outputs: over which outputs of the model o_sens is taken: "all"; ("top", 10), the highest of each image;
            ("random", 100), random mixtures, by which the mean over mixtures is that over all. None: all, up to 1000.
            hess is of the loss of all.
        positions: how many random positions of each image cov and i_sens are taken at; None: all.
        hess_positions: likewise for hess, where it takes a second backward pass for each unit and position. It does
            unless what follows is piecewise linear, between the kinks of ReLUs, say, and there are at most 1000
            outputs. None: all, as always in o_sens.
        steps: Monte Carlo steps of the search for clusters.
        restarts: further searches of each matrix.
        rotations: of the axes of each matrix, a null model: see `clusters.turned`.
        seed: of random positions, mixtures and searches.
        device: where derivatives are taken, such as "cuda"; None: where the model is.
        memory: bytes that chunks of images and of units keep to, as estimated from two images; the model itself and the
            matrices of similarity come on top.
        progress: whether to show how far it is.

    Raises:
        ValueError: a layer, or what the model returns, or the data cannot be analysed; the message says what to do.
        TypeError: the images are no tensors.
    """
    names = resolve(model, layers)
    options = Options(loss, units, outputs, positions, hess_positions, seed, memory)
    measured, seen = measure(model, images, labels, names, options, output, device, progress)
    left_out = {} if loss else {"hess": "no loss was given"}
    found, matrices = {}, {name: by_form(layer.signed) for name, layer in measured.items()}
    with tqdm(total=sum(map(len, matrices.values())), unit="matrix", disable=not progress) as bar:
        for name, (signed, halves) in measured.items():
            layer = found[name] = Layer(type(model.get_submodule(name)).__name__, signed, *(ByForm() for _ in range(6)))
            rotated = cache(partial(_rotations, name, seed, rotations))  # mostly as many units are live in all forms
            for form, matrix in matrices[name].items():
                searched = _search(matrix, name, form, seed, steps, restarts)
                live = searched[0].labels != UNUSED
                turned = _turn(signed[form.measure], live, name, form, seed, steps, rotated(int(live.sum())))
                rngs = [stream("half", name, str(form), seed, half) for half in range(2)]
                reliable = reliability([in_form(half[form.measure], form) for half in halves], live, rngs, steps)
                for values, value in zip(layer[2:], (matrix, *searched, turned, reliable), strict=True):
                    values[str(form)] = value
                bar.update()
    _warn_of_unreliable(found, seen)
    return Analysis(found, seen, seed, left_out)


def _warn_of_unreliable(layers: Mapping[str, Layer], images: int) -> None:
    """Warn of matrices that other images would change much, and say how many images would do."""
    few = {
        f"{name}: {form}": found.reliability
        for name, layer in layers.items()
        for form, found in layer.reliability.items()
        if found.reliability < ENOUGH
    }
    if few:
        worst = min(few, key=few.get)
        needed = images_for(WANTED, few[worst], images)
        remedy = f"about {needed:.2g} images" if needed < np.inf else "far more images"
        warnings.warn(
            f"{len(few)} matrices depend much on which images were shown (reliability below {ENOUGH}); the most, "
            f"{worst}, has {few[worst]:.2f} with {images} images, and {remedy} would give {WANTED}. "
            'found.table()["reliability"] has them all.',
            stacklevel=3,
        )


def _search(
    matrix: Float[np.ndarray, "units units"], name: str, form: Form, seed: int, steps: int, number: int
) -> tuple[Clustering, Restarts, Int[np.ndarray, " units"]]:
    """The clusters of one matrix, what restarts reach, and the best partition of all."""
    single = cluster(matrix, stream("clusters", name, str(form), seed), steps)
    rngs = [stream("restart", name, str(form), seed, restarted) for restarted in range(number)]
    numbers, partitions = restart(matrix, single, rngs, steps)
    return single, numbers, partitions.best


def _rotations(name: str, seed: int, number: int, units: int) -> list[Float[np.ndarray, "units units"]]:
    """Of the axes of so many live units of a layer."""
    return [rotation(units, stream("turned axes", name, seed, turn)) for turn in range(number)]


def _turn(
    signed: Float[np.ndarray, "units units"],
    live: Bool[np.ndarray, " units"],
    name: str,
    form: Form,
    seed: int,
    steps: int,
    rotations: Sequence[Float[np.ndarray, "live live"]],
) -> Float[np.ndarray, " rotations"]:
    """Modularity of the live units in turned axes."""
    searches = [stream("turned clusters", name, str(form), seed, turn) for turn in range(len(rotations))]
    return np.array([turned.q for turned in turned_clusters(signed, form, live, rotations, searches, steps)])
