"""The paper: its data, networks, tables, figures and claims, by the measures and clusters of `unit_clusters`.

`data`, `networks`, `results`, `claims` and `figures` each use what comes before them. `runs`, which all of them use, is
what knows of the workflow, its runs and its jobs.
"""
