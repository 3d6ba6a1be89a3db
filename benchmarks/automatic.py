"""Speed and memory of similarities of any module: ours against dense automatic differentiation, image by image.

The peer is the obvious way: torch.func.jacrev and hessian under vmap, a layer at a time, 20 images at a time. Both take
all positions of all images. Run as ``python -m benchmarks.automatic``. Times are medians of rounds in which both take
their turn.
"""

import re
import statistics
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.func import hessian, jacrev, vmap
from torch.nn.functional import cross_entropy

from benchmarks.rounds import take_turns
from unit_clusters.similarity.automatic import Automatic, Options
from unit_clusters.similarity.passes import passes

LAYERS = (1, 4, 8)
"""The ReLUs of the network."""

IMAGES, BATCH, ROUNDS, ASKED = 40, 20, 3, 5.0

LIMITS = (50, 200)
"""MB that larger networks are to stay under; a dozen are the libraries' own."""


def small_network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        *(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(144, 32), nn.ReLU(), nn.Linear(32, 10)),
    ).eval()


def large(kind: str) -> tuple[nn.Sequential, Tensor, list[str]]:
    """A network with 64 channels of 32 x 32, ReLUs or GELUs, or one of two blocks of attention; images; and layers."""
    torch.manual_seed(0)
    if kind == "attention":
        blocks = [nn.TransformerEncoderLayer(128, 4, 256, batch_first=True, activation=nn.GELU()) for _ in range(2)]
        return nn.Sequential(*blocks, nn.Flatten(), nn.Linear(64 * 128, 10)), torch.rand(2, 64, 128), ["0.linear1"]
    act = getattr(nn, kind)
    network = nn.Sequential(
        *(nn.Conv2d(3, 64, 3, padding=1), act(), nn.Conv2d(64, 64, 3, padding=1), act()),
        *(nn.MaxPool2d(4), nn.Flatten(), nn.Linear(64 * 64, 10)),
    )
    return network, torch.rand(2, 3, 32, 32), ["1", "3"]


def ours(model: nn.Sequential, images: Tensor, labels: Tensor, names: list[str], **options) -> list[dict]:
    with passes(model, names) as run:
        way = Automatic(run, images[[0, -1]], names, Options(cross_entropy, **options))
        for some in torch.arange(len(images)).split(way.most):
            way.add(images[some], labels[some])
    return [layer.signed for layer in way.measured().values()]


def dense(model: nn.Sequential, images: Tensor, labels: Tensor) -> list[dict]:
    """Equations (1) to (4) for each of LAYERS."""
    model.requires_grad_(False)
    return [dense_layer(model[: layer + 1], model[layer + 1 :], images, labels) for layer in LAYERS]


def dense_layer(upstream: nn.Module, downstream: nn.Module, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
    def one(part: nn.Module):
        return lambda x: part(x[None])[0]

    activity, sums = [], dict.fromkeys(("i_sens", "o_sens", "hess"), 0)
    for x, label in zip(images.split(BATCH), labels.split(BATCH), strict=True):
        h = vmap(one(upstream))(x)
        activity.append(h.flatten(2).movedim(1, 2).flatten(0, 1) if h.ndim == 4 else h)
        by_x = vmap(jacrev(one(upstream)))(x).reshape(len(x), h.shape[1], -1, x[0].numel())
        by_h = vmap(jacrev(one(downstream)))(h).reshape(len(x), 10, h.shape[1], -1)
        second = vmap(hessian(lambda h, t: cross_entropy(one(downstream)(h), t)))(h, label)
        second = second.reshape(len(x), *by_h.shape[2:], *by_h.shape[2:])
        positions = by_h.shape[3]
        sums["i_sens"] += torch.einsum("bapx,bcpx->ac", by_x, by_x) / positions
        sums["o_sens"] += torch.einsum("byap,bycp->ac", by_h, by_h) / positions
        sums["hess"] += torch.einsum("bapcp->ac", second) / positions
    return {"cov": torch.cov(torch.cat(activity).T)} | {m: s / len(images) for m, s in sums.items()}


def speed() -> float:
    """How many times as long the peer takes, after a look whether the results are the same."""
    torch.set_num_threads(1)
    model, images, labels = small_network(), torch.rand(IMAGES, 1, 14, 14), torch.randint(0, 10, (IMAGES,))
    work = {
        "ours": partial(ours, model, images, labels, [str(layer) for layer in LAYERS]),
        "dense": partial(dense, model, images, labels),
    }
    for found, peers in zip(work["ours"](), work["dense"](), strict=True):
        for measure, matrix in found.items():
            peer = peers[measure].double()
            torch.testing.assert_close(torch.from_numpy(matrix), peer, rtol=1e-3, atol=1e-4 * peer.max().item())
    times = take_turns(work, ROUNDS)
    print(
        *(f"{name} {1000 * statistics.median(t) / IMAGES:.1f} ms an image, three layers" for name, t in times.items()),
        sep="; ",
    )
    return statistics.median(b / a for a, b in zip(*times.values(), strict=True))


def grown(kind: str, limit: int) -> float:
    """By how many MB an analysis of a larger network raises the peak of this process, which is to be a fresh one."""
    torch.set_num_threads(1)
    model, images, names = large(kind)
    labels = torch.randint(0, 10, (2,))
    ours(small_network(), torch.rand(2, 1, 14, 14), labels, ["1"])  # what is loaded at first use does not count
    before = peak()
    ours(model, images, labels, names, positions=2, hess_positions=1, memory=limit * 10**6)
    return peak() - before


def peak() -> float:
    """The most memory that this process has had so far, in MB, as Linux tells. (getrusage would tell its parent's.)"""
    return float(re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"))[1]) * 1024 / 1e6


def main() -> int:
    ratio = speed()
    print(f"dense / ours {ratio:.1f} (asked: {ASKED:.0f})")
    too_much = False
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as fresh:
        for kind, limit in product(("ReLU", "GELU", "attention"), LIMITS):
            found = fresh.submit(grown, kind, limit).result()
            print(f"{kind}, memory={limit} MB: the peak grows by {found:.0f} MB")
            too_much |= found > limit
    return int(ratio < ASKED or too_much)


if __name__ == "__main__":
    sys.exit(main())
