"""Table S1: the hyperparameters of all experiments, from the configuration."""

from collections.abc import Iterable, Iterator, Mapping

from unit_clusters_paper.runs.sweep import REGULARIZERS, strength_blocks

COLUMNS = ("experiment", "hidden", "seeds", "swept", *REGULARIZERS, "networks")

HEADINGS = {"l2": "L2 (weight decay)", "l1": "L1 weight penalty", "dropout": "dropout prob."}


def sweeps(experiments: Mapping[str, dict | None], l2_floor: float) -> Iterator[dict]:
    """One row, by COLUMNS, a sweep of an experiment: what is swept as the configuration writes it, the rest constant.

    Sweeps of the paper's regularizers only.

    Args:
        experiments: as in the configuration; one that is None is left out.
        l2_floor: L2 strength where L2 is not swept.
    """
    for name, experiment in experiments.items():
        for swept, values in (experiment or {"sweeps": {}})["sweeps"].items():
            if swept not in REGULARIZERS:
                continue
            found = strength_blocks(values)
            given = values if isinstance(values, str) else ", ".join(f"{value:g}" for block in found for value in block)
            yield {
                "experiment": name,
                "hidden": f"({', '.join(map(str, experiment['hidden']))})",
                "seeds": experiment["seeds"],
                "swept": swept,
                **{"l2": f"{l2_floor:g}", "l1": "0", "dropout": "0"},
                swept: given,
                "networks": sum(map(len, found)) * experiment["seeds"],
            }


def latex(rows: Iterable[Mapping]) -> str:
    """The rows as a tabular, laid out as Table S1; an experiment is named in its first row."""
    lines = [r"\begin{tabular}{llll}", r"\hline", " & ".join(["Experiment", *HEADINGS.values()]) + r" \\"]
    last = None
    for row in rows:
        first = row["experiment"] != last
        lines += [r"\hline"] * first
        name = f"{row['experiment']}: {row['hidden']}, {row['seeds']} seeds" if first else ""
        lines.append(" & ".join([name, *(row[regularizer] for regularizer in HEADINGS)]) + r" \\")
        last = row["experiment"]
    return "\n".join([*lines, r"\hline", r"\end{tabular}", ""])
