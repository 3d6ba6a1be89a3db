"""Time to import what a library call needs, against `import torch, numba, pandas`.

Each contestant is a fresh interpreter. Run as ``python -m benchmarks.imports``. Times are medians of the processor time
of rounds in which both take their turn.
"""

import os
import statistics
import subprocess
import sys
from functools import partial

from benchmarks.rounds import take_turns

CONTESTANTS = {
    "uc.analyze": "import unit_clusters as uc; uc.analyze",
    "torch, numba, pandas": "import torch, numba, pandas",
}

ROUNDS, ASKED = 10, 1.25
"""And how many times as long as the other the first may take."""


def processor_seconds() -> float:
    """Of the processes started and ended so far."""
    times = os.times()
    return times.children_user + times.children_system


def main() -> int:
    contestants = {
        name: partial(subprocess.run, [sys.executable, "-c", code], check=True) for name, code in CONTESTANTS.items()
    }
    take_turns(contestants, 1, processor_seconds)  # warm: files are in memory, and compiled
    times = take_turns(contestants, ROUNDS, processor_seconds)
    ours, theirs = map(statistics.median, times.values())
    print(f"{'import':>20} {'seconds':>8}")
    for name, seconds in zip(times, (ours, theirs), strict=True):
        print(f"{name:>20} {seconds:8.2f}")
    print(f"ratio {ours / theirs:.2f} (asked: at most {ASKED})")
    return int(ours / theirs > ASKED)


if __name__ == "__main__":
    sys.exit(main())
