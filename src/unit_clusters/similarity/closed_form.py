"""Equations (1) to (4) in closed form for perceptrons of ReLUs.

Between the kinks of its ReLUs such a network is linear. So with D_l, the 0/1 diagonal of the units of layer l that are
active for one image, almost everywhere

- the Jacobian of layer l's activity by the input is D_l W_l ... D_1 W_1;
- the Jacobian J of the logits by layer l's activity is W_L D_(L-1) W_(L-1) ... D_(l+1) W_(l+1);
- the Hessian of the loss by layer l's activity is J^T (d^2 L / dy^2) J. For the cross-entropy of logits y the middle
  one is diag(p) - p p^T, where p = softmax(y), whatever the label.

Images are streamed in chunks, so memory does not grow with their number. Products within a chunk are in the network's
precision, sums over chunks in float64.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from unit_clusters.similarity.options import CHUNK, Options
from unit_clusters.similarity.outputs import curvature, output_vectors
from unit_clusters.similarity.sums import InHalves


class ClosedForm(InHalves):
    """Equations (1) to (4) for hidden layers of a perceptron, on the processor.

    A unit that is never active is a zero row of cov and i_sens.

    Args:
        weights: of each linear layer, the last of which gives the outputs.
        biases: likewise.
        layers: numbers of the hidden layers that are wanted, counted from 1, by name.
        options: of the analysis. For the cross-entropy of integer labels none are needed.

    Attributes:
        most: how many images `add` may take at once.
    """

    def __init__(
        self,
        weights: Sequence[Float[Tensor, "_outputs _inputs"]],
        biases: Sequence[Float[Tensor, " _outputs"]],
        layers: Mapping[str, int],
        options: Options,
    ):
        self.weights, self.biases, self.layers, self.options = weights, biases, layers, options
        super().__init__({name: len(weights[number - 1]) for name, number in layers.items()})
        self.i_sens = InputSensitivity(weights[: max(layers.values())])
        outputs, widest = len(weights[-1]), max(map(len, weights))
        an_image = 6 * outputs * (widest + outputs) * weights[0].element_size()
        self.most = 2 * max(1, min(CHUNK, options.memory // an_image))

    def _add(self, images: Float[Tensor, "batch ..."], labels: Tensor | None, half: int) -> None:
        hidden, outputs = self._respond(images)
        i_sens = self.i_sens.of(hidden)
        jacobians = output_jacobians(self.weights, hidden)
        for name, number in self.layers.items():
            sums, jacobian = self.sums[half][name], jacobians[number - 1]
            sums.images += len(images)
            sums.covariance.add(hidden[number - 1])
            sums.i_sens += torch.from_numpy(i_sens[number - 1])
            sums.o_sens += gram(jacobian if self.options.all_outputs else self._chosen(outputs) @ jacobian)
            if self.options.loss:
                sums.hess += self._hessian(jacobian, outputs, labels)

    def _respond(
        self, images: Float[Tensor, "batch ..."]
    ) -> tuple[list[Float[Tensor, "batch _units"]], Float[Tensor, "batch outputs"]]:
        """The hidden layers' activities, and the outputs."""
        activity, hidden = images.detach().flatten(1).to(self.weights[0]), []
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            activity = torch.addmm(bias, activity, weight.T).relu_()
            hidden.append(activity)
        return hidden, torch.addmm(self.biases[-1], activity, self.weights[-1].T)

    def _chosen(self, outputs: Float[Tensor, "batch outputs"]) -> Float[Tensor, "batch rows outputs"]:
        return output_vectors(outputs, self.options, torch.arange(self.options.rows(outputs))).movedim(0, 1)

    def _hessian(
        self,
        jacobian: Float[Tensor, "batch outputs units"],
        outputs: Float[Tensor, "batch outputs"],
        labels: Tensor | None,
    ) -> Float[Tensor, "units units"]:
        """The sum of J^T (d^2 L / dy^2) J, eq. (4)."""
        classes = labels is None or not (labels.is_floating_point() or (labels < 0).any())
        if self.options.loss is cross_entropy and classes:
            # diag(p) - p p^T = E E^T with E = (I - p 1^T) diag(sqrt p)
            p = outputs.softmax(1).unsqueeze(2)
            return gram(p.sqrt() * (jacobian - p.mT @ jacobian))
        weights, basis = curvature(self.options.loss, outputs, labels)
        return gram(basis.movedim(0, 1) @ jacobian, weights.T[:, :, None])


def gram(
    factor: Float[Tensor, "batch rows units"], weights: Float[Tensor, "batch rows 1"] | int = 1
) -> Float[Tensor, "units units"]:
    """The sum of w v v^T over all vectors v of units."""
    return (weights * factor).flatten(0, 1).T @ factor.flatten(0, 1)


class InputSensitivity:
    """The sum in eq. (2), of all layers with these weights.

    For one image it is P G P^T with G = W_1 W_1^T and P = D_l W_l ... D_2 W_2 D_1. Rows and columns of inactive units
    are left out.
    """

    def __init__(self, weights: list[Float[Tensor, "_outputs _inputs"]]):
        first = weights[0].double()
        self.gram = (first @ first.T).to(weights[0].dtype).numpy()
        self.weights = [weight.numpy() for weight in weights[1:]]

    def of(self, hidden: list[Float[Tensor, "batch _units"]]) -> list[Float[np.ndarray, "_units _units"]]:
        """The sums over some images, by the activity of each layer."""
        masks = [(activity > 0).numpy() for activity in hidden[: len(self.weights) + 1]]
        mask = masks[0].astype(self.gram.dtype)
        first = (mask.T @ mask) * self.gram  # G, where both units are active
        totals = [np.zeros((len(weight),) * 2, dtype=self.gram.dtype) for weight in self.weights]
        for image in zip(*masks, strict=True) if totals else ():
            active = [mask.nonzero()[0] for mask in image]
            gram, paths = _block(self.gram, active[0], active[0]), None
            for total, weight, below, above in zip(totals, self.weights, active[:-1], active[1:], strict=True):
                weight = _block(weight, above, below)
                paths = weight if paths is None else weight @ paths
                places = above[:, None] * len(total) + above
                np.add.at(total.ravel(), places.ravel(), (paths @ gram @ paths.T).ravel())
        return [first, *totals]


def _block(
    matrix: Float[np.ndarray, "outputs inputs"], rows: Int[np.ndarray, " rows"], columns: Int[np.ndarray, " columns"]
) -> Float[np.ndarray, "rows columns"]:
    """Like matrix[rows[:, None], columns], in half the time."""
    return matrix.take(rows, 0).take(columns, 1)


def output_jacobians(
    weights: list[Float[Tensor, "_outputs _inputs"]], hidden: list[Float[Tensor, "batch _units"]]
) -> list[Float[Tensor, "batch classes _units"]]:
    """The Jacobians J of the logits by the activity of each hidden layer."""
    jacobian = weights[-1].expand(len(hidden[0]), -1, -1)
    found = [jacobian]
    for weight, activity in zip(weights[-2:0:-1], hidden[:0:-1], strict=True):
        jacobian = (jacobian * activity.sign().unsqueeze(1)) @ weight
        found.append(jacobian)
    return found[::-1]
