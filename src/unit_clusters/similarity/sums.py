"""The sums over images in equations (1) to (4), of one layer."""

import torch
from jaxtyping import Float
from torch import Tensor

from unit_clusters.similarity.measures import MEASURES, Matrices


class Covariance:
    """The sum in eq. (1), over chunks (Chan, Golub & LeVeque 1983)."""

    def __init__(self, units: int):
        self.count = 0
        self.mean = torch.zeros(units, dtype=torch.float64)
        self.sum = torch.zeros(units, units, dtype=torch.float64)

    def add(self, activity: Float[Tensor, "batch units"]) -> None:
        batch = len(activity)
        mean = activity.mean(0)
        centred = activity - mean
        shift = mean.double() - self.mean
        self.sum += centred.T @ centred
        self.sum += torch.outer(shift, shift) * (self.count * batch / (self.count + batch))
        self.mean += shift * (batch / (self.count + batch))
        self.count += batch


class Sums:
    """The sums of one layer, in float64; for derivatives, of their means over positions."""

    def __init__(self, units: int):
        self.images = 0
        self.covariance = Covariance(units)
        self.i_sens, self.o_sens, self.hess = torch.zeros(3, units, units, dtype=torch.float64)

    def signed(self) -> Matrices:
        """The four matrices, symmetric; the abs() of eqs. (1) to (4) is not taken yet."""
        count = self.covariance.count
        totals = (self.covariance.sum * count / (count - 1), self.i_sens, self.o_sens, self.hess)
        numbers = (count, *[self.images] * 3)
        # The sums are symmetric but for rounding.
        matrices = [((total + total.T) / 2 / number).numpy() for total, number in zip(totals, numbers, strict=True)]
        return dict(zip(MEASURES, matrices, strict=True))
