"""Clusters of hidden units in neural networks, by upstream and by downstream information.

`analyze` finds them in any torch module, and `layers` lists what it can be asked for; docs/your-network.md tells more.

The science behind the workflow, a room a step: `data`, `networks`, `similarity`, `clusters`, `results`, then `figures`
and `claims`. What knows of the workflow, its runs and its jobs is in `runs`.
"""

from importlib import import_module

_MODULES = {"analyze": "unit_clusters.analysis", "layers": "unit_clusters.similarity.layers"}

__all__ = list(_MODULES)


def __getattr__(name):
    """Import what users import when they do: the workflow's jobs need not wait for all that it needs."""
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
