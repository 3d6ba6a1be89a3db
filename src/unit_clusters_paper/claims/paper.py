"""All claims of the paper, by section."""

from unit_clusters_paper.claims import architecture, comparison, expectations, regularization
from unit_clusters_paper.claims.rules import Claim

SECTIONS: dict[str, list[Claim]] = {
    "How modularity depends on regularisation (4.2)": regularization.CLAIMS,
    "Wider and deeper networks (4.3)": architecture.CLAIMS,
    "Do the measures find the same clusters? (4.4)": comparison.CLAIMS,
    "The search for clusters (Fig. S5)": expectations.SEARCH,
    "What the authors did, and had expected (4.1)": expectations.EXPECTED,
}

CLAIMS = {claim.id: claim for claims in SECTIONS.values() for claim in claims}

MAIN: dict[str, tuple[str, str]] = {
    "q-dropout-largest": (
        "overall",
        '"dropout dramatically increased modularity, while other forms of weight regularization had more modest '
        'effects"',
    ),
    "q-dropout-upstream": ("", '"This is especially apparent in the upstream methods"'),
    "k-stable": (
        "number",
        '"this dramatic effect ... was accompanied by only minor changes to the number of clusters"',
    ),
    "redundancy": ("", '"dropout increases Q* by increasing the redundancy of hidden units"'),
    "q-l2-increases": ("", '"L2 regularization on the weights did, in fact, increase Q*"'),
    "q-l1-weak": ("weak", '"L1 regularization had a surprisingly weak effect", and like L2\'s'),
    "wide-attenuated": (
        "greatly",
        'wider networks: "dropout increases Q*", but "its effect relative to the other normalization types is greatly '
        'attenuated"',
    ),
    "deep-exaggerated": (
        "",
        'deeper networks: "an even more exaggerated difference between dropout and other regularization types", for '
        "upstream measures",
    ),
    "agree-within": (
        "base/downstream",
        '"usually good agreement about clusters within both upstream methods and downstream methods ... little '
        'agreement ... across these two families"',
    ),
    "agree-within-strength": ("base", '"clusters ... are consistently distinct"'),
    "agree-downstream-untrained": (
        "base",
        '"much of the structure in the downstream methods is unaffected by training"',
    ),
    "agree-upstream-trained": (
        "base",
        '"cluster-similarity among different upstream methods only emerged as a result of training"',
    ),
    "agree-across-trained": (
        "base",
        '"training tended to weakly increase the agreement between upstream and downstream methods"',
    ),
}
"""The main claims, from the abstract, the headings and what is bold: which of a claim's rows stands for it, and the
paper's words."""
