"""Pages of the site that are made when it is built: from the code, the configuration and the published results."""

import re
from ast import get_docstring, parse
from collections.abc import Iterator
from os.path import normpath, relpath
from pathlib import Path, PurePosixPath

import yaml
from mkdocs.structure.files import File

from unit_clusters_paper.figures.catalog import FIGURES, Figure
from unit_clusters_paper.figures.tableS1 import sweeps

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src"
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
PICTURES = "results/published/figures"

COPIES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "config/README.md": "configuration.md",
    "examples/tutorial.md": "examples/tutorial.md",
    "results/README.md": "published.md",
    "results/published/claims.md": "scorecard.md",
    "results/published/fashion-mnist/claims.md": "fashion-mnist-scorecard.md",
}
"""Pages that lie elsewhere in the repository."""

STANDS_FOR = {"README.md": "index.md"}
"""Pages of the site that are linked to in place of these files."""

COMMANDS = {
    "sensitivity": "make sensitivity",
    "layers": "snakemake {name} --configfile mine.yaml",
}
"""What draws a figure that is drawn from this table; `snakemake NAME` draws all others."""

LINK = re.compile(r"\[([^][]*)\]\((?!\w+:)([^)#\s]+)(#[^)]*)?\)")
"""[text](target#anchor), not to the web."""


def on_files(files, config):
    """Add the made pages, the copied pages and the pictures beside those in docs/."""
    made = {"gallery.md": gallery(), "rules.md": rules()}
    made |= {f"reference/{room.name}.md": reference(room) for room in rooms()}
    for uri, text in made.items():
        files.append(File.generated(config, uri, content=text))
    there = {path: uri for path, uri in COPIES.items() if (ROOT / path).exists()}
    there |= {f"{PICTURES}/{path.name}": f"figures/{path.name}" for path in (ROOT / PICTURES).glob("*.png")}
    shown = (path for path in (ROOT / "examples").rglob("*") if path.suffix in (".png", ".py", ".yaml"))
    there |= {uri: uri for uri in (str(path.relative_to(ROOT)) for path in shown)}
    for path, uri in there.items():
        files.append(File.generated(config, uri, abs_src_path=str(ROOT / path)))
    config.repository = there | STANDS_FOR  # where on the site a file of the repository is
    return files


def on_page_markdown(markdown, page, config, files):
    """Links to files of the repository lead to where these are on the site; of all others only the words are left."""
    origins = {uri: path for path, uri in COPIES.items()}
    folder = PurePosixPath(origins.get(page.file.src_uri, f"docs/{page.file.src_uri}")).parent
    here = PurePosixPath(page.file.src_uri).parent

    def moved(link: re.Match) -> str:
        text, target, anchor = link[1], normpath(folder / link[2]), link[3] or ""
        uri = config.repository.get(target, target.removeprefix("docs/"))
        if files.get_file_from_path(uri):
            return f"[{text}]({relpath(uri, here)}{anchor})"
        return text if (ROOT / target).exists() else link[0]

    return LINK.sub(moved, markdown)


def gallery() -> str:
    """All figures: what each shows, and where it comes from."""
    return "\n\n".join([GALLERY, *map(entry, FIGURES, FIGURES.values()), table_s1()])


GALLERY = """\
# Figures

Every figure, as our published run drew it: what it shows, the module that draws it, what it is drawn from, and the
command that redraws it. That command also makes whatever the figure still lacks, so with nothing there it trains the
networks first. To draw a figure from our numbers instead, in a minute and without training, add the preset:

```
snakemake fig3 --configfile workflow/presets/published.yaml
make published   # all of them, and the scorecard
```

These go to `results/redrawn/figures/`. Figures are written as PDF, PNG and SVG. A click on a picture opens it in full
size."""


def entry(name: str, figure: Figure) -> str:
    """A figure of the catalog."""
    caption = figure.caption.format(limit=f"{100 * CONFIG['min_test_accuracy']:g} %")
    module = f"unit_clusters_paper.figures.{figure.module}"
    options = ", ".join(f"{key}={value!r}" for key, value in figure.options.items())
    command = next((line for table, line in COMMANDS.items() if table in figure.files), "snakemake {name}")
    return f"""\
## {title(name)}

{picture(name)}

{caption}

| | |
|---|---|
| drawn by | [`{module}`][{module}]{f", with `{options}`" if options else ""} |
| drawn from | {", ".join(map(source, figure.files)) or "the configuration alone"} |
| drawn anew by | `{command.format(name=name)}` |"""


def title(name: str) -> str:
    """fig3 is Figure 3; figscores, which is not of the paper, is `figscores`."""
    number = re.fullmatch(r"fig(S?\d+)", name)
    return f"Figure {number[1]}" if number else f"`{name}`"


def picture(name: str) -> str:
    if not (ROOT / PICTURES / f"{name}.png").exists():
        return "*The published run has no such figure.*"
    return f"[![{title(name)}](figures/{name}.png){{ loading=lazy }}](figures/{name}.png)"


FILES = {"examples": "`examples.npz`", "claims": "[`claims.csv`](scorecard.md)"}
"""What is no table."""


def source(name: str) -> str:
    return FILES.get(name) or f"[`tables/{name}.csv`](results.md#tables)"


def table_s1() -> str:
    """Table S1, by the configuration."""
    rows = list(sweeps(CONFIG["experiments"], CONFIG["l2_floor"]))
    cells = [list(rows[0]), ["---"] * len(rows[0]), *(list(map(str, row.values())) for row in rows)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in cells)
    module = "unit_clusters_paper.figures.tableS1"
    return f"""\
## Table S1

Networks and hyperparameters of all experiments, as `config.yaml` has them. Drawn anew by `snakemake tableS1`, as CSV
and LaTeX; the module is [`{module}`][{module}].

{table}"""


def rules() -> str:
    """The workflow's rules, file by file, as they are."""
    files = sorted((ROOT / "workflow" / "rules").glob("*.smk"))
    return "\n\n".join(
        [RULES, *(f"## `{path.name}`\n\n```python\n{path.read_text(encoding='utf-8')}```" for path in files)]
    )


RULES = """\
# The rules

Each stage is a rule of Snakemake, in a file of `workflow/rules/`. This is all of them, as they are. A job is a cohort:
the networks of one experiment and regulariser over a block of strengths and seeds, with all their hidden layers.

![The rules and what each needs](rulegraph.svg)"""


def rooms() -> list[Path]:
    """The folders of modules of both packages."""
    return sorted(path.parent for path in SOURCE.glob("*/*/__init__.py"))


def reference(room: Path) -> str:
    """The public functions and classes of a folder of modules, module by module."""
    text = (room / "__init__.py").read_text(encoding="utf-8")
    return "\n\n".join([f"# {room.parent.name}.{room.name}", get_docstring(parse(text)), *modules(room)])


def modules(room: Path) -> Iterator[str]:
    for path in sorted(room.glob("[!_]*.py")):
        yield f"::: {room.parent.name}.{room.name}.{path.stem}"
