"""The tables of docs/reliability.md, which say what each test expects."""

from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent.parent / "docs" / "reliability.md"


def rows(heading):
    """The rows of the table under a heading, cell by cell, code without its backticks."""
    section = PAGE.read_text().partition(f"# {heading}\n")[2].partition("\n#")[0]
    table = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split(" | ")] for line in table[2:]]


def cases(heading, given):
    """Test cases: for each row what `given` has under the row's name, and the row's last cell.

    Raises:
        ValueError: the page and the tests have different cases.
    """
    found = rows(heading)
    if [row[0] for row in found] != list(given):
        raise ValueError(f"{PAGE}, {heading}: lists {[row[0] for row in found]}, but the tests try {list(given)}")
    return [pytest.param(given[name], result, id=name) for name, *_, result in found]
