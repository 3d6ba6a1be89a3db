"""The rules that were changed or added after numbers had been seen, each with its reason.

The first scorecard, with its rules, values and verdicts, is kept in docs/claims_first.csv.
"""

AS_RATIO = (
    "The same limits. The interval of a ratio is Fieller's now, which takes it that the whole is uncertain, "
    "too, and has no end where the whole may be 0."
)

AS_SIZE = (
    "A mean of distances without a sign grows with noise, and the largest of several even more. A size is "
    "less what noise gives."
)

AS_DRAWN = (
    "The paper compares Fig. 4 with Fig. 3 as they are drawn, each with its own sweeps. The same at strengths"
    " that are good in both stands beside it; before, a strength had only to exist in the other experiment."
)

ONE_SCALE = (
    "The caption of Fig. S11 says little, moderate and very strong of one and the same scale of colours. So "
    "one scale serves all three: from what unrelated clusterings agree to 1, and moderate from a quarter to "
    "three quarters."
)

LIKE_FOR_LIKE = (
    "Wide and deep networks stop early, base is trained for 500 epochs. So a comparison with base was also "
    "one of two trainings. Like for like are base's networks with early stopping; those of base stand beside "
    "them, by the rule that was."
)

CHANGES = {
    "q-l1-weak/weak": AS_RATIO,
    "q-l1-weak/like-l2": (
        "The first statistic was the same number as dropout's lead with a minus, and could not tell whether "
        "L1 is like L2. Like is as for sparsity: between half and one and a half times."
    ),
    "sparsity-alike": AS_RATIO,
    "k-stable": (
        'Section 4.2: "this dramatic effect of dropout on Q* was accompanied by only minor changes to the '
        'number of clusters". Minor is said beside the dramatic effect, so the change is taken where that is '
        "largest, and as a part of it, both in untrained standard deviations; an absolute limit had nothing "
        "to do with the sentence. Minor is close to none, as little agreement is: less than a quarter."
    ),
    "k-training": (
        'Caption of Fig. S7: "for the most part, training has little impact". The most part is more than half'
        " of the clusterings, and little impact is that they are where untrained ones are, in the inner band "
        "of the figure. A root mean square over all settings is driven by the few at which the impact is "
        "large."
    ),
    "wide-attenuated/lead": f"{AS_DRAWN} {LIKE_FOR_LIKE}",
    "wide-attenuated/greatly": f"{AS_DRAWN} {LIKE_FOR_LIKE}",
    "deep-exaggerated": f"{AS_DRAWN} {LIKE_FOR_LIKE}",
    "wide-l1-downstream": (
        'Section 4.3: "in this wider architecture, we begin to see some evidence". To begin is to be more '
        "than before, and the first rule looked at wide networks alone."
    ),
    "null-depth": f"The measures' differences no longer cancel each other. {AS_SIZE}",
    "agree-moment-gradient": AS_RATIO,
    "agree-downstream-untrained": AS_RATIO,
    "agree-upstream-trained": f"{AS_RATIO} It fails where there is no excess that could come with training.",
    "agree-across-trained": AS_RATIO,
    "agree-l1-unnormalised/moderately": ONE_SCALE,
    "agree-l1-unnormalised/more": (
        "The same rule; the strength at which it is scored is named: the strongest at which at least half of "
        "the seeds reach 80 %."
    ),
    "agree-scores-alike": "A correlation by seed has an interval by t; one of means over seeds has none.",
    "mc-improves": (
        "The paper says that all points are on or above the line, which is counted now. The mean gain has an "
        "interval by t, the median none."
    ),
    "spectral-helps": (
        "The paper says that all points are on or above the line, which is counted now. The comparison at "
        "equal steps is ours, and stands beside it."
    ),
    "hypothesis-2": AS_SIZE,
    "hypothesis-3": (
        'The paper calls L1\'s effect "surprisingly weak" and like that of L2, which did raise Q*. So weak '
        "cannot mean within one standard deviation of untrained networks."
    ),
    "hypothesis-4/trends": (
        "Fig. 3 draws a curve for each regulariser. Ranks pooled over all settings mostly tell which "
        "regulariser a network had, and by noise alone a rank correlation of flat curves is low. That all "
        "measures agree is wrong if any row says so: the claim asked for all rows before, which is the wrong "
        "logic."
    ),
    "hypothesis-4/clusters": (
        "Element similarity of unrelated clusterings is not 0 but about 0.26, so nearer to 0 than to 1 was "
        "the wrong yardstick."
    ),
    "q-dropout-upstream": 'Section 4.2: "This is especially apparent in the upstream methods".',
    "k-trends": (
        'Section 4.2: "distinctive trends by similarity type ... in the number of clusters detected". '
        "Distinctive is as in hypothesis 4: more than half of the trend that is shared."
    ),
    "trends-remain": (
        'Section 4.3: "many of the qualitative trends remain". Qualitatively similar is as in '
        "agree-scores-alike. A single seed is noisy: with the others of its own kind it correlates less than "
        "perfectly, which bounds what wide and deep ones can reach. So the correlation is told as a multiple "
        f"of that. {LIKE_FOR_LIKE}"
    ),
    "deep-lead-early": (
        'Section 4.3: "this effect is primarily driven by layers early in the network (see Supplemental '
        'Figures S9 and S10)", so it is taken as in Fig. S9.'
    ),
    "null-depth-k": 'Caption of Fig. S10: "this null distribution itself depends on depth".',
    "agree-within-strength": (
        'Section 1: "consistently distinct". An average over all strengths can hide one at which the families'
        " agree as well with each other as within. What counts is the strength at which the difference is "
        "least, with an interval that takes it that it was sought out among all. Before, each strength was a "
        "row of its own, and one of fifty that was undecided by chance left the claim so."
    ),
    "agree-upstream-ends": (
        f'Caption of Fig. S11: "little cluster-similarity ... but it becomes very strong". {ONE_SCALE}'
    ),
    "transfer-training": (
        'Section 4.4: "Overall, these trends in alignment between clusters were confirmed in the transfer '
        'analysis". Overall is the sum over the three experiments, by the rules of element similarity; each '
        "experiment by itself stands beside it, and decided before."
    ),
    "soft-clusters": (
        'Footnote 3: "we have encountered cases where Q is maximized by soft cluster assignments". Q is '
        "concave in a unit's shares, so it is known of each matrix whether a unit would rather be divided."
    ),
    "weights-dropout": (
        'Section 4.2: "this observation echoes, and may explain, why dropout also increases the '
        'clusterability of network weights in a separate study (Filan et al., 2021)".'
    ),
}
"""By `rows`, those of claims.csv, then and now, whose id is this or begins with it and a slash: why their rule is not
that of the first scorecard, or why it had none."""


def belongs(id: str, rows: str) -> bool:
    """Whether a row of claims.csv is among `rows`."""
    return id == rows or id.startswith(f"{rows}/")
