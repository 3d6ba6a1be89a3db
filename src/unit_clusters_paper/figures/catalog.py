"""All figures: the module that draws each, what it is drawn from, and its caption in the report.

A further figure is a module with a function `draw`, and an entry here. Standard library only: Snakemake's own process
reads it.
"""

from typing import NamedTuple


class Figure(NamedTuple):
    """An entry."""

    module: str
    """Of this folder; its `draw` makes the figure."""
    files: tuple[str, ...]
    """What `draw` takes by these names: tables, and `examples`."""
    caption: str
    """In reStructuredText; {limit} stands for the test accuracy below which networks are left out."""
    options: dict = {}  # noqa: RUF012
    """What else `draw` takes."""
    hidden: bool = False
    """Whether it takes `hidden`, too: by experiment, the units of each hidden layer."""


LEFT_OUT = "Trained networks below {limit} test accuracy are left out; the foot of the figure counts them."
BANDS = "Gray bands are the mean of untrained networks and 1, 2 and 3 standard deviations"
FLOOR = "The curves of dropout start at 0 %, with the networks that have only the floor of L2."
HOLLOW = "hollow points have fewer than half of their seeds left"
POOLED = """\
Points are means over seeds and layers; thin bars are standard errors over both, as in the paper, and mostly long where
layers differ; thick bars are standard errors over seeds alone, the layers of each network averaged first"""

COLUMNS = {
    "q": ("Modularity", "Higher means more modular."),
    "num_clusters": (
        "Number of clusters, equation 8,",
        "More is neither better nor worse; the scale is logarithmic if it spans more than a factor of ten.",
    ),
}
"""Of modularity.csv: what to call them, and how to read them."""


def metrics(number: int, experiment: str) -> Figure:
    """Figs. S2 to S4."""
    caption = f"""\
Performance, weight norms and sparsity of the {experiment} networks against the strength of each regularizer (Experiment
{number}; Figure S{number + 1} of the paper), all trained networks included. Thin lines are seeds, the thick line their
mean and standard error, the gray line the mean of untrained networks. Where some seeds of a strength are below
{{limit}} test accuracy and others are not, a mean would describe no network: there is none, and dots are the seeds.
Accuracies stand on a logarithmic scale of the error, so that those near 1 are told apart. {FLOOR} Sparsity is the share
of weights between -0.001 and 0.001. Higher accuracy is better; networks below the dotted line, {{limit}} test accuracy,
are left out of the figures of modularity and agreement."""
    return Figure("metric_panels", ("models",), caption, {"experiment": experiment})


def experiments(name: str, column: str, same_scale: bool) -> Figure:
    """Figs. 4 and S8."""
    what, better = COLUMNS[column]
    scale = "all on one scale" if same_scale else "each experiment on a scale of its own"
    caption = f"""\
{what} against the strength of regularization in wide networks (Experiment 2, gray, top), deep ones (Experiment 3,
white, below) and those of further experiments, if there are any; Figure {name} of the paper. One panel for each measure
of similarity, {scale}. {POOLED}; {HOLLOW}. {FLOOR} {BANDS}. {better} {LEFT_OUT}"""
    return Figure("sweep_blocks", ("modularity", "models"), caption, {"column": column, "same_scale": same_scale})


def layers(name: str, column: str) -> Figure:
    """Figs. S6 and S7."""
    what, better = COLUMNS[column]
    caption = f"""\
{what} against the strength of regularization in each hidden layer of the base networks (Experiment 1; Figure {name} of
the paper): the first layer on white, the second on gray, all panels on one scale. One panel for each measure of
similarity. Points are means and standard errors over seeds; {HOLLOW}. {FLOOR} {BANDS} in that layer. {better}
{LEFT_OUT}"""
    return Figure("sweep_blocks", ("modularity", "models"), caption, {"column": column, "layers": True})


def depth(name: str, column: str) -> Figure:
    """Figs. S9 and S10."""
    what, better = COLUMNS[column]
    caption = f"""\
{what} against depth in networks of five hidden layers (Experiment 3; Figure {name} of the paper), each regularizer at
its largest good strength: the largest at which at least half of the seeds reach {{limit}} test accuracy, named at the
foot of the figure, which also counts the networks that are shown. Points are means and standard errors over seeds; in
each layer, gray bands are the mean of untrained networks and 1, 2 and 3 standard deviations. {better}"""
    return Figure("depth_panels", ("modularity", "models"), caption, {"column": column})


FIGURES = {
    "figclaims": Figure(
        "figclaims",
        ("claims",),
        """\
The main claims of the paper, in its words, and what we find: a number of each with its 95 % interval, on a scale of its
own, against the limit that the claim sets (line); on the white side the claim holds. On the right the verdict on the
whole claim, and the same looked at again: with all networks trained alike, on live units, above chance, and on other
data. The scorecard has all claims, and says what each sign rests on.""",
    ),
    "fig1": Figure(
        "fig1",
        ("examples",),
        """\
What a module is, and how modules are found (Figure 1 of the paper; all but C drawn on a real network of Experiment 1:
seed 0, first hidden layer, the strongest dropout among the examples of Figure 3). A: the units of the layer, colored
by cluster. B: their similarity matrix, sorted by cluster; similarity is high in the blocks on the diagonal. C: two
families of measures: units are alike if the same inputs drive them (upstream), or if they drive the same outputs
(downstream). D: the similarity of all pairs of units by normalized covariance, then the clusters P that maximize the
modularity Q, one row a unit and one column a cluster; sorted by these, the matrix becomes that of B. Higher Q means
that similarity is more concentrated in the blocks.""",
        hidden=True,
    ),
    "fig2": Figure(
        "fig2",
        (),
        """\
The eight measures of similarity and their colors in all figures (Figure 2 of the paper). Three choices make eight
measures: upstream or downstream, unnormalized or normalized, covariance or gradient. Lines join measures that differ in
one choice only.""",
    ),
    "fig3": Figure(
        "fig3",
        ("modularity", "models", "examples"),
        f"""\
Modularity of hidden layers against the strength of regularization (Experiment 1; Figure 3 of the paper). Top:
similarity matrices of the first hidden layer of single networks under rising dropout, sorted by cluster; red lines part
the clusters, and red links lead to the points of the same strength in the panel of the same measure, normalized
covariance. Below: one panel for each of the eight measures of similarity. {POOLED}. The curves of dropout start at 0 %,
with the networks that have only the floor of L2, which all dropout networks have too. {BANDS}; {HOLLOW}. Higher means
more modular. {LEFT_OUT}""",
        hidden=True,
    ),
    "fignull": Figure(
        "fignull",
        ("modularity", "models"),
        f"""\
Is modularity more than chance? How far modularity is above that of the same layers in randomly turned axes, against the
strength of regularization (Experiment 1, laid out as Figure 3). Turned axes have the same spectrum, and no units: what
is found there is not about units. At 0 (black line) a layer is as modular as its spectrum alone makes it. {POOLED}.
{BANDS}; {HOLLOW}. {LEFT_OUT}""",
    ),
    "fig4": experiments("4", "q", same_scale=True),
    "fig5": Figure(
        "fig5",
        ("agreement", "models"),
        """\
Agreement between the clusters that the eight measures find in the same layer of the same network (Figure 5 of the
paper), as element similarity: 1 if two measures find the same clusters. If the clusters of one say nothing of the
other's, it is not 0 but that of untrained networks across the families, about a quarter. Top: averages over all trained
networks of each experiment. Bottom: the same minus the average over untrained networks of that architecture; green and
lighter where training raised the agreement, red and darker where it lowered it. Each cell carries its number.""",
    ),
    "figS1": Figure(
        "figS1",
        (),
        """\
The architectures of all experiments (Figure S1 of the paper), drawn from the configuration, each once: inputs on the
left, hidden layers filled, outputs on the right, the number of units below each layer. A hidden layer shows one circle
for each fourfold of its units.""",
        hidden=True,
    ),
    "figS2": metrics(1, "base"),
    "figS3": metrics(2, "wide"),
    "figS4": metrics(3, "deep"),
    "figS5": Figure(
        "figS5",
        ("modularity", "models"),
        f"""\
What the two steps of the clustering add (Figure S5 of the paper): how many similarity matrices, each of one layer of
one network by one measure, lie in each small hexagon. a: modularity after the Monte Carlo search against that of the
spectral start, all matrices of the experiments that the foot names. b: modularity of the full procedure against 1,000
Monte Carlo steps from a single cluster, on a random 5 % of them. c and d enlarge the range in which most matrices are.
Above the line the full procedure is better; in how many matrices it is, and in how many it is worse, stands above the
panels. {LEFT_OUT}""",
    ),
    "figS6": layers("S6", "q"),
    "figS7": layers("S7", "num_clusters"),
    "figS8": experiments("S8", "num_clusters", same_scale=False),
    "figS9": depth("S9", "q"),
    "figS10": depth("S10", "num_clusters"),
    "figS11": Figure(
        "figS11",
        ("agreement", "models"),
        """\
Agreement between the clusters of the eight measures at rising strengths of each regularizer (Experiment 1; Figure S11
of the paper). Rows come in pairs, for L2, L1 and dropout: element similarity averaged over layers and seeds, and the
same minus the average over untrained networks. Columns are four good strengths, those at which at least half of the
seeds reach {limit} test accuracy, evenly spaced by index from the weakest to the strongest. 1 (yellow): the same
clusters; green and lighter: training raised the agreement; red and darker: it lowered it. Above each panel stand the
means of its blocks: pairs of two different upstream measures, of two different downstream measures, and across the
families. The foot of the figure counts the networks that it shows.""",
    ),
    "figS12": Figure(
        "figS12",
        ("agreement", "modularity", "models"),
        f"""\
Do the clusters of one measure suit the similarities of another? (Figure S12 of the paper.) Transferability, equation 9:
the mean modularity of each measure's matrix under the other's clusters. On the diagonal stands the mean modularity of
the measure under its own clusters. Top: averages over all trained networks of each experiment. Bottom: the same minus
the average over untrained networks of that architecture. Higher, or green and lighter, means that clusters transfer
better. Each cell carries its number. {LEFT_OUT}""",
    ),
    "figscores": Figure(
        "figscores",
        ("agreement", "models"),
        f"""\
Do other scores of agreement order the pairs of measures as element similarity does? A point is a pair of the eight
measures: the mean of a score over layers and trained networks of an experiment, against its mean element similarity.
Scores between clusterings: reduced mutual information (in bits per unit, so that it can exceed 1), variation of
information (turned into a similarity by the entropies of the two) and adjusted Rand index. Normalized mutual
information is also in the table, but not here: it is the same as this variation of information but for the mean by
which it is divided, and the two correlate almost perfectly. Between the matrices themselves: their Spearman
correlation. All are higher for more alike clusters. A rank correlation near 1 means that the score tells the same story
as Figure 5. {LEFT_OUT}""",
    ),
    "figrestarts": Figure(
        "figrestarts",
        ("modularity", "models"),
        f"""\
How good are the clusters that the paper's single search finds? a: the best modularity over all seeded restarts against
the paper's run, matrix by matrix; colors count the matrices in each small hexagon. b: the same against the best of 20
runs of the Leiden algorithm, on a random 5 % of the matrices. c: how many of a matrix's restarts end in its best
clustering; further right means an easier search. d: the paper's run, which starts from the spectral partition, against
as many Monte Carlo steps from a single cluster, on the same 5 %. In a, b and d, matrices above 0 are those on which the
search named first is better; matrices with Q up to 0.001 have no structure to find, and are left out. {LEFT_OUT}""",
    ),
    "figrepeats": Figure(
        "figrepeats",
        ("repeats", "agreement", "models"),
        f"""\
Is agreement between measures low because the search is? For each of the eight measures, the mean element similarity of
its clusters with those of another search of the same matrix (bar), with those of its normalized or unnormalized form
(circle), of the other measure of its family (triangle, both forms) and of the other family (cross, all four). Single
searches are those of the paper, and the bar is how far two of them agree whose random streams are independent: what one
search leaves to chance. Best partitions are the best that are known of each matrix, and the bar is how far those of two
disjoint halves of its restarts agree: what even many searches leave to chance. Neither bar is a bound: searches of two
matrices may agree more than two searches of one, as when one matrix is harder to search than the other. The foot of the
figure counts the rows in which agreement between measures lies right of the bar. What lies far left of it is
disagreement of the measures and not noise of the search. 1: the same clusters. {LEFT_OUT}""",
    ),
    "figlesions": Figure(
        "figlesions",
        ("lesions", "models"),
        f"""\
Do clusters matter to the network? What base networks lose when all units of a cluster are held at their means over the
images, against the strength of regularization; clusters by the normalized form of each measure. From the top: the rise
of the loss with a cluster, as a multiple of that with random sets of as many live units, and of that with sets whose
units, one by one, cost as much in sum; the losses of the cluster's units one by one, added up, as a multiple of the
cluster's own loss, which is small where units are replicas of each other; over how many classes the rise spreads, as a
multiple of that with random sets, which is below 1 where a cluster is about few classes. {LEFT_OUT}""",
    ),
    "figprotocol": Figure(
        "figprotocol",
        ("models", "modularity", "agreement"),
        f"""\
What the training protocol decides, and what it does not: the networks of Experiment 1 trained at length at a constant
learning rate (base, circles) and with early stopping (early, triangles). A column for each regularizer; from the top,
the sparsity of the weights, modularity by each of the eight measures, and the agreement of two different upstream
measures, of two different downstream measures, and across the families, as element similarity. Points are means and
standard errors over seeds, the layers of a network averaged first; {HOLLOW}. Where the lines part, the space between
them is shaded: there the protocol decides; where they coincide, it does not. On the right stands the largest difference
of a row. Gray bands are the mean of untrained networks, which both share, and 1, 2 and 3 standard deviations.
{LEFT_OUT}""",
    ),
    "figsensitivity": Figure(
        "figsensitivity",
        ("sensitivity",),
        """\
What one choice at a time does to the headline numbers: how far dropout's largest rise of modularity exceeds the larger
of those of L2 and L1 (Q*, mean of all measures and layers), and the mean element similarity of two different measures
of the upstream family, of the downstream family, and across the families. Above, the networks of the published run,
with choices that can be made anew from its tables. Below, twelve networks trained with early stopping (L2 1e-5 and
0.01, L1 0.001, dropout 0.5; three seeds), trained or clustered anew for each choice. Points are means and standard
errors over seeds; the line and the gray band are the paper's choices in the same networks. Hollow points are another
score than the others on their axis: element similarity corrected for chance.""",
    ),
    "figlayers": Figure(
        "figlayers",
        ("modularity", "layers"),
        """\
Modularity Q* of the clusters in each layer of networks that were trained elsewhere, by measure. Lines: mean over
networks; dots: each network. Dotted: mean over networks as the factory makes them, if there are any.""",
    ),
    "figpairs": Figure(
        "figpairs",
        ("agreement", "layers"),
        """\
How far the clusters of each two measures agree in networks that were trained elsewhere: element similarity, the mean
over networks and layers. Left: as trained. Right: as the factory makes them, if there are such networks. 1: both
measures find the same clusters. Gray: no score, since a measure was left out.""",
    ),
}
