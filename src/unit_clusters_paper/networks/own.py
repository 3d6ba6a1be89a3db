"""Networks of the user's: built by a function of theirs, with the weights of a checkpoint, and what they are shown."""

import importlib.util
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from unit_clusters.similarity.any_module import measure
from unit_clusters.similarity.layers import resolve
from unit_clusters.similarity.measures import Measured
from unit_clusters.similarity.options import POSITIONS, Options
from unit_clusters_paper.data import idx
from unit_clusters_paper.runs.columns import RUN_COLUMNS

LAYERS = (*RUN_COLUMNS, "layer", "name", "type", "units")
"""Columns of layers.csv."""

WEIGHTS = ("state_dict", "model_state_dict", "model")
"""Under which of these keys a checkpoint may hold its weights, beside other things."""


def function(place: str, key: str) -> Callable:
    """The function that "file.py:name" stands for.

    Args:
        place: the file, seen from the current folder, and the name.
        key: of the configuration, for messages.

    Raises:
        ValueError: there is no such file or function; the message names the key.
    """
    file, _, name = place.partition(":")
    spec = importlib.util.spec_from_file_location(Path(file).stem, file)
    if spec is None or not Path(file).is_file():
        raise ValueError(f"{key}: there is no Python file {file} in {Path.cwd()}; write file.py:function")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not callable(found := getattr(module, name, None)):
        raise ValueError(f"{key}: {file} has no function {name!r}; write file.py:function")
    return found


def trained(build: Callable[[str | None], nn.Module], checkpoint: str) -> nn.Module:
    """What the user's function builds for a checkpoint, with the weights in it. Nothing is unpickled but tensors.

    Raises:
        ValueError: the file is no checkpoint, or its weights do not fit the network; the message names it.
    """
    model = _module(build(checkpoint))
    try:
        safe = checkpoint.endswith(".safetensors")
        found = load_file(checkpoint) if safe else torch.load(checkpoint, map_location="cpu", weights_only=True)
    except Exception as error:  # neither has one class of error for damaged files; torch goes on to advise unpickling
        why = str(error).partition(". ")[0]
        raise ValueError(
            f"{checkpoint} cannot be read as weights alone ({why}). Save model.state_dict() by torch.save, or by "
            "safetensors.torch.save_file."
        ) from error
    for key in WEIGHTS:
        if isinstance(found.get(key), Mapping):
            found = found[key]
    try:
        model.load_state_dict(found)
    except RuntimeError as error:
        raise ValueError(f"the weights in {checkpoint} do not fit the network that is built for it: {error}") from error
    return model


def initialised(build: Callable[[str | None], nn.Module], seed: int) -> nn.Module:
    """What the user's function builds for no checkpoint, after torch's random numbers were seeded."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        return _module(build(None))


def _module(built: object) -> nn.Module:
    if not isinstance(built, nn.Module):
        raise ValueError(f"the factory returns a {type(built).__name__}, not a torch.nn.Module")
    return built


def shown(path: Path, images: int | None) -> tuple[Tensor, Tensor | None]:
    """The inputs that networks are shown, and their labels, if there are any.

    Args:
        path: an archive of NumPy arrays `inputs` and maybe `labels`; or the SHA256SUMS of a data set, of which the test
            images are taken, as Float[Tensor, "images 1 rows columns"] in [0, 1].
        images: how many, the first ones; None: all.

    Raises:
        ValueError: the archive has no inputs.
        DatasetError: the data set is damaged.
    """
    if path.name == idx.CHECKSUMS:
        inputs, labels = idx.load_test(path.parent)
        return torch.from_numpy(inputs[:images]).float().unsqueeze(1) / 255, torch.from_numpy(labels[:images]).long()
    with np.load(path, allow_pickle=False) as arrays:
        if "inputs" not in arrays:
            raise ValueError(f"{path} has no array inputs; np.savez({path.name!r}, inputs=..., labels=...) writes both")
        found = [torch.from_numpy(arrays[name][:images]) if name in arrays else None for name in ("inputs", "labels")]
    return found[0], found[1]


def loss(name: str | None, key: str) -> Callable | None:
    """A loss of torch.nn.functional by its name, or the user's own as "file.py:function"; None for None.

    Raises:
        ValueError: there is no such function; the message names the key.
    """
    if name is None or ":" in name:
        return name and function(name, key)
    if not callable(found := getattr(nn.functional, name, None)):
        raise ValueError(f"{key}: torch.nn.functional has no {name!r}; name one of its losses, or file.py:function")
    return found


def measure_layers(
    models: Sequence[nn.Module],
    inputs: Tensor,
    labels: Tensor | None,
    layers: str | Sequence[str],
    loss: Callable | None,
    options: Mapping,
) -> tuple[list[list[Measured]], list[dict]]:
    """What is measured of each layer, network by network; and of each layer its name, type and units.

    Args:
        models: of one architecture.
        inputs: what they are shown.
        labels: for the loss.
        layers: names or globs, as for `analysis.analyze`.
        loss: for hess; None: hess is left out.
        options: further arguments of `analysis.analyze`: outputs, positions, hess_positions, seed, memory, device.

    Raises:
        ValueError: as `similarity.any_module.measure` does; or there are fewer than four inputs.
    """
    names = resolve(models[0], layers)
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
    device = given.pop("device", None)
    settings = Options(loss, **({"positions": POSITIONS} | given))
    found = []
    for number, model in enumerate(models, start=1):
        measured, images = measure(model, inputs, labels, names, settings, device=device, progress=False)
        if images < 4:
            raise ValueError(f"there are {images} inputs; at least four are needed, two for either half")
        found.append(measured)
        logging.info("%d of %d networks", number, len(models))
    described = [
        {
            "name": name,
            "type": type(models[0].get_submodule(name)).__name__,
            "units": len(found[0][name].signed["cov"]),
        }
        for name in names
    ]
    return [[network[name] for network in found] for name in names], described
