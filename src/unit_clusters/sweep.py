"""From the configuration to the explicit list of runs and cohorts; nothing else builds their names.

A run is one network: an experiment, a regulariser, its strength and a seed. A cohort is a block of seeds of one
experiment, regulariser and strength, trained in one job. Standard library only, so that Snakemake alone can plan.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

REGULARIZERS = ("l2", "l1", "dropout")

UNTRAINED = "none"
"""The regulariser of networks that were only initialised."""

UNTRAINED_FIRST_SEED = 1000
"""Untrained networks are initialised from here on; trained ones below."""


@dataclass(frozen=True)
class Cohort:
    """Networks that differ by their seed only."""

    experiment: str
    hidden: tuple[int, ...]
    regularizer: str
    strength: float
    l1: float
    l2: float
    dropout: float
    seeds: tuple[int, ...]

    @property
    def id(self) -> str:
        """Names the block of seeds, so that more seeds make more cohorts and leave these alone: l2_0.001_seeds0-8."""
        setting = UNTRAINED if self.regularizer == UNTRAINED else f"{self.regularizer}_{self.strength:g}"
        return f"{setting}_seeds{self.seeds[0]}-{self.seeds[-1]}"

    @property
    def layers(self) -> range:
        """The hidden layers, counted from 1."""
        return range(1, len(self.hidden) + 1)

    @property
    def trained(self) -> bool:
        return self.regularizer != UNTRAINED

    @property
    def runs(self) -> list[dict]:
        """What identifies each network, as in the tables, with the `id` that names its random streams."""
        return [
            {
                "id": f"{self.experiment}/{self.regularizer}/{self.strength:g}/{seed}",
                "experiment": self.experiment,
                "regularizer": self.regularizer,
                "strength": self.strength,
                "l1": self.l1,
                "l2": self.l2,
                "dropout": self.dropout,
                "seed": seed,
            }
            for seed in self.seeds
        ]


def strengths(values: list[float] | str) -> list[float]:
    """The strengths of a sweep, to six significant digits.

    Args:
        values: a list; or, as in Table S1, "logspace(from, to, number)" in powers of ten, or "linspace(...)".

    Raises:
        ValueError: two strengths are equal, or the text is of another form or asks for no points or too large ones.
    """
    points = values if isinstance(values, list) else _spaced(values)
    rounded = [float(f"{point:.6g}") for point in points]
    if len(set(rounded)) < len(rounded):
        raise ValueError(f"the strengths {values} are not all different; name each once")
    return rounded


def _spaced(values: str) -> list[float]:
    parts = re.fullmatch(r"(logspace|linspace)\( *(-?\d+(?:\.\d+)?) *, *(-?\d+(?:\.\d+)?) *, *(\d+) *\)", values)
    if parts is None:
        raise ValueError(
            f"{values!r} is not of the form logspace(from, to, number) or linspace(from, to, number), "
            "which take decimal numbers such as -0.5"
        )
    low, high, number = float(parts[2]), float(parts[3]), int(parts[4])
    if number < 1:
        raise ValueError(f"{values} asks for {number} points; ask for 1 or more")
    step = (high - low) / (number - 1) if number > 1 else 0
    points = [low + step * index for index in range(number)]
    if parts[1] == "linspace":
        return points
    try:
        return [10**point for point in points]
    except OverflowError:
        raise ValueError(f"{values} goes beyond the largest number; its limits are powers of ten") from None


def cohorts(config: dict) -> list[Cohort]:
    """All cohorts of the (validated) configuration, trained ones before untrained ones, experiment by experiment.

    Raises:
        ValueError: a sweep's strengths are not valid, or there are no networks at all; the message names the key.
    """
    found = []
    for name, experiment in config["experiments"].items():
        if experiment is not None:
            found += _trained(name, experiment, config["l2_floor"])
    for name, experiment in config["experiments"].items():
        if experiment is not None:
            found += _untrained(name, experiment, config["untrained"])
    if not found:
        raise ValueError(
            "config: experiments: there are no networks to train or to initialise; "
            "give a sweep its strengths, or untrained: models a number above 0"
        )
    return found


def _trained(name: str, experiment: dict, l2_floor: float) -> Iterator[Cohort]:
    for regularizer in REGULARIZERS:
        try:
            values = strengths(experiment["sweeps"].get(regularizer, []))
            if any(value <= 0 for value in values):
                raise ValueError(f"{min(values):g} is not above 0")
            if regularizer == "dropout" and any(value >= 1 for value in values):
                raise ValueError(f"{max(values):g} is not below 1; it is the probability that a unit is dropped")
        except ValueError as error:
            raise ValueError(f"config: experiments: {name}: sweeps: {regularizer}: {error}") from error
        for strength in values:
            penalties = {"l1": 0.0, "l2": l2_floor, "dropout": 0.0} | {regularizer: strength}
            for seeds in blocks(range(experiment["seeds"]), experiment["models_per_job"]):
                yield Cohort(name, tuple(experiment["hidden"]), regularizer, strength, **penalties, seeds=seeds)


def _untrained(name: str, experiment: dict, untrained: dict) -> Iterator[Cohort]:
    seeds = range(UNTRAINED_FIRST_SEED, UNTRAINED_FIRST_SEED + untrained["models"])
    for block in blocks(seeds, untrained["models_per_job"]):
        yield Cohort(name, tuple(experiment["hidden"]), UNTRAINED, 0.0, 0.0, 0.0, 0.0, block)


def blocks(items: Sequence, length: int) -> Iterator[tuple]:
    """The items, `length` at a time; the last block may be shorter."""
    for start in range(0, len(items), length):
        yield tuple(items[start : start + length])
