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
