"""What a run found: files of a layer, tables, the published run, and comparisons with it."""
