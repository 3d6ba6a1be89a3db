"""What one choice at a time does to the headline numbers: dropout's lead in modularity, and agreement between measures.

Some choices can be made anew from the tables of the published run. For the others a few networks are trained, or their
matrices clustered, once for each choice: an experiment of the preset `sensitivity`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from unit_clusters_paper.claims import quantities
from unit_clusters_paper.claims.intervals import Mean, mean
from unit_clusters_paper.claims.networks import Networks, NotTestable, arrange
from unit_clusters_paper.results.selection import LIMIT, is_untrained

REFERENCE = "reference"
"""The experiment that the others of the preset are compared with."""

AS_IN_THE_PAPER = "as in the paper"

LONG, EARLY = "base", "early"
"""The published run's networks of Experiment 1, by the two training protocols."""

NUMBERS = {
    "lead": "dropout's lead in Q*: its largest rise minus the larger of L2's and L1's",
    "upstream": "agreement within the upstream family",
    "downstream": "agreement within the downstream family",
    "across": "agreement across the families",
}
"""The headline numbers, in words. Q* is the mean of the eight measures and of all layers."""

FAMILIES = {
    "upstream": quantities.UPSTREAM_FAMILY,
    "downstream": quantities.DOWNSTREAM_FAMILY,
    "across": quantities.ACROSS,
}
"""The pairs of forms that each of the last three is about."""

COLUMNS = ("source", "choice", "networks", *(c for name in NUMBERS for c in (name, f"{name}_se")))
"""The table: a row a choice; errors are standard errors over seeds, NaN with a single one."""


class Choice(NamedTuple):
    """How the headline numbers are read off the tables; the defaults are the paper's."""

    least_accuracy: float | None = None
    """In place of the tables' LIMIT."""
    q: str = "q"
    """Column of modularity.csv."""
    score: str = "element_similarity"
    """Column of agreement.csv."""


CHOICES = {
    AS_IN_THE_PAPER: Choice(),
    "accuracy cut-off: 90 %": Choice(least_accuracy=0.9),
    "accuracy cut-off: 95 %": Choice(least_accuracy=0.95),
    "dead units: left out of agreement": Choice(score="element_similarity_alive"),
    "agreement: corrected for chance": Choice(score="element_similarity_adjusted"),
    "search: best partitions known": Choice(q="q_best", score="element_similarity_best"),
}
"""What can be chosen anew from tables, one thing at a time."""

Tables = Mapping[str, pd.DataFrame]
"""models, modularity and agreement, as `selection.read` gives them."""


def published_rows(tables: Tables) -> Iterator[dict]:
    """Rows from the published run: as in the paper, then one other choice each."""
    choices = [(name, LONG, choice) for name, choice in CHOICES.items()]
    for name, experiment, choice in [*choices, ("protocol: early stopping", EARLY, Choice())]:
        yield {"source": "published run", "choice": name} | headline(tables, experiment, choice)


def variant_rows(tables: Tables, variants: Mapping[str, Mapping[str, object]]) -> Iterator[dict]:
    """Rows from a run of the preset: its reference, then its other experiments.

    Args:
        tables: of that run.
        variants: by experiment, what the configuration sets there in another way than in the reference, by its key.
    """
    names = {
        experiment: "; ".join(f"{key}: {value}" for key, value in settings.items())
        for experiment, settings in variants.items()
    }
    for experiment, name in ({REFERENCE: AS_IN_THE_PAPER} | names).items():
        yield {"source": "a few networks", "choice": name} | headline(tables, experiment, Choice())


def headline(tables: Tables, experiment: str, choice: Choice) -> dict[str, float]:
    """The NUMBERS of an experiment, their standard errors over seeds, and how many networks they are from."""
    rows = {name: table[(table["experiment"] == experiment) & ~is_untrained(table)] for name, table in tables.items()}
    if choice.least_accuracy is not None:
        rows["models"] = rows["models"].assign(**{LIMIT: choice.least_accuracy})
    networks = replace(arrange(**rows), least=1)
    found = {"networks": int(sum((group["discarded"][group.good] == 0).sum() for group in networks.groups.values()))}
    statistics = {"lead": partial(lead, column=choice.q)}
    statistics |= {name: partial(agreement, column=choice.score, pairs=pairs) for name, pairs in FAMILIES.items()}
    for name, statistic in statistics.items():
        try:
            estimate = statistic(networks, experiment=experiment)
            found |= {name: float(estimate.value), f"{name}_se": float(estimate.error)}
        except NotTestable:
            found |= {name: np.nan, f"{name}_se": np.nan}
    return found


def lead(networks: Networks, column: str, experiment: str) -> Mean:
    """Dropout's lead, at the strengths of the largest mean rises."""
    dropout, others = quantities.rises_of_lead(networks, column, experiment)
    return dropout[quantities.place_of_largest(dropout)] - others[quantities.place_of_largest(others)]


def agreement(networks: Networks, column: str, experiment: str, pairs: tuple[int, ...]) -> Mean:
    """A column of agreement.csv: of each seed over its networks at good strengths, then over seeds."""
    group = networks.group(experiment)
    return Mean.of((experiment, True), mean(group[column][group.good][..., list(pairs)], axis=(0, 2, 3)))
