"""Train networks that differ by their regularisation only, all at once, each as if it were alone.

Networks of one seed share their split and, as in the authors' runs, their order of batches. So a batch is gathered once
for all of them. Pixels that are 0 in all images of a batch, a third of MNIST's, are left out of the products of their
first layers, which are most of the work. Each network has its own dropout masks, learning-rate schedule,
stopping and kept epoch.

The loss that is minimised is the mean cross-entropy + l1 * sum|w| + l2 * sum(w^2) over all weights and no biases,
less the modularity that is aimed at (`modular`). The losses that are reported are the cross-entropy alone, and so is,
unless the settings say otherwise, the validation loss
that the schedule and early stopping watch.
"""

import logging
import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau

from unit_clusters.streams import stream
from unit_clusters_paper.data.images import Batch, Data, Images, batches
from unit_clusters_paper.networks.ensemble import Ensemble, Stack
from unit_clusters_paper.networks.evaluation import evaluate
from unit_clusters_paper.networks.modular import Modularity
from unit_clusters_paper.networks.products import product
from unit_clusters_paper.runs.aims import LEARNED

log = logging.getLogger(__name__)


class Run(NamedTuple):
    """One network: the name of its random streams, its seed, which names its batch order, and its regularisation."""

    id: str
    seed: int
    l1: float
    l2: float
    dropout: float
    upstream: float = 0.0
    downstream: float = 0.0
    clusters: str = LEARNED
    """In which modularity is aimed at: learned, fixed or permuted."""


@dataclass(frozen=True)
class Settings:
    """How to train; config.yaml says where each value comes from.

    Adam with `learning_rate`. With the schedule "plateau" the rate is multiplied by `plateau_factor` after more than
    `plateau_patience` epochs without a better validation loss (by torch's relative threshold of 1e-4). Training ends
    after `max_epochs`, after `stopping_patience` epochs without a better validation loss, or when a loss is not finite.
    Of each network the epoch of lowest validation loss is kept, or the last finite one. With `validation_penalty` the
    penalties on weights are a part of the validation loss in all of this.

    Raises:
        ValueError: the settings contradict each other, or the device is "cuda" and there is none.
    """

    learning_rate: float = 1e-3
    batch_size: int = 200
    schedule: Literal["constant", "plateau"] = "plateau"
    plateau_factor: float = 0.25
    plateau_patience: int = 3
    stopping_patience: int | None = 6
    max_epochs: int | None = 500
    keep: Literal["best", "last"] = "best"
    validation_penalty: bool = False
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


class Trained(NamedTuple):
    """What training leaves: each network at the epoch that is kept, and the history."""

    ensemble: Ensemble
    history: list[Epoch]
    assignments: list[Float[Tensor, "models _units clusters"]] | None
    """Of units to the clusters whose modularity was aimed at, at the same epoch: probabilities, by hidden layer. None
    if no network had an aim."""


class Adam:
    """torch's Adam (Kingma & Ba 2015) with a learning rate for each network.

    Its step is proportional to the rate. So torch steps from zero at rate 1, and each network takes its share of that.

    Args:
        tensors: what it is to update; networks are on the last axis but one.
    """

    def __init__(self, tensors: Sequence[Tensor]):
        self._directions = [torch.zeros_like(values) for values in tensors]
        self._optimizer = torch.optim.Adam(self._directions, lr=1.0, fused=True)

    def step(
        self, tensors: Sequence[Tensor], gradients: Sequence[Tensor], learning_rate: Float[Tensor, "models 1"]
    ) -> None:
        """Update `tensors` in place."""
        for direction, slope in zip(self._directions, gradients, strict=True):
            direction.zero_().grad = slope
        self._optimizer.step()
        for values, direction in zip(tensors, self._directions, strict=True):
            values.addcmul_(direction, learning_rate)

    def keep(self, models: Bool[Tensor, " models"]) -> None:
        """Forget all other networks."""
        states = [self._optimizer.state.pop(direction) for direction in self._directions]
        chosen = [(slice(None),) * (direction.ndim - 2) + (models,) for direction in self._directions]
        self._directions = [direction[places] for direction, places in zip(self._directions, chosen, strict=True)]
        self._optimizer.param_groups[0]["params"] = self._directions
        for direction, places, state in zip(self._directions, chosen, states, strict=True):
            self._optimizer.state[direction] = {
                name: value[places] if value.ndim else value for name, value in state.items()
            }


class Course:
    """How far one network has come: its schedule, its patience and its dropout."""

    def __init__(self, run: Run, settings: Settings):
        self.run = run
        self.dropout = stream(run.id, "dropout")
        self.best_loss = math.inf
        self._settings = settings
        self._epochs_without_improvement = 0
        # torch's schedule wants an optimiser to act on; this one only holds the rate for our stacked Adam.
        self._rate = torch.optim.SGD([torch.zeros(1)], lr=settings.learning_rate)
        self._plateau = ReduceLROnPlateau(
            self._rate, factor=settings.plateau_factor, patience=settings.plateau_patience
        )

    @property
    def learning_rate(self) -> float:
        return self._rate.param_groups[0]["lr"]

    def step(self, val_loss: float) -> tuple[bool, bool]:
        """Take an epoch's validation loss; say whether the epoch is to be kept, and whether training ends here."""
        if self._settings.schedule == "plateau":
            self._plateau.step(val_loss)
        finite, improved = math.isfinite(val_loss), val_loss < self.best_loss
        self.best_loss = min(val_loss, self.best_loss)
        self._epochs_without_improvement = 0 if improved else self._epochs_without_improvement + 1
        patience = self._settings.stopping_patience
        ended = not finite or (patience is not None and self._epochs_without_improvement >= patience)
        return (improved if self._settings.keep == "best" else finite), ended


def gradients(
    stack: Stack,
    batch: Batch,
    masks: Sequence[Float[Tensor, "models _units batch"]] | None,
    out: Stack,
    aim: Modularity | None = None,
) -> tuple[Float[Tensor, " models"], Float[Tensor, " models"]]:
    """Add the gradients of the networks' mean cross-entropies, and of their aim, to `out`.

    Returns:
        These cross-entropies, and the accuracies.
    """
    hidden, logits = stack.forward(batch, masks)
    aimed = aim and aim.add_gradients(stack, hidden, masks, out)
    target = batch.labels.expand(len(stack), 1, -1)
    # as argmax, but for ties, and fifteen times as fast along this axis
    accuracy = (logits.gather(1, target) == logits.amax(1, keepdim=True)).to(logits.dtype).mean((1, 2))
    log_probabilities = logits.log_softmax(1)
    loss = -log_probabilities.gather(1, target).mean((1, 2))
    error = log_probabilities.exp_()  # from here down: d loss / d activity of the layer before its ReLU
    error = error.scatter_add_(1, target, error.new_full((1, 1, 1), -1.0).expand_as(target)).div_(len(batch.labels))
    for layer in reversed(range(len(stack.weights))):
        below = hidden[layer]
        out.weights[layer].add_(product(error, below.mT))
        out.biases[layer + 1].add_(error.sum(2))
        error = product(stack.weights[layer].mT, error)
        if aimed:
            error.add_(aimed[layer])
        error.mul_(below.sign())
        if masks is not None:
            error.mul_(masks[layer])
    out.biases[0].add_(error.sum(2))
    slopes = out.first.new_empty(len(batch.active), *out.first.shape[1:])
    product(batch.pixels.T, error.mT, out=slopes.transpose(0, 1))
    out.first.view(len(out.first), -1).index_add_(0, batch.active, slopes.flatten(1))
    return loss, accuracy


def penalty_gradients(stack: Stack, l1: Float[Tensor, "models 1"], l2: Float[Tensor, "models 1"], out: Stack) -> None:
    """Set `out` to the gradient of l1 * sum|w| + l2 * sum(w^2), over all weights and no biases."""
    for values, slopes in ((stack.first, out.first), (stack.rest, out.rest)):
        torch.mul(values, 2 * l2, out=slopes)
        if l1.any():
            slopes.addcmul_(values.sign(), l1)
    for bias in out.biases:
        bias.zero_()


def strengths(courses: Sequence[Course], like: Tensor) -> tuple[Float[Tensor, "models 1"], Float[Tensor, "models 1"]]:
    """The networks' strengths of L1 and of L2."""
    l1, l2 = like.new_tensor([(course.run.l1, course.run.l2) for course in courses]).split(1, dim=1)
    return l1, l2


def penalties(stack: Stack, courses: Sequence[Course]) -> Float[Tensor, " models"]:
    """l1 * sum|w| + l2 * sum(w^2) of each network, over all weights and no biases."""
    weights = [stack.first.transpose(0, 1), *stack.weights]
    absolute, squared = (sum(size(weight).sum((1, 2)) for weight in weights) for size in (torch.abs, torch.square))
    l1, l2 = strengths(courses, stack.rest)
    return l1.squeeze(1) * absolute + l2.squeeze(1) * squared


def dropout_masks(
    courses: Sequence[Course], batch: int, units: Sequence[int], like: Tensor
) -> list[Float[Tensor, "models _units batch"]] | None:
    """A factor per unit and image: 0 with the network's dropout probability p, else 1/(1-p). None where all p are 0.

    Each is decided by 16 random bits, so p is rounded to a multiple of 2^-16.
    """
    dropped = like.new_tensor([course.run.dropout for course in courses]).mul_(1 << 16).round_().reshape(-1, 1, 1)
    if not dropped.any():
        return None
    threshold = (dropped - (1 << 15)).to(torch.int16)
    masks = []
    for width in units:
        words = -(-width * batch // 4)  # of 64 bits
        bits = np.stack([course.dropout.bit_generator.random_raw(words).view(np.int16) for course in courses])
        drawn = torch.from_numpy(bits[:, : width * batch]).to(like.device).unflatten(1, (width, batch))
        mask = torch.ge(drawn, threshold, out=like.new_empty(drawn.shape))
        masks.append(mask.div_(1 - dropped / (1 << 16)))
    return masks


@torch.inference_mode()
def train_epoch(
    stack: Stack,
    images: Images,
    index: Int[Tensor, " train"],
    courses: Sequence[Course],
    adam: Adam,
    batch_size: int,
    aim: Modularity | None = None,
) -> tuple[Float[Tensor, " models"], Float[Tensor, " models"]]:
    """One pass over the images at `index`, in that order, updating `stack`; the running mean loss and accuracy."""
    like = stack.rest
    l1, l2 = strengths(courses, like)
    rate = like.new_tensor([course.learning_rate for course in courses]).unsqueeze(1)
    gradient = Stack(torch.empty_like(stack.first), torch.empty_like(stack.rest), stack.sizes)
    learned, slopes = [stack.first, stack.rest], [gradient.first, gradient.rest]
    if aim:
        learned, slopes = [*learned, aim.theta], [*slopes, aim.slopes]
        aim.deal()
    totals = like.new_zeros(2, len(stack), dtype=torch.float64)
    for batch in batches(images, index, batch_size):
        penalty_gradients(stack, l1, l2, gradient)
        masks = dropout_masks(courses, len(batch.labels), stack.sizes[1:-1], like)
        totals += torch.stack(gradients(stack, batch, masks, gradient, aim)) * len(batch.labels)
        adam.step(learned, slopes, rate)
    loss, accuracy = totals / len(index)
    return loss, accuracy


def train(ensemble: Ensemble, data: Data, runs: Sequence[Run], settings: Settings) -> Trained:
    """Train networks of one seed.

    A network whose loss is not finite ends there; if no epoch was better, its initial parameters are returned.

    Raises:
        ValueError: the runs are of several seeds.
    """
    seeds = {run.seed for run in runs}
    if len(seeds) != 1:
        raise ValueError(f"networks that are trained together share their batches, but these have the seeds {seeds}")
    seed = seeds.pop()
    train_index, val_index = data.split(seed)
    batch_order = stream("batch order", seed)
    kept = Ensemble(ensemble.parameters.clone(), ensemble.sizes)
    current = Stack.of(ensemble)
    aims = current.rest.new_tensor([(run.upstream, run.downstream) for run in runs])
    aim = Modularity(aims, [run.clusters for run in runs], ensemble.sizes, seed) if aims.any() else None
    kept_theta = aim.theta.clone() if aim else None
    adam = Adam([current.first, current.rest, *([aim.theta] if aim else [])])
    courses = [Course(run, settings) for run in runs]
    models = torch.arange(len(runs))  # the rows of `kept` that the networks still in training belong to
    history = []
    for epoch in count(1) if settings.max_epochs is None else range(1, settings.max_epochs + 1):
        start = time.perf_counter()
        rates = [course.learning_rate for course in courses]
        order = torch.from_numpy(batch_order.permutation(len(train_index))).to(train_index.device)
        trained = train_epoch(current, data.training, train_index[order], courses, adam, settings.batch_size, aim)
        loss, accuracy = evaluate(current, data.training, val_index)
        watched = loss + penalties(current, courses) if settings.validation_penalty else loss
        figures = torch.stack([*trained, loss, accuracy]).T.tolist()
        history += [
            Epoch(course.run.id, epoch, rate, *row) for course, rate, row in zip(courses, rates, figures, strict=True)
        ]
        steps = [course.step(val_loss) for course, val_loss in zip(courses, watched.tolist(), strict=True)]
        keep, ended = torch.tensor(steps).T
        if keep.any():
            kept.parameters[models[keep]] = current[keep].ensemble().parameters
            if aim:
                kept_theta[models[keep]] = aim.theta[keep]
        _report(epoch, courses, keep, ended, time.perf_counter() - start)
        if ended.all():
            break
        if ended.any():
            stay = ~ended
            current, models = current[stay], models[stay]
            adam.keep(stay)
            if aim:
                aim.keep(stay)
            courses = [course for course, end in zip(courses, ended, strict=True) if not end]
    return Trained(kept, history, aim.assignments(kept_theta) if aim else None)


def finite_epochs(history: Sequence[Epoch]) -> Counter[str]:
    """How many epochs each network, by its run's id, was trained for before it diverged, if it did."""
    return Counter(epoch.run for epoch in history if math.isfinite(epoch.val_loss))


def _report(
    epoch: int,
    courses: Sequence[Course],
    keep: Bool[Tensor, " models"],
    ended: Bool[Tensor, " models"],
    seconds: float,
) -> None:
    losses = [course.best_loss for course in courses]
    log.info(
        "epoch %d: %d networks, best validation loss %.4f to %.4f, %d kept, %d ended, %.1f s",
        *(epoch, len(courses), min(losses), max(losses), keep.sum(), ended.sum(), seconds),
    )
