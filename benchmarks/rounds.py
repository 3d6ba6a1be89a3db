"""Contestants that take turns, so that a machine whose speed drifts is fair to all."""

import time
from collections.abc import Callable, Mapping


def take_turns(contestants: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of processor time that each contestant took, round by round."""
    times = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, work in contestants.items():
            start = time.process_time()
            work()
            times[name].append(time.process_time() - start)
    return times
