"""Clusters of hidden units in neural networks, by upstream and by downstream information.

`analyze` finds them in any torch module, and `layers` lists what it can be asked for; docs/your-network.md tells more.

The science behind the workflow, one module a step: `datasets`, `network`, `training`, `similarity`, `modularity`,
`restarts`, `agreement`, `tables`, `figures`, `claims`, `published`. Nothing here knows of Snakemake.
"""

from importlib import import_module

_MODULES = {"analyze": "unit_clusters.analysis", "layers": "unit_clusters.named_layers"}

__all__ = list(_MODULES)


def __getattr__(name):
    """Import what users import when they do: the workflow's jobs need not wait for all that it needs."""
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
