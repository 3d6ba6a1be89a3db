"""The scorecard: does each claim of the paper hold on our networks?

`paper` lists the claims with their rules, `quantities` holds what they measure, `networks` the tables arranged by seed,
`intervals` the estimates and their limits, and `scorecard` the verdicts and the files. `changes` tells which rules were
changed after their numbers had been seen, and `document` writes what of docs/claims.md follows from all this.
`sensitivity` has the headline numbers as they are when one thing is chosen otherwise.
"""
