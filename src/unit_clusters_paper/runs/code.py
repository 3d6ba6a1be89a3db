"""What a rule depends on of the code: a hash of its script and of all modules of ours that this uses.

Standard library only, so that Snakemake alone can plan.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).parents[2]
"""The folder that holds the packages, in a clone or where they are installed."""

PACKAGES = ("unit_clusters", "unit_clusters_paper")
"""Ours. What else is imported is no matter here."""

REPORTING = ("unit_clusters_paper.runs.logs", "unit_clusters_paper.runs.processor")
"""Modules that only tell what a job does. Its results do not depend on them, so they are left out."""


def hash_of(*files: Path, source: Path = SOURCE) -> str:
    """A hash of the syntax of these files and of all modules that they use, without comments and docstrings.

    It is the same in Python 3.11 to 3.14. `ast.dump` and tokens are not: a run would be made anew in each.

    Args:
        files: scripts or modules.
        source: the folder that holds PACKAGES.
    """
    return _hash("".join(sorted(f"{file.name} {_read(file)[1]}" for file in used(*files, source=source))))


def used(*files: Path, source: Path = SOURCE) -> set[Path]:
    """These files, and the modules of ours that they import, themselves or through others, but those of REPORTING."""
    waiting, found = list(files), set(files)
    while waiting:
        for name in set(_read(waiting.pop())[0]).difference(REPORTING):
            if name.partition(".")[0] in PACKAGES:
                place = source.joinpath(*name.split("."))
                new = {path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()} - found
                waiting += new
                found |= new
    return found


@cache
def _read(file: Path) -> tuple[tuple[str, ...], str]:
    """The dotted names that a file imports, and a hash of its syntax."""
    tree = ast.parse(file.read_bytes())
    return tuple(_imported(tree)), _hash(_syntax(tree))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _imported(tree: ast.Module) -> Iterator[str]:
    """What is taken from a module may be a module in turn."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _syntax(node: object) -> str:
    """As `ast.dump` has it, but without fields that are empty, since later versions of Python add such fields."""
    if isinstance(node, ast.AST):
        fields = [
            f"{name}={_syntax(value)}" for name, value in ast.iter_fields(node) if value is not None and value != []
        ]
        return f"{type(node).__name__}({', '.join(fields)})"
    if isinstance(node, list):
        return f"[{', '.join(_syntax(item) for item in node if not _is_text(item))}]"
    return repr(node)


def _is_text(node: object) -> bool:
    """Whether it is a docstring, or another text that stands alone."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
