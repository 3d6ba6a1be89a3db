"""What names a network in all tables."""

RUN_COLUMNS = ("experiment", "regularizer", "strength", "seed")
