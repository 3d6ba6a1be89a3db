"""Train the network of the tutorial on Fashion-MNIST, with and without dropout: `python train.py [--seeds 5]`."""

import argparse
from collections.abc import Iterable
from pathlib import Path

import torch
from networks import build
from safetensors.torch import save_file
from torch import Tensor, nn

from unit_clusters_paper.data import fetch, idx

DROPOUT = {"plain": 0.0, "dropout": 0.5}
"""The two kinds of networks."""

BATCH = 100


def train(images: Tensor, labels: Tensor, dropout: float, seed: int, epochs: int) -> nn.Module:
    """A network after so many epochs of Adam."""
    torch.manual_seed(seed)
    network = build(dropout=dropout)
    optimizer = torch.optim.Adam(network.parameters())
    for _ in range(epochs):
        for batch in torch.randperm(len(images)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(images[batch]), labels[batch]).backward()
            optimizer.step()
    return network.eval()


@torch.no_grad()
def accuracy(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """The share of images that it puts into the right class."""
    right = [(network(x).argmax(1) == y).sum() for x, y in zip(images.split(BATCH), labels.split(BATCH), strict=True)]
    return sum(right).item() / len(images)


def main(
    seeds: Iterable[int], epochs: int = 3, dataset: str = "fashion-mnist", checkpoints: Path = Path("checkpoints")
) -> None:
    """Train a network of each kind for each seed, save its weights, and print how many test images it knows."""
    folder = Path("../data", dataset)
    fetch.make(dataset, folder)
    data = idx.load(folder)
    images, test_images = (
        torch.from_numpy(part).float().reshape(-1, 1, 28, 28) / 255 for part in (data.train_images, data.test_images)
    )
    labels, test_labels = (torch.from_numpy(part).long() for part in (data.train_labels, data.test_labels))
    checkpoints.mkdir(exist_ok=True)
    for seed in seeds:
        for kind, dropout in DROPOUT.items():
            network = train(images, labels, dropout, seed, epochs)
            save_file(network.state_dict(), checkpoints / f"{kind}_{seed}.safetensors")
            print(f"{kind}_{seed}: {accuracy(network, test_images, test_labels):.1%} of the test images", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1, help="how many networks of each kind (1)")
    torch.set_num_threads(1)
    main(range(parser.parse_args().seeds))
