"""The network of the tutorial, for `train.py`, `tutorial.md` and `mine.yaml`."""

from collections import OrderedDict

from torch import nn


def build(checkpoint: str | None = None, dropout: float = 0.0) -> nn.Module:
    """A small convolutional network for images of 28 x 28 pixels in ten classes, as torch initialises it.

    Args:
        checkpoint: whose weights are to be loaded into it, as the workflow says. It makes no difference here.
        dropout: probability with which units are dropped in training: whole channels of a convolution.
    """
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 16, 5),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(2),
            drop1=nn.Dropout2d(dropout),
            conv2=nn.Conv2d(16, 32, 5),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(2),
            drop2=nn.Dropout2d(dropout),
            flatten=nn.Flatten(),
            dense=nn.Linear(32 * 4 * 4, 64),
            relu3=nn.ReLU(),
            drop3=nn.Dropout(dropout),
            classes=nn.Linear(64, 10),
        )
    )
