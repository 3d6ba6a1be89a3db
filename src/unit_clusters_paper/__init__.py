"""The reproduction of the paper: its data, networks, tables, figures and claims, by the measures of `unit_clusters`.

A room a step: `data`, `networks`, `results`, then `figures` and `claims`. What knows of the workflow, its runs and its
jobs is in `runs`.
"""
