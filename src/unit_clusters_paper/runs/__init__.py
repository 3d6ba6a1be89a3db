"""How work is divided into runs and cohorts, and what every job does: files written whole, logs."""
