"""Which small mistakes do no tests notice? A random sample of mutants of the numerical modules, against their tests.

    python tests/mutants.py --number 300 --seed 0 [part of a module's path ...]

A mutant has one change: an operator, a comparison, a number, a name, a keyword or statement left out, arguments
swapped. It stands in a copy of the tree, where a fork of this process, which has imported the large libraries, runs the
tests of its module. Those that pass them all are printed.
"""

import argparse
import ast
import importlib
import os
import random
import resource
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numba
import pytest

ROOT = Path(__file__).parents[1]
LIBRARIES = ("torch.func", "pandas", "scipy.stats", "networkx", "igraph", "leidenalg", "clusim.sim", "beartype")

SIMILARITY, CLUSTERS = "src/unit_clusters/similarity", "src/unit_clusters/clusters"
NETWORKS, CLAIMS = "src/unit_clusters_paper/networks", "src/unit_clusters_paper/claims"
TESTS = {
    "src/unit_clusters/lesioning.py": ["lesions"],
    f"{SIMILARITY}/any_module.py": ["automatic"],
    f"{SIMILARITY}/automatic.py": ["automatic"],
    f"{SIMILARITY}/closed_form.py": ["similarity", "automatic"],
    f"{SIMILARITY}/layers.py": ["layers", "automatic"],
    f"{SIMILARITY}/measures.py": ["similarity", "files"],
    f"{SIMILARITY}/options.py": ["automatic"],
    f"{SIMILARITY}/outputs.py": ["automatic"],
    f"{SIMILARITY}/passes.py": ["automatic"],
    f"{SIMILARITY}/perceptron.py": ["automatic"],
    f"{SIMILARITY}/sums.py": ["similarity", "automatic"],
    f"{CLUSTERS}/agreement.py": ["agreement"],
    f"{CLUSTERS}/leiden.py": ["restarts"],
    f"{CLUSTERS}/modularity.py": ["modularity", "properties"],
    f"{CLUSTERS}/reliability.py": ["reliability"],
    f"{CLUSTERS}/restarts.py": ["restarts"],
    f"{CLUSTERS}/rows.py": ["analysis"],
    f"{CLUSTERS}/search.py": ["modularity", "properties", "restarts", "shared"],
    f"{CLUSTERS}/shared.py": ["shared"],
    f"{CLUSTERS}/soft.py": ["turned"],
    f"{CLUSTERS}/turned.py": ["turned"],
    f"{NETWORKS}/corruption.py": ["corruption"],
    f"{NETWORKS}/evaluation.py": ["network"],
    f"{NETWORKS}/modular.py": ["modular"],
    f"{NETWORKS}/training.py": ["training", "modular"],
    f"{CLAIMS}/intervals.py": ["intervals"],
}
"""The tests of each module, by the names of their files."""

COMPILED = f"{CLUSTERS}/search.py"
"""Tested as plain Python, since it takes long to compile."""

SLOW = "no_worse_than_leiden or as_good_as_leidenalg or company or karate or drift"
"""Tests that are left out for their time."""

UNLIMITED = 3600

COMPARISONS = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
COMPARISONS |= {ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is}
OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div}
OPERATORS |= {ast.Pow: ast.Mult, ast.Mod: ast.FloorDiv, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd}
OPERATORS |= {ast.MatMult: ast.Mult, ast.And: ast.Or, ast.Or: ast.And}
PAIRS = ["min max", "amin amax", "argmin argmax", "fmin fmax", "minimum maximum", "any all", "sum mean", "LOW HIGH"]
PAIRS += ["ones zeros", "triu tril", "floor ceil", "rows columns", "isf sf", "sign abs", "log exp", "sqrt square"]
RENAMED = {a: b for pair in map(str.split, PAIRS) for a, b in (pair, pair[::-1])}


class Mutant(NamedTuple):
    """A module with a change."""

    path: str
    line: int
    before: str
    after: str
    source: str


def changed(node: ast.AST, **fields: object) -> ast.AST:
    """A copy with other fields."""
    return type(node)(**{**dict(ast.iter_fields(node)), **fields})


def changes(node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    """Nodes within this one, and what to put in their place."""
    match node:
        case ast.Compare(ops=[op, *others]) if type(op) in COMPARISONS:
            yield node, changed(node, ops=[COMPARISONS[type(op)](), *others])
        case ast.BinOp(op=op) | ast.BoolOp(op=op) | ast.AugAssign(op=op) if type(op) in OPERATORS:
            yield node, changed(node, op=OPERATORS[type(op)]())
        case ast.UnaryOp(operand=operand):
            yield node, operand
        case ast.Constant(value=bool(value)):
            yield node, ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield from ((node, ast.Constant(value + step)) for step in (1, -1))
        case ast.Constant(value=float(value)):
            yield node, ast.Constant(2 * value or 1.0)
        case ast.Name(id=name, ctx=ast.Load()) if name in RENAMED:
            yield node, ast.Name(RENAMED[name])
        case ast.Attribute(attr=name) if name in RENAMED:
            yield node, changed(node, attr=RENAMED[name])
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            yield test, ast.UnaryOp(ast.Not(), test)
        case ast.Slice():
            yield from ((node, changed(node, **{end: None})) for end in ("lower", "upper") if getattr(node, end))
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Break() | ast.Continue():
            yield node, ast.Pass()
        case ast.Call(args=args, keywords=keywords):
            yield from ((node, changed(node, keywords=[k for k in keywords if k is not left])) for left in keywords)
            swaps = ([*args[:i], args[i + 1], args[i], *args[i + 2 :]] for i in range(len(args) - 1))
            yield from ((node, changed(node, args=swapped)) for swapped in swaps)


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that compute: no annotations, no types, and no messages of errors and logs."""
    is_log = isinstance(node, ast.Expr) and ast.unparse(node).startswith(("log.", "_report("))
    if isinstance(node, ast.Raise | ast.JoinedStr | ast.arg) or is_log:
        return
    yield node
    for name, value in ast.iter_fields(node):
        if name not in ("annotation", "returns", "decorator_list"):
            for child in value if isinstance(value, list) else [value]:
                yield from walk(child) if isinstance(child, ast.AST) else ()


def mutants(path: str) -> list[Mutant]:
    """All that there are of a module."""
    source = (ROOT / path).read_text(encoding="utf-8")
    starts = [0]
    for line in source.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = {}
    for node in walk(ast.parse(source)):
        for old, new in changes(node):
            start, end = starts[old.lineno - 1] + old.col_offset, starts[old.end_lineno - 1] + old.end_col_offset
            before, after = source.encode()[start:end].decode(), ast.unparse(new)
            after = f"({after})" if isinstance(old, ast.expr) and not isinstance(old, ast.Slice) else after
            text = source.encode()[:start].decode() + after + source.encode()[end:].decode()
            found[text] = Mutant(path, old.lineno, before, after, text)
    return list(found.values())


def passes(tree: Path, path: str, seconds: int) -> bool:
    """Whether the module's tests pass in this tree, by a fork of this process that may use so much processor time."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    os.chdir(tree)
    sys.path[:0] = [str(tree / "src")]
    os.environ["PYTHONPATH"] = str(tree / "src")
    numba.config.DISABLE_JIT = path == COMPILED
    sys.dont_write_bytecode = seconds < UNLIMITED
    for output in (1, 2):
        os.dup2(os.open("mutants.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), output)
    files = [f"tests/test_{name}.py" for name in TESTS[path]]
    os._exit(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-k", f"not ({SLOW})", *files]))


def processor_seconds() -> float:
    """Of all forks so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--number", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("modules", nargs="*", default=[""], help="parts of paths: of the sample, only these are tried")
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    for library in LIBRARIES:
        importlib.import_module(library)
    sample = random.Random(given.seed).sample([mutant for path in TESTS for mutant in mutants(path)], given.number)
    sample = [mutant for mutant in sample if any(part in mutant.path for part in given.modules)]
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder, "tree")
        for name in ("src", "tests", "benchmarks", "docs"):
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", tree)
        survivors = 0
        for path in sorted({mutant.path for mutant in sample}):
            before = processor_seconds()
            if not passes(tree, path, UNLIMITED):
                raise SystemExit(f"{path}: tests fail as it is\n{(tree / 'mutants.log').read_text(encoding='utf-8')}")
            took = processor_seconds() - before
            mine = sorted(mutant for mutant in sample if mutant.path == path)
            print(f"{path}: {len(mine)} mutants; its tests take {took:.0f} s", flush=True)
            whole = (tree / path).read_text(encoding="utf-8")
            for mutant in mine:
                (tree / path).write_text(mutant.source, encoding="utf-8")
                if passes(tree, path, int(20 + 3 * took)):
                    survivors += 1
                    print(f"    {mutant.line}: {mutant.before} -> {mutant.after}", flush=True)
            (tree / path).write_text(whole, encoding="utf-8")
    print(f"{survivors} of {len(sample)} survive, in {processor_seconds():.0f} s")


if __name__ == "__main__":
    main()
