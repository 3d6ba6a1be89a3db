"""What a rule depends on of the code."""

import re
from modulefinder import ModuleFinder
from pathlib import Path

import pytest

from unit_clusters_paper.runs.code import REPORTING, SOURCE, hash_of, used

WORKFLOW = Path(__file__).parents[1] / "workflow"
SCRIPTS = sorted((WORKFLOW / "scripts").glob("*.py"))

CODELESS = {"images", "publish"}
"""Rules that their files say why not to do again when their code changes."""

MODULE = '''"""A module."""
LIMIT = 3
"""Of what."""
# why
def double(x: int | None) -> int:
    """Twice."""
    return 2 * x
'''

SAME = {
    "a docstring": ("A module", "The module"),
    "a function's docstring": ("Twice.", "Two times."),
    "a text below a constant": ("Of what", "Of that"),
    "a comment": ("# why", "# therefore, and twice"),
    "a comment behind a statement": ("2 * x", "2 * x  # so"),
    "layout": ("2 * x", "(2 *\n        x)"),
}
OTHER = {
    "a constant": ("LIMIT = 3", "LIMIT = 4"),
    "the type of a constant": ("LIMIT = 3", "LIMIT = 3.0"),
    "a constant's name": ("LIMIT", "LEAST"),
    "a text that is used": ("return 2", "return 'Twice.' and 2"),
    "one more statement": ("return", "x += 1; return"),
}

SYNTAX = r"""
from os import path as p
import sys, os.path
@property
async def f(a, /, b: int = 1, *c, d=None, **e) -> p: ...
class C(p.D, metaclass=type):
    x: list[int] | None = [y for y in (1, 2.5, 3j, b"4", "5", ..., True, None) if not y] or {**{}, 1: {2}}
    z = f"{x!r:>{x}.3} {x=}" f"a{{b}}" "c" rf"\\{x:%H:%M}"
def g():
    global z
    with p() as q, q as (r, *s): yield (t := r[1:2, ::3])
    try:
        for u in s: continue
        else: del u
    except* ValueError as v: raise v from None
    match s:
        case [1, *_] | {"a": C(x=2) as w, **k} if k: return lambda *a: -a[0] ** 2 // 3 @ a
"""


def written(folder, **modules):
    """The folder of a library that has these modules; each test needs one of its own, since what was read is kept."""
    for name, text in modules.items():
        path = folder / "unit_clusters" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "unit_clusters"


@pytest.mark.parametrize("edit", [*SAME, *OTHER])
def test_words_are_no_matter_and_statements_are(tmp_path, edit):
    edited = MODULE.replace(*(SAME | OTHER)[edit])
    assert edited != MODULE
    before, after = written(tmp_path / "before", module=MODULE), written(tmp_path / "after", module=edited)
    assert (hash_of(before / "module.py") == hash_of(after / "module.py")) == (edit in SAME)


@pytest.mark.parametrize(("module", "same"), [("direct", False), ("far", False), ("apart", True)])
def test_a_script_depends_on_what_it_imports_and_on_no_more(tmp_path, module, same):
    """Whether at the top or in a function, whether a module is named or taken from its package."""
    library = {
        "script": "def main():\n    from unit_clusters import direct",
        "direct": "import numpy\nimport unit_clusters.far as far",
        "far": "import unit_clusters.direct",
        "apart": "",
    }
    before, after = (
        hash_of(written(tmp_path / name, **changed) / "script.py", source=tmp_path / name)
        for name, changed in {"before": library, "after": library | {module: "LIMIT = 3"}}.items()
    )
    assert (before == after) == same


def test_the_hash_is_the_same_in_all_versions_of_python(tmp_path):
    """Else another Python would have all networks trained anew."""
    assert hash_of(written(tmp_path, syntax=SYNTAX) / "syntax.py") == (
        "f4a9dacf302058cc32ce11fada5d3444fc7a79111bca80a57a00d1bf8afb00ca"
    )


@pytest.mark.parametrize("script", SCRIPTS, ids=[script.stem for script in SCRIPTS])
def test_modules_are_those_that_python_finds_but_those_that_report(script):
    finder = ModuleFinder(path=[str(SOURCE)])
    finder.run_script(str(script))
    found = {Path(module.__file__) for module in finder.modules.values() if module.__file__}
    reporting = {SOURCE.joinpath(*name.split(".")).with_suffix(".py") for name in REPORTING}
    assert reporting < found  # every script logs
    assert {path for path in used(script) if path.name != "__init__.py"} == {
        path for path in found - reporting if path.name != "__init__.py"
    }


def test_each_rule_depends_on_the_code_of_its_script():
    rules = [
        rule
        for file in sorted(WORKFLOW.rglob("*.smk"))
        for rule in re.split(r"^ *(?=rule\b.*:$)", file.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    ]
    scripts = {rule: re.findall(r'"\.\./scripts/(.+)"', rule) for rule in rules}
    assert {name for names in scripts.values() for name in names} == {script.name for script in SCRIPTS}
    named = {rule: re.findall(r'"code": code_of\("(.+?)"', rule) for rule in rules}
    different = {re.match(r"rule ?(\w*)", rule)[1] for rule in rules if named[rule] != scripts[rule]}
    assert different == CODELESS
