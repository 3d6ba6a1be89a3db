"""Matrix products of an ensemble's networks, by the library that is faster on this processor."""

import re
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor


def vendor(information: str | Path = "/proc/cpuinfo") -> str:
    """The processor's vendor as Linux names it, AuthenticAMD or GenuineIntel, say; empty where it does not."""
    path = Path(information)
    found = (
        re.search(r"^vendor_id\s*:\s*(\S+)", path.read_text(encoding="utf-8"), re.MULTILINE) if path.is_file() else None
    )
    return found[1] if found else ""


@cache
def library() -> Literal["numpy", "torch"]:
    """Whose products to take: torch's, by MKL, on Intel's processors, and numpy's, by OpenBLAS, on all others.

    The vendor decides, and no measurement: on one processor all jobs must add up in the same order.
    """
    return "torch" if vendor() == "GenuineIntel" else "numpy"


def product(
    left: Float[Tensor, "*#models rows inner"],
    right: Float[Tensor, "*#models inner columns"],
    out: Float[Tensor, "*models rows columns"] | None = None,
) -> Float[Tensor, "*models rows columns"]:
    """Each network's matrix product, into `out` if given. One of the factors may be a matrix that all networks share.

    On a processor each network has a product of its own, so that company does not change a bit. By torch's `matmul` of
    all at once it did: with 7, 11, 12 and 20 units, in the first layer, by MKL's AVX2 code for Intel's processors.
    """
    if left.is_cuda:
        return torch.matmul(left, right, out=out)
    if library() == "torch":
        if out is None:
            out = left.new_empty(len(left if left.ndim == 3 else right), left.shape[-2], right.shape[-1])
        lefts, rights = (side.unbind() if side.ndim == 3 else repeat(side) for side in (left, right))
        for mine, yours, result in zip(lefts, rights, out.unbind(), strict=False):
            torch.mm(mine, yours, out=result)
        return out
    with np.errstate(over="ignore", invalid="ignore"):  # of a network that diverges; `train` ends it
        return torch.from_numpy(np.matmul(left.numpy(), right.numpy(), out=None if out is None else out.numpy()))


ALIGNMENT = 64
"""Bytes: the widest vector of a processor."""


def aligned_product(
    left: Float[Tensor, "models rows inner"], right: Float[Tensor, "models inner columns"]
) -> Float[Tensor, "models rows columns"]:
    """`product`, with the matrices of each network at multiples of ALIGNMENT.

    By MKL the last bits of products of a few small odd shapes, of 11 by 11 units for one, depend on where the matrices
    lie, and so on how many networks come before.
    """
    if left.is_cuda or library() == "numpy":
        return product(left, right)
    out = _aligned(left.new_empty(len(left), left.shape[1], right.shape[2]))
    return product(_aligned(left), _aligned(right), out)


def _aligned(matrices: Float[Tensor, "models rows columns"]) -> Float[Tensor, "models rows columns"]:
    """The same, or a copy in the same order of rows and columns."""
    if matrices.stride(0) * matrices.element_size() % ALIGNMENT == 0:
        return matrices
    if matrices.stride(2) != 1:
        return _aligned(matrices.mT).mT
    numbers = matrices[0].numel()
    room = matrices.new_empty(len(matrices), numbers + -numbers % (ALIGNMENT // matrices.element_size()))
    return room[:, :numbers].unflatten(1, matrices.shape[1:]).copy_(matrices)
