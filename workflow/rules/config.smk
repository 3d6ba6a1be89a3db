# The configuration, checked before anything is planned: one line a problem, by its key.
import math
from importlib.util import find_spec
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.validators import extend
from snakemake.exceptions import WorkflowError

# What jobs import that neither Snakemake nor the library brings; unless they run elsewhere, or Snakemake installs it.
LACKING = [
    name
    for name in ("clusim", "igraph", "markdown", "pooch", "safetensors")
    if find_spec(name) is None
]
if (
    LACKING
    and workflow.local_exec
    and not workflow.deployment_settings.deployment_method
):
    raise WorkflowError(
        f"{', '.join(LACKING)} not installed, which the workflow needs beside the library. In the repository's folder: "
        'pip install -c constraints.txt -e ".[workflow]"'
    )

# This repository's folder. workflow.basedir would be that of another workflow that uses this one as a module.
ROOT = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1]
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.yaml"
if not SCHEMA.is_file():
    raise WorkflowError(
        f"{ROOT} is not a folder, and this workflow needs the package that comes with it. To use it as a module, clone the "
        "repository and give the path of its workflow/Snakefile."
    )


# This repository's, in whatever folder the run takes place.
configfile: str(ROOT / "config.yaml")


def repeated_keys(file, node):
    """YAML takes the last of equal keys without a word; but two experiments of one name are a mistake."""
    if isinstance(node, yaml.MappingNode):
        names = [key.value for key, _ in node.value]
        for place, (key, value) in enumerate(node.value):
            if key.value in names[:place]:
                line = key.start_mark.line + 1
                yield f"{file}, line {line}: the key {key.value} is there already; give each once"
            yield from repeated_keys(file, value)


def is_number(checker, value):
    """A finite one: YAML has .nan and .inf too, which are above and below no limit."""
    return Draft202012Validator.TYPE_CHECKER.is_type(value, "number") and math.isfinite(
        value
    )


def is_integer(checker, value):
    """Not 3.0, which is none in Python."""
    return isinstance(value, int) and not isinstance(value, bool)


def said(problem):
    """A problem by its key, and with what the schema says of that key."""
    key = ": ".join(["config", *map(str, problem.absolute_path)])
    meaning = problem.schema.get("description")
    return f"{key}: {problem.message}" + (f" ({meaning})" if meaning else "")


Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"number": is_number, "integer": is_integer}
    ),
)
PROBLEMS = [
    *(
        problem
        for file in workflow.configfiles
        for problem in repeated_keys(file, yaml.compose(Path(file).read_bytes()))
    ),
    *map(said, Validator(yaml.safe_load(SCHEMA.read_bytes())).iter_errors(config)),
]
if PROBLEMS:
    # Snakemake's own validate() prints the whole configuration
    raise WorkflowError(
        "The configuration is not valid; config/README.md lists all keys.\n"
        + "\n".join(PROBLEMS)
    )

# Snakemake puts what --configfile names first, but the first experiment of an architecture has its untrained networks.
USUAL = yaml.safe_load((ROOT / "config.yaml").read_bytes())["experiments"]
config["experiments"] = {
    name: config["experiments"][name]
    for name in [*USUAL, *config["experiments"]]
    if name in config["experiments"]
}
