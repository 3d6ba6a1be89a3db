"""What an analysis of any module is asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from jaxtyping import Float
from torch import Tensor

from unit_clusters.similarity.layers import Units

Loss = Callable[[Tensor, Tensor], Tensor]
"""From a batch of outputs and of labels to their loss, as in torch.nn.functional."""

Outputs = Literal["all"] | tuple[Literal["top", "random"], int]
"""Which outputs o_sens is about; see `analysis.analyze`."""

MOST_OUTPUTS = 1000
"""More outputs than this are not all taken unless that is asked for."""

POSITIONS = 32
"""At how many random positions of each image cov and i_sens are taken, unless something else is asked for."""

MEMORY = 2**30
"""Bytes."""

CHUNK = 100
"""Images at a time, at most."""


@dataclass(frozen=True)
class Options:
    """What `analysis.analyze` is given under these names."""

    loss: Loss | None = None
    units: Units = "auto"
    outputs: Outputs | None = None
    positions: int | None = None
    hess_positions: int | None = None
    seed: int = 0
    memory: int = MEMORY

    @property
    def all_outputs(self) -> bool:
        return self.outputs in (None, "all")

    def rows(self, outputs: Float[Tensor, "batch outputs"]) -> int:
        """How many products with the outputs o_sens takes."""
        return outputs.shape[1] if self.all_outputs else self.outputs[1]

    def check_outputs(self, number: int) -> None:
        """Check that o_sens can be about so many outputs.

        Raises:
            ValueError: there are too many outputs to take them all unasked, or `outputs` does not say how to choose.
        """
        if self.outputs is None and number > MOST_OUTPUTS:
            raise ValueError(
                f"the model has {number} outputs, and o_sens takes a backward pass for each. Say what you want: "
                'outputs=("top", 10), the highest of each image; ("random", 100), random mixtures of all; or "all"'
            )
        if not self.all_outputs and not _possible(self.outputs, number):
            raise ValueError(
                f"outputs={self.outputs!r} of {number}: it is 'all', ('top', k), k at most all, or ('random', k)"
            )


def _possible(outputs: Any, number: int) -> bool:
    """Whether outputs are given as a way to choose and how many."""
    match outputs:
        case ("top", int(some)):
            return 1 <= some <= number
        case ("random", int(some)):
            return some >= 1
    return False
