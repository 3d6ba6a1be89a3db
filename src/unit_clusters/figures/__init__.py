"""The paper's figures, one module each: `draw` turns tables into a matplotlib Figure, `style.save` writes it."""
