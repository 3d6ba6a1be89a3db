"""The sums over images in equations (1) to (4), kept by halves of the images.

Every second image is of the same half. How far the halves' matrices are alike tells how far a matrix depends on the
images that it was taken from (`clusters.reliability`).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from unit_clusters.similarity.measures import MEASURES, Matrices, Measured


class Covariance:
    """The sum in eq. (1), over chunks (Chan, Golub & LeVeque 1983)."""

    def __init__(self, units: int):
        self.count = 0
        self.mean = torch.zeros(units, dtype=torch.float64)
        self.sum = torch.zeros(units, units, dtype=torch.float64)

    def add(self, activity: Float[Tensor, "batch units"]) -> None:
        mean = activity.mean(0)
        centred = activity - mean
        self.merge(len(activity), mean.double(), centred.T @ centred)

    def merge(self, count: int, mean: Float[Tensor, " units"], total: Float[Tensor, "units units"]) -> None:
        """Add what `count`, at least one, have for their mean and sum."""
        shift = mean - self.mean
        self.sum += total
        self.sum += torch.outer(shift, shift) * (self.count * count / (self.count + count))
        self.mean += shift * (count / (self.count + count))
        self.count += count


class Sums:
    """The sums of one layer, in float64; for derivatives, of their means over positions."""

    def __init__(self, units: int):
        self.images = 0
        self.covariance = Covariance(units)
        self.i_sens, self.o_sens, self.hess = torch.zeros(3, units, units, dtype=torch.float64)

    @classmethod
    def of(cls, parts: Iterable["Sums"]) -> "Sums":
        """The sums over all images of several, none of which is without images."""
        first, *others = parts
        whole = cls(len(first.o_sens))
        for part in (first, *others):
            whole.images += part.images
            whole.covariance.merge(part.covariance.count, part.covariance.mean, part.covariance.sum)
            for name in ("i_sens", "o_sens", "hess"):
                getattr(whole, name).add_(getattr(part, name))
        return whole

    def signed(self) -> Matrices:
        """The four matrices, symmetric; the abs() of eqs. (1) to (4) is not taken yet. One image has no covariance."""
        count = self.covariance.count
        totals = (self.covariance.sum * count, self.i_sens, self.o_sens, self.hess)
        numbers = (count * (count - 1) or float("nan"), *[self.images] * 3)
        # The sums are symmetric but for rounding.
        matrices = [((total + total.T) / 2 / number).numpy() for total, number in zip(totals, numbers, strict=True)]
        return dict(zip(MEASURES, matrices, strict=True))


class InHalves(ABC):
    """A way to compute the sums of some layers, by halves of the images.

    Args:
        units: of each layer, by name.

    Attributes:
        images: how many have been added.
    """

    def __init__(self, units: Mapping[str, int]):
        self.images = 0
        self.sums = tuple({name: Sums(number) for name, number in units.items()} for _ in range(2))

    def add(self, images: Float[Tensor, "batch ..."], labels: Tensor | None = None) -> None:
        """Add images, and their labels, to the sums; which half an image is in depends on its number alone."""
        for half, some in enumerate((slice(self.images % 2, None, 2), slice(1 - self.images % 2, None, 2))):
            if len(images[some]):
                self._add(images[some], None if labels is None else labels[some], half)
        self.images += len(images)

    @abstractmethod
    def _add(self, images: Float[Tensor, "batch ..."], labels: Tensor | None, half: int) -> None: ...

    def measured(self) -> dict[str, Measured]:
        """The matrices of each layer from all images, two at least, and from halves of them."""
        return {
            name: Measured(
                Sums.of(sums[name] for sums in self.sums).signed(), tuple(sums[name].signed() for sums in self.sums)
            )
            for name in self.sums[0]
        }
