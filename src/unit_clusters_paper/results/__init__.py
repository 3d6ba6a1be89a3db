"""What a run found: files of a layer, rows of tables, the published run, and comparisons with it."""
