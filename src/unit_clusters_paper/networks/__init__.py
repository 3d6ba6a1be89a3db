"""Ensembles of multi-layer perceptrons: what they are, how they are trained and evaluated."""
