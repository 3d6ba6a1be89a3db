"""Tidy tables: each job writes its rows, and then they are put together."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from unit_clusters.files import written_whole

RUN = ("experiment", "regularizer", "strength", "seed")

COLUMNS = {
    "models": (
        *("experiment", "regularizer", "strength", "l1", "l2", "dropout", "seed", "trained", "epochs"),
        *("train_loss", "train_accuracy", "val_loss", "val_accuracy", "test_loss", "test_accuracy"),
        *("l1_norm", "l2_norm", "nuclear_norm", "sparsity"),
    ),
    "history": (*(*RUN, "epoch", "learning_rate", "train_loss", "train_accuracy", "val_loss", "val_accuracy"),),
    "modularity": (
        *(*RUN, "layer", "measure", "normalized"),
        *("q", "q_spectral", "num_clusters", "used_clusters", "dead_units"),
    ),
    "agreement": (
        *(*RUN, "layer", "measure_a", "normalized_a", "measure_b", "normalized_b"),
        *("element_similarity", "element_similarity_alive", "transferability"),
    ),
}
"""The columns of each table, in order."""


def write(table: str, rows: Iterable[dict], path: str | Path) -> None:
    """Write rows of a table as CSV. Floats read back the same; what is in a row but not in the table is left out."""
    with written_whole(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS[table], extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def concatenate(table: str, parts: Sequence[str | Path], path: str | Path) -> None:
    """Put the parts of a table together, in the order given.

    Raises:
        ValueError: a part does not have the table's columns, or its last row is cut off; the message names its file.
    """
    header = ",".join(COLUMNS[table]) + "\n"
    with written_whole(path) as temporary, temporary.open("w") as file:
        file.write(header)
        for part in parts:
            text = Path(part).read_text()
            if not text.startswith(header) or not text.endswith("\n"):
                raise ValueError(f"{part} is not a whole part of the table {table}. Delete it and run again.")
            file.write(text.removeprefix(header))
