"""Contestants that take turns, so that a machine whose speed drifts is fair to all."""

import time
from collections.abc import Callable, Mapping


def take_turns(
    contestants: Mapping[str, Callable[[], object]], rounds: int, clock: Callable[[], float] = time.process_time
) -> dict[str, list[float]]:
    """Seconds that each contestant took, of processor time if no other clock is given, round by round."""
    times = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, work in contestants.items():
            start = clock()
            work()
            times[name].append(clock() - start)
    return times
