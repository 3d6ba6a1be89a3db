"""Run the tutorial, block by block: `python run.py` makes its pictures anew and prints what it shows."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Block(NamedTuple):
    """A block of Python, and what the tutorial says that it prints, if it does."""

    code: str
    shown: str


def blocks(tutorial: str) -> list[Block]:
    """The blocks in a text of Markdown, in order."""
    found = re.findall(r"```python\n(.*?)```(?:\n+```text\n(.*?)```)?", tutorial, re.DOTALL)
    return [Block(code, shown) for code, shown in found]


def run(block: Block, names: dict, settings: Mapping) -> None:
    """Execute a block among the names of those before it. These settings take the place of those that it sets."""
    exec(block.code, names)
    names.update({name: value for name, value in settings.items() if name in names})


if __name__ == "__main__":
    names = {}
    for block in blocks(Path("tutorial.md").read_text(encoding="utf-8")):
        print(f"```python\n{block.code}```", flush=True)
        run(block, names, {})
