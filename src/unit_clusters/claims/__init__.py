"""The scorecard: does each claim of the paper hold on our networks?

`paper` lists the claims with their rules, `quantities` holds what they measure, `networks` the tables arranged by seed,
and `scorecard` the bootstrap, the verdicts and the files.
"""
