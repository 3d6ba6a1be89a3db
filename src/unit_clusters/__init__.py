"""The method: clusters of hidden units in neural networks, by upstream and by downstream information.

`analyze` finds them in layers of any torch module, and `layers` lists what it can be asked for; docs/your-network.md
tells more. `similarity` has equations (1) to (5) of the paper, `clusters` has (6) to (9) and the searches, `plots` the
pictures. Nothing here knows a data set, an experiment or the workflow: that is `unit_clusters_paper`.
"""

from importlib import import_module

_MODULES = {
    "analyze": "unit_clusters.analysis",
    "layers": "unit_clusters.similarity.layers",
    "lesions": "unit_clusters.lesioning",
}

__all__ = list(_MODULES)


def __getattr__(name):
    """Import what users import when they do: the workflow's jobs need not wait for all that it needs."""
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
