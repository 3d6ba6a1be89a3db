"""Train an ensemble of networks at once, each as if it were alone.

Parameters are stacked on a leading `models` axis, so that one batched matrix product per layer serves all networks,
while each has its own data split, batch order, dropout masks, learning-rate schedule, early stopping and best epoch.

The loss that is minimised is the mean cross-entropy + l1 * sum|w| + l2 * sum(w^2) over all weights and no biases; the
losses that are reported, and that the schedule and early stopping watch, are the cross-entropy alone.
"""

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau

from unit_clusters.evaluation import Data, Images, evaluate
from unit_clusters.network import Ensemble
from unit_clusters.streams import stream

log = logging.getLogger(__name__)


class Run(NamedTuple):
    """One network: its identity, which names its random streams, and its regularisation."""

    id: str
    l1: float
    l2: float
    dropout: float


@dataclass(frozen=True)
class Settings:
    """How to train; the defaults are the paper's.

    Adam with `learning_rate`; after more than `plateau_patience` epochs without a better validation loss the rate is
    multiplied by `plateau_factor`; after `stopping_patience` such epochs, or a loss that is not finite, training ends.

    Raises:
        ValueError: the device is "cuda" and there is none.
    """

    learning_rate: float = 1e-3
    batch_size: int = 200
    plateau_factor: float = 0.25
    plateau_patience: int = 3
    stopping_patience: int = 6
    max_epochs: int = 500
    device: str = "cpu"

    def __post_init__(self):
        if self.device == "cuda" and not torch.cuda.is_available():
            raise ValueError(
                "config: training: device is cuda, but torch finds no GPU here. Set it to cpu, or install a CUDA build "
                "of torch on a machine with a GPU."
            )


class Epoch(NamedTuple):
    """What one network did in one epoch; the training figures are running means over the epoch, under dropout."""

    run: str
    epoch: int
    learning_rate: float
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float


class Adam:
    """torch's Adam (Kingma & Ba 2015) with a learning rate for each network.

    Its step is proportional to the rate. So torch steps from zero at rate 1, and each network takes its share of that.
    """

    def __init__(self, parameters: Float[Tensor, "models parameters"]):
        self._direction = torch.zeros_like(parameters)
        self._optimizer = torch.optim.Adam([self._direction], lr=1.0, fused=True)

    def step(
        self,
        parameters: Float[Tensor, "models parameters"],
        gradient: Float[Tensor, "models parameters"],
        learning_rate: Float[Tensor, " models"],
    ) -> None:
        """Update `parameters` in place."""
        self._direction.zero_().grad = gradient
        self._optimizer.step()
        parameters.addcmul_(self._direction, learning_rate.unsqueeze(1))

    def keep(self, models: Bool[Tensor, " models"]) -> None:
        """Forget all other networks."""
        state = self._optimizer.state.pop(self._direction)
        self._direction = self._direction[models]
        self._optimizer.param_groups[0]["params"] = [self._direction]
        self._optimizer.state[self._direction] = {
            name: value[models] if value.shape else value for name, value in state.items()
        }


class Course:
    """How far one network has come: its schedule, its patience and its random streams."""

    def __init__(self, run: Run, settings: Settings):
        self.run = run
        self.batch_order = stream(run.id, "batch order")
        self.dropout = stream(run.id, "dropout")
        self.best_loss = math.inf
        self._epochs_without_improvement = 0
        self._stopping_patience = settings.stopping_patience
        # torch's schedule wants an optimiser to act on; this one only holds the rate for our stacked Adam.
        self._rate = torch.optim.SGD([torch.zeros(1)], lr=settings.learning_rate)
        self._plateau = ReduceLROnPlateau(
            self._rate, factor=settings.plateau_factor, patience=settings.plateau_patience
        )

    @property
    def learning_rate(self) -> float:
        return self._rate.param_groups[0]["lr"]

    def step(self, val_loss: float) -> tuple[bool, bool]:
        """Take an epoch's validation loss; say whether it is the best so far, and whether training ends here."""
        self._plateau.step(val_loss)
        improved = val_loss < self.best_loss
        self.best_loss = min(val_loss, self.best_loss)
        self._epochs_without_improvement = 0 if improved else self._epochs_without_improvement + 1
        ended = self._epochs_without_improvement >= self._stopping_patience or not math.isfinite(val_loss)
        return improved, ended


def gradients(
    ensemble: Ensemble,
    images: Float[Tensor, "models batch pixels"],
    labels: Int[Tensor, "models batch"],
    masks: Sequence[Float[Tensor, "models batch units"]] | None,
    out: Ensemble,
) -> tuple[Float[Tensor, " models"], Float[Tensor, " models"]]:
    """Backpropagate each network's mean cross-entropy into `out`; return that and the accuracy, per network."""
    hidden, logits = ensemble.forward(images, masks)
    accuracy = (logits.argmax(2) == labels).to(logits.dtype).mean(1)
    log_probabilities = logits.mT.contiguous().log_softmax(1)  # along the last axis it takes ten times as long
    target = labels.unsqueeze(1)
    loss = -log_probabilities.gather(1, target).squeeze(1).mean(1)
    error = log_probabilities.exp_()  # from here down: d loss / d activity of the layer before its ReLU
    error = error.scatter_add_(1, target, error.new_full((1, 1, 1), -1.0).expand_as(target)).div_(labels.shape[1]).mT
    for layer in reversed(range(len(ensemble.weights))):
        below = hidden[layer - 1] if layer else images
        torch.bmm(error.transpose(1, 2), below, out=out.weights[layer])
        torch.sum(error, 1, out=out.biases[layer])
        if layer:
            error = torch.bmm(error, ensemble.weights[layer]).mul_(below.sign())
            if masks is not None:
                error.mul_(masks[layer - 1])
    return loss, accuracy


def add_penalty_gradients(
    ensemble: Ensemble, l1: Float[Tensor, " models"], l2: Float[Tensor, " models"], out: Ensemble
) -> None:
    """Add the gradient of l1 * sum|w| + l2 * sum(w^2), over all weights and no biases."""
    out.weight_rows.addcmul_(ensemble.weight_rows, 2 * l2.unsqueeze(1))
    if l1.any():
        out.weight_rows.addcmul_(ensemble.weight_rows.sign(), l1.unsqueeze(1))


def dropout_masks(
    courses: Sequence[Course], batch: int, units: Sequence[int], like: Tensor
) -> list[Float[Tensor, "models batch units"]] | None:
    """A factor per unit and image: 0 with the network's dropout probability p, else 1/(1-p). None where all p are 0."""
    p = like.new_tensor([course.run.dropout for course in courses]).reshape(-1, 1, 1)
    if not p.any():
        return None
    masks = []
    for width in units:
        noise = np.empty((len(courses), batch, width), dtype=np.float32)
        for course, row in zip(courses, noise, strict=True):
            course.dropout.random(out=row, dtype=np.float32)
        masks.append((torch.from_numpy(noise).to(like.device) >= p).to(like.dtype).div_(1 - p))
    return masks


def train_epoch(
    ensemble: Ensemble,
    images: Images,
    index: Int[Tensor, "models train"],
    courses: Sequence[Course],
    adam: Adam,
    batch_size: int,
) -> tuple[Float[Tensor, " models"], Float[Tensor, " models"]]:
    """One pass over each network's training images, updating `ensemble`; the running mean loss and accuracy."""
    like = ensemble.parameters
    l1, l2, rate = (
        like.new_tensor(values)
        for values in zip(*((c.run.l1, c.run.l2, c.learning_rate) for c in courses), strict=True)
    )
    gradient = Ensemble(torch.empty_like(like), ensemble.sizes)
    order = np.array([course.batch_order.permutation(index.shape[1]) for course in courses])
    shuffled = index.gather(1, torch.from_numpy(order).to(index.device))
    totals = like.new_zeros(2, len(ensemble), dtype=torch.float64)
    for batch_index in shuffled.split(batch_size, dim=1):
        x, y = images.batch(batch_index)
        masks = dropout_masks(courses, y.shape[1], ensemble.sizes[1:-1], like)
        totals += torch.stack(gradients(ensemble, x, y, masks, gradient)) * y.shape[1]
        add_penalty_gradients(ensemble, l1, l2, gradient)
        adam.step(like, gradient.parameters, rate)
    loss, accuracy = totals / index.shape[1]
    return loss, accuracy


def train(
    ensemble: Ensemble,
    data: Data,
    runs: Sequence[Run],
    settings: Settings,
) -> tuple[Ensemble, list[Epoch]]:
    """Train each network until it stops early; return each at its epoch of lowest validation loss, and the history.

    A network whose loss is not finite stops at its last best epoch (its initial parameters if there is none).
    """
    best = Ensemble(ensemble.parameters.clone(), ensemble.sizes)
    train_index, val_index = data.train_index, data.val_index
    current = Ensemble(ensemble.parameters.clone(), ensemble.sizes)
    adam = Adam(current.parameters)
    courses = [Course(run, settings) for run in runs]
    models = torch.arange(len(runs))  # the rows of `best` that the networks still in training belong to
    history = []
    for epoch in range(1, settings.max_epochs + 1):
        start = time.perf_counter()
        rates = [course.learning_rate for course in courses]
        trained = train_epoch(current, data.training, train_index, courses, adam, settings.batch_size)
        figures = torch.stack([*trained, *evaluate(current, data.training, val_index)]).T.tolist()
        history += [
            Epoch(course.run.id, epoch, rate, *row) for course, rate, row in zip(courses, rates, figures, strict=True)
        ]
        steps = [course.step(val_loss) for course, (_, _, val_loss, _) in zip(courses, figures, strict=True)]
        improved, ended = torch.tensor(steps).T
        best.parameters[models[improved]] = current.parameters[improved]
        _report(epoch, courses, improved, ended, time.perf_counter() - start)
        if ended.all():
            break
        if ended.any():
            stay = ~ended
            current, models = current[stay], models[stay]
            train_index, val_index = train_index[stay], val_index[stay]
            adam.keep(stay)
            courses = [course for course, end in zip(courses, ended, strict=True) if not end]
    return best, history


def _report(
    epoch: int,
    courses: Sequence[Course],
    improved: Bool[Tensor, " models"],
    ended: Bool[Tensor, " models"],
    seconds: float,
) -> None:
    losses = [course.best_loss for course in courses]
    log.info(
        "epoch %d: %d networks, best validation loss %.4f to %.4f, %d at their best, %d ended, %.1f s",
        *(epoch, len(courses), min(losses), max(losses), improved.sum(), ended.sum(), seconds),
    )
