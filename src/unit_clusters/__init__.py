"""Clusters of hidden units in neural networks, by upstream and by downstream information.

The science behind the workflow, one module a step: `datasets`, `network`, `training`, `similarity`, `modularity`,
`restarts`, `agreement`, `tables`, `figures`, `claims`, `published`. Nothing here knows of Snakemake.
"""
