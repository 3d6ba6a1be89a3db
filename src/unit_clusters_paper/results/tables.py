"""Tidy tables: each job writes its rows, and then they are put together."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from unit_clusters_paper.runs.files import written_whole


def write(columns: Iterable[str], rows: Iterable[dict], path: str | Path) -> None:
    """Write rows as CSV. Floats read back the same; what is in a row but not among the columns is left out."""
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def whole(path: str | Path) -> io.StringIO:
    """The text of a table, for pandas to read.

    Raises:
        ValueError: its last row is cut off, or it is empty; the message names it.
    """
    text = Path(path).read_text(encoding="utf-8")
    if not text.endswith("\n"):
        raise ValueError(f"{path} is cut off or empty. Delete it and run again.")
    return io.StringIO(text)


def concatenate(parts: Sequence[str | Path], path: str | Path) -> None:
    """Put the parts of a table together, in the order given.

    Raises:
        ValueError: a part has other columns than the first, or its last row is cut off; the message names its file.
    """
    header = None
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        for part in parts:
            columns, line_end, rows = Path(part).read_text(encoding="utf-8").partition("\n")
            if header is None:
                header = columns
                file.write(header + line_end)
            if columns != header or not (line_end + rows).endswith("\n"):
                raise ValueError(
                    f"{part} is cut off, or has other columns than {parts[0]}. Delete what is damaged and run again."
                )
            file.write(rows)
