"""From the configuration to the explicit list of runs and cohorts; nothing else builds their names.

A run is one network: an experiment, a regulariser or an aim, its strength and a seed. A cohort is what one job trains:
the networks of one experiment and regulariser, over a block of strengths and a block of seeds. An experiment may also
be a set of networks that were trained elsewhere, a cohort each: then the checkpoint stands in place of the regulariser,
and there is no strength. Standard library only, so that Snakemake alone can plan.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path

from unit_clusters_paper.runs.aims import AIMS, DOWNSTREAM_LAYERS, FAMILIES, LEARNED, NO_AIM

REGULARIZERS = ("l2", "l1", "dropout")
"""The paper's."""

SECTIONS = ("training", "similarity", "clustering", "lesions")
"""Of the configuration, those that an experiment may lay its own over."""

UNTRAINED = "none"
"""The regulariser of networks that were only initialised."""

UNTRAINED_FIRST_SEED = 1000
"""Untrained networks are initialised from here on; trained ones below."""


@dataclass(frozen=True)
class Cohort:
    """Networks that one job makes: each strength with each seed."""

    experiment: str
    hidden: tuple[int, ...]
    regularizer: str
    strengths: tuple[float, ...]
    seeds: tuple[int, ...]
    l2_floor: float = 0.0
    settings: dict = field(default_factory=dict, hash=False)
    """What the configuration says of its training, similarity and so on: a dict by each of the SECTIONS."""

    checkpoint: str | None = None
    """The file of a network that was trained elsewhere."""

    @property
    def id(self) -> str:
        """Names what it holds, so that more strengths and seeds make more cohorts: l2_1e-05to0.1_seeds0-0."""
        if self.checkpoint:
            return self.regularizer
        if not self.trained:
            setting = UNTRAINED
        else:
            ends = dict.fromkeys((self.strengths[0], self.strengths[-1]))
            setting = f"{self.regularizer}_{'to'.join(f'{strength:g}' for strength in ends)}"
        return f"{setting}_seeds{self.seeds[0]}-{self.seeds[-1]}"

    @property
    def ours(self) -> bool:
        """Whether it is of perceptrons, which are made here, and not of networks of the user's."""
        return bool(self.hidden)

    @property
    def trained(self) -> bool:
        return self.regularizer != UNTRAINED

    @property
    def runs(self) -> list[dict]:
        """What identifies each network, as in the tables, seed by seed, with the `id` that names its random streams.

        The id does not hold the experiment: networks that differ by their training settings only have the same ones.
        """
        if not self.ours:
            names = {"experiment": self.experiment, "regularizer": self.regularizer, "strength": 0.0}
            return [{"id": f"{self.experiment}/{self.id}/{seed}", **names, "seed": seed} for seed in self.seeds]
        penalties = {"l1": 0.0, "l2": self.l2_floor, "dropout": 0.0, **dict.fromkeys(FAMILIES["both"], 0.0)}
        aim = AIMS.get(self.regularizer)
        swept = aim.families if aim else (self.regularizer,) if self.trained else ()
        return [
            {
                "id": f"{'-'.join(map(str, self.hidden))}/{self.regularizer}/{strength:g}/{seed}",
                "experiment": self.experiment,
                "regularizer": self.regularizer,
                "strength": strength,
                **(penalties | dict.fromkeys(swept, strength)),
                "clusters": aim.clusters if aim else LEARNED,
                "seed": seed,
            }
            for seed in self.seeds
            for strength in self.strengths
        ]


def strength_blocks(values: list | str | None) -> list[tuple[float, ...]]:
    """The strengths of a sweep, to six significant digits, by the blocks that are trained together.

    Args:
        values: as in Table S1, "logspace(from, to, number)" in powers of ten, or "linspace(...)", which is one block;
            or a list, each item of which is a block: such a text, a list of strengths, or one strength. None: none.

    Raises:
        ValueError: two strengths are equal, or a text is of another form or asks for no points or too large ones.
    """
    found = []
    for item in [values] if isinstance(values, str) else values or []:
        points = _spaced(item) if isinstance(item, str) else item if isinstance(item, list) else [item]
        found.append(tuple(float(f"{point:.6g}") for point in points))
    strengths = [strength for block in found for strength in block]
    if len(set(strengths)) < len(strengths):
        raise ValueError(f"the strengths {values} are not all different; name each once")
    return [block for block in found if block]


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

    Untrained networks depend on their architecture only, so the first experiment of an architecture has them.

    Raises:
        ValueError: training settings contradict each other, a sweep's strengths are not valid, or there are no networks
            at all; the message names the key.
    """
    given = {name: experiment for name, experiment in config["experiments"].items() if experiment is not None}
    experiments = {name: experiment for name, experiment in given.items() if "hidden" in experiment}
    architectures = {tuple(experiment["hidden"]): name for name, experiment in reversed(experiments.items())}
    found = [cohort for name, experiment in experiments.items() for cohort in _trained(name, experiment, config)]
    for name, experiment in experiments.items():
        if architectures[tuple(experiment["hidden"])] == name:
            found += _untrained(
                name, tuple(experiment["hidden"]), config["untrained"], settings_of(name, experiment, config)
            )
    for name, experiment in given.items():
        if name not in experiments:
            found += _networks_of_the_user(name, experiment, config)
    if not found:
        raise ValueError(
            "config: experiments: there are no networks to train or to initialise; "
            "give a sweep its strengths, or untrained: models a number above 0"
        )
    return found


def settings_of(name: str, experiment: dict, config: dict) -> dict[str, dict]:
    """The settings of one experiment by each of the SECTIONS: its own, laid over those of all.

    Raises:
        ValueError: training would not end, or what is kept contradicts why it ends; the message names the key.
    """
    settings = {section: config.get(section, {}) | experiment.get(section, {}) for section in SECTIONS}
    _check_training(settings["training"], f"config: experiments: {name}: training")
    return settings


def _check_training(settings: dict, key: str) -> None:
    if settings["keep"] == "last" and settings["stopping_patience"] is not None:
        raise ValueError(
            f"{key}: keep: last keeps the epoch after which training stops, the worst of the last ones; set "
            "stopping_patience: null with it, or keep: best"
        )
    if settings["stopping_patience"] is None and settings["max_epochs"] is None:
        raise ValueError(f"{key}: max_epochs: null with stopping_patience: null trains for ever; set one of them")


def _trained(name: str, experiment: dict, config: dict) -> Iterator[Cohort]:
    settings = settings_of(name, experiment, config)
    for regularizer in (*REGULARIZERS, *AIMS):
        try:
            found = strength_blocks(experiment["sweeps"].get(regularizer))
            _check_strengths(regularizer, [strength for block in found for strength in block], experiment["hidden"])
        except ValueError as error:
            raise ValueError(f"config: experiments: {name}: sweeps: {regularizer}: {error}") from error
        for block in found:
            for seeds in blocks(range(experiment["seeds"]), experiment["seeds_per_job"]):
                yield Cohort(name, tuple(experiment["hidden"]), regularizer, block, seeds, config["l2_floor"], settings)


def _check_strengths(regularizer: str, strengths: Sequence[float], hidden: Sequence[int]) -> None:
    if regularizer in AIMS and any(strength < 0 for strength in strengths):
        raise ValueError(f"{min(strengths):g} is below 0")
    if regularizer in REGULARIZERS and any(strength <= 0 for strength in strengths):
        raise ValueError(f"{min(strengths):g} is not above 0")
    if regularizer == "dropout" and any(strength >= 1 for strength in strengths):
        raise ValueError(f"{max(strengths):g} is not below 1; it is the probability that a unit is dropped")
    aimed = AIMS[regularizer].families if regularizer in AIMS else ()
    if strengths and "downstream" in aimed and len(hidden) > DOWNSTREAM_LAYERS:
        raise ValueError(NO_AIM.format(layers=len(hidden)))


def _untrained(name: str, hidden: tuple[int, ...], untrained: dict, settings: dict) -> Iterator[Cohort]:
    seeds = range(UNTRAINED_FIRST_SEED, UNTRAINED_FIRST_SEED + untrained["models"])
    for block in blocks(seeds, untrained["models_per_job"]):
        yield Cohort(name, hidden, UNTRAINED, (0.0,), block, settings=settings | {"training": {}})


def _networks_of_the_user(name: str, experiment: dict, config: dict) -> Iterator[Cohort]:
    clustering = config["clustering"] | experiment.get("clustering", {})
    settings = {section: {} for section in SECTIONS} | {"clustering": clustering}
    patterns = experiment["checkpoints"]
    patterns = [patterns] if isinstance(patterns, str) else patterns
    found = sorted({path for pattern in patterns for path in glob(pattern, recursive=True)})
    key = f"config: experiments: {name}: checkpoints"
    if not found:
        raise ValueError(f"{key}: there is no file {', '.join(patterns)}, seen from {Path.cwd()}")
    by_name = {Path(path).name: path for path in found}
    if len(by_name) < len(found):
        raise ValueError(f"{key}: two files have the same name, which is to name a network: {', '.join(found)}")
    for checkpoint, path in by_name.items():
        if not re.fullmatch(r"[\w.+=,@-]+", checkpoint):
            raise ValueError(f"{key}: rename {path}: it names results, so let it have letters, digits and .-_+=,@ only")
        yield Cohort(name, (), checkpoint, (0.0,), (0,), settings=settings, checkpoint=path)
    yield from _untrained(name, (), config["untrained"] | {"models": experiment.get("untrained", 0)}, settings)


def blocks(items: Sequence, length: int) -> Iterator[tuple]:
    """The items, `length` at a time; the last block may be shorter."""
    for start in range(0, len(items), length):
        yield tuple(items[start : start + length])
