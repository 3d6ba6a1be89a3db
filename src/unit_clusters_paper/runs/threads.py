"""How a job's process computes."""

import torch


def compute_with(threads: int) -> None:
    """Give torch so many threads, and take denormal numbers (below 1.2e-38 in float32) for 0, until the process ends.

    In long training, weights of pixels that are always 0 are moved by the penalty alone. They and Adam's moments shrink
    for ever, and many processors are slow with them. torch sets the register of this thread: threads that it
    starts inherit it, and what NumPy and compiled code do in it is covered, too. Where torch cannot (it can on x86 and
    64-bit ARM), denormal numbers stay.
    """
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
