"""The paper's figures and some of ours: `catalog` lists them all, with the module that draws each and its caption.

`draw` in such a module turns tables into a matplotlib Figure, and `files.save` writes it. Tables come by their names,
as `results.selection.read` gives them; `models` tells which networks to discard. A table that holds a network that
`models` does not is a ValueError.
"""
