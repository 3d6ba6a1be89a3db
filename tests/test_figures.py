"""The figures: what they draw is what the tables say, and what the tables lack is said."""

import re
from importlib import import_module
from inspect import signature
from itertools import combinations
from pathlib import Path

import docutils.core
import numpy as np
import pandas as pd
import pytest
import yaml
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import rgb_to_hsv, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.text import Text
from scipy.stats import spearmanr

from unit_clusters.figures import examples as examples_of
from unit_clusters.figures import (
    fig1,
    fig2,
    fig3,
    fig5,
    figrestarts,
    figS1,
    figS5,
    figS11,
    figscores,
    metric_panels,
    style,
    tableS1,
)
from unit_clusters.figures.sweep_panels import percent_regularization
from unit_clusters.measures import FORMS, MEASURES, Form, normalize
from unit_clusters.streams import stream

# Table S1.
BASE = {"l2": np.logspace(-5, -1, 9), "l1": np.logspace(-5, -2, 7), "dropout": np.linspace(0.05, 0.7, 14)}
FOLLOW_UP = {"l2": np.logspace(-5, -1, 5), "l1": np.logspace(-5, -2, 4), "dropout": np.linspace(0.1, 0.6, 6)}
SWEEPS = {"base": BASE, "wide": FOLLOW_UP, "deep": FOLLOW_UP}
SEEDS = {"base": 9, "wide": 3, "deep": 3}
LAYERS = {"base": 2, "wide": 2, "deep": 5}
STRONGEST = {"l2": 1e-1, "l1": 1e-2, "dropout": 1.0, "none": 1.0}
SIZES = [784, 64, 64, 10]
HIDDEN = {"base": [64, 64], "wide": [256, 256], "deep": 5 * [64]}

ROOT = Path(__file__).parent.parent
FIGURES = sorted(path.stem for path in (ROOT / "src/unit_clusters/figures").glob("fig*.py"))
METRICS = ("train_accuracy", "l2_norm", "l1_norm", "sparsity")


def make_models(untrained=100):
    """models.csv of all three experiments; the strongest L1 and L2 collapse to one class."""
    rows = []
    for experiment, sweep in SWEEPS.items():
        for regularizer, strengths in sweep.items():
            for strength in strengths:
                accuracy = 0.1135 if strength == STRONGEST[regularizer] else 0.975
                rows += [(experiment, regularizer, strength, s, True, accuracy) for s in range(SEEDS[experiment])]
        rows += [(experiment, "none", 0.0, 1000 + seed, False, 0.1) for seed in range(untrained)]
    models = pd.DataFrame(rows, columns=[*style.RUN, "trained", "test_accuracy"])
    random = stream("figures", "models")
    return models.assign(**{metric: random.uniform(0.1, 0.9, len(models)) for metric in METRICS})


def make_modularity(models):
    """modularity.csv in which Q* rises with the dose, most with dropout and upstream."""
    random = stream("figures", "modularity")
    strongest = models["regularizer"].map(STRONGEST)
    logarithmic = np.log(models["strength"].clip(1e-5) / 1e-5) / np.log(strongest / 1e-5)
    dropout = models["regularizer"] == "dropout"
    dose = np.where(dropout, models["strength"], logarithmic)
    tables = []
    for layer in range(1, 6):
        here = layer <= models["experiment"].map(LAYERS)
        for place, form in enumerate(FORMS):
            rise = np.where(dropout, 0.35 if form.upstream else 0.12, 0.06) * (1.2 - 0.2 * layer)
            q = 0.1 + 0.015 * place + rise * dose + 0.015 * random.standard_normal(len(models))
            row = {"layer": layer, "measure": form.measure, "normalized": form.normalized, "q": q}
            tables.append(models[style.RUN].assign(**row)[here])
    table = pd.concat(tables, ignore_index=True)
    some = random.random(len(table)) < 0.05
    loss = 0.01 * random.random((3, len(table)))
    return table.assign(
        num_clusters=4 + 0.5 * random.standard_normal(len(table)),
        q_spectral=table["q"] - loss[0],
        q_best=table["q"] + loss[1],
        best_restarts=random.integers(0, 11, len(table)),
        q_leiden=(table["q"] + loss[1]).where(some),
        q_from_one_cluster=(table["q"] - loss[2]).where(some),
        q_from_one_cluster_full=(table["q"] + loss[2] - 0.005).where(some),
    )


def make_agreement(models):
    """agreement.csv: high within a family, most with one's own normalised form, upstream only after training."""
    random = stream("figures", "agreement")
    tables = []
    for layer in range(1, 6):
        here = layer <= models["experiment"].map(LAYERS)
        for a, b in combinations(FORMS, 2):
            alike = 0.3 * (a.upstream == b.upstream) + 0.2 * (a.measure == b.measure)
            learnt = np.where(models["trained"] | (not a.upstream), 1.0, 0.3)
            score = 0.25 + alike * learnt + 0.08 * random.standard_normal(len(models))
            row = {"layer": layer, "measure_a": a.measure, "normalized_a": a.normalized}
            row |= {"measure_b": b.measure, "normalized_b": b.normalized}
            row |= {"element_similarity": score, "element_similarity_alive": score - 0.1, "transferability": score / 4}
            noisy = score + 0.3 * random.standard_normal((5, len(models)))
            row |= dict(zip(figscores.SCORES, noisy, strict=True))
            tables.append(models[style.RUN].assign(**row)[here])
    return pd.concat(tables, ignore_index=True)


def make_ceiling(modularity):
    """ceiling.csv in which two searches agree by 0.8, give or take."""
    scores = 0.8 + 0.1 * stream("figures", "ceiling").standard_normal(len(modularity))
    columns = [*style.RUN, "layer", "measure", "normalized"]
    return modularity[columns].assign(element_similarity=scores, element_similarity_alive=scores)


def make_example(strength, dead=0):
    """Units driven by four factors, the more the stronger the dropout, and `dead` silent ones."""
    random = stream("figures", "example", str(strength))
    labels = random.choice(4, 64, p=[0.35, 0.25, 0.25, 0.15])
    drive = random.standard_normal((4, 2000))[labels] * 2 * strength + random.standard_normal((64, 2000))
    drive += random.standard_normal((64, 8)) @ random.standard_normal((8, 2000)) / 4
    drive[:dead], labels[:dead] = 0, -1
    return fig3.Example(strength, normalize(np.abs(np.cov(np.maximum(drive, 0)))), labels, 0.1 + 0.4 * strength)


@pytest.fixture(scope="module")
def models():
    return make_models()


@pytest.fixture(scope="module")
def modularity(models):
    return make_modularity(models)


@pytest.fixture(scope="module")
def agreement(models):
    return make_agreement(models)


@pytest.fixture(scope="module")
def examples():
    return [make_example(0.1), make_example(0.3), make_example(0.5, dead=3), make_example(0.7, dead=9)]


@pytest.fixture(scope="module")
def given(models, modularity, agreement, examples):
    """All that a figure may ask for."""
    tables = {"models": models, "modularity": modularity, "agreement": agreement, "ceiling": make_ceiling(modularity)}
    return {**tables, "examples": examples, "network": SIZES, "hidden": HIDDEN}


def draw(name, given):
    module = import_module(f"unit_clusters.figures.{name}")
    asked = signature(module.draw).parameters
    return module.draw(**{key: value for key, value in given.items() if key in asked})


def texts(figure: Figure) -> list[Text]:
    return [text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible()]


def words(figure: Figure) -> str:
    return " ".join(" ".join(text.get_text().split()) for text in texts(figure))


def sweeps_drawn(figure: Figure, first: int = 0) -> dict:
    """(form, regularizer) -> points by (x, mean, standard error), read back from the eight panels from `first`."""
    drawn = {}
    for form, axes in zip(FORMS, figure.axes[first:], strict=False):
        for container in axes.containers:
            line, _, (bars,) = container
            errors = [np.ptp(bar[:, 1]) / 2 if len(bar) else np.nan for bar in bars.get_segments()]
            drawn[form, container.get_label()] = np.column_stack([*line.get_data(orig=False), errors])
    return drawn


def scores(table, form, regularizer, strength, column="q"):
    """What a form scores at a strength, by plain loops."""
    rows = zip(table.measure, table.normalized, table.regularizer, table.strength, table[column], strict=True)
    return np.array([q for *key, q in rows if key == [*form, regularizer, strength] and not np.isnan(q)])


# Shared parts.


def test_percent_regularization_is_the_captions():
    np.testing.assert_allclose(percent_regularization("l2", BASE["l2"]), np.linspace(0, 100, 9), atol=1e-9)
    np.testing.assert_allclose(percent_regularization("l1", BASE["l1"]), np.linspace(0, 100, 7), atol=1e-9)
    np.testing.assert_allclose(percent_regularization("dropout", np.array([0.05, 0.7])), [5, 70])


def test_strength_zero_has_no_place_on_the_log_scale():
    with pytest.raises(ValueError, match=r"l2: strength 0\.0"):
        percent_regularization("l2", np.array([0.0, 1e-3]))


def test_one_hue_a_measure_darker_when_normalised():
    assert set(style.COLORS) == set(FORMS)
    hues = []
    for measure in MEASURES:
        (hue, _, light), (other, _, dark) = (
            rgb_to_hsv(to_rgb(style.COLORS[Form(measure, normalized)])) for normalized in (False, True)
        )
        assert abs(hue - other) < 0.03
        assert dark < light - 0.15
        hues.append(hue)
    assert np.diff(np.sort(hues)).min() > 0.05


def test_keep_good_discards_trained_networks_below_80_percent():
    runs = [("l2", 0.1, 0, True, 0.7999), ("l2", 0.1, 1, True, 0.8), ("l1", 0.1, 0, True, np.nan)]
    models = pd.DataFrame(
        [("base", *run) for run in (*runs, ("none", 0.0, 0, False, 0.1))],
        columns=[*style.RUN, "trained", "test_accuracy"],
    )
    table = pd.concat([models[style.RUN].assign(layer=layer) for layer in (1, 2)])
    kept = style.keep_good(table, models)
    expected = [("l2", 1), ("none", 0)] * 2
    assert list(zip(kept["regularizer"], kept["seed"], strict=True)) == expected


def test_a_network_without_a_model_is_an_error(models, modularity):
    with pytest.raises(ValueError, match=r"models.csv lacks the network .*'deep'"):
        style.keep_good(modularity, models[models["experiment"] != "deep"])


# Figure 3.


def test_fig3_draws_mean_and_standard_error_over_seeds_and_layers(models, modularity, examples):
    drawn = sweeps_drawn(fig3.draw(modularity, models, examples, SIZES))
    base = modularity[modularity["experiment"] == "base"]
    assert set(drawn) == {(form, regularizer) for form in FORMS for regularizer in BASE}
    for (form, regularizer), points in drawn.items():
        strengths = [s for s in BASE[regularizer] if s != STRONGEST[regularizer]]  # these were discarded
        of_regularizer = base[base["regularizer"] == regularizer]
        for strength, (percent, mean, error) in zip(strengths, points, strict=True):
            q = scores(of_regularizer, form, regularizer, strength)
            assert len(q) == 9 * 2
            assert percent == pytest.approx(percent_regularization(regularizer, strength))
            assert mean == pytest.approx(sum(q) / 18)
            assert error == pytest.approx(np.sqrt(sum((q - sum(q) / 18) ** 2) / 17 / 18))


def test_fig3_ignores_missing_scores(models, modularity):
    form = FORMS[2]
    chosen = (modularity["experiment"] == "base") & (modularity["regularizer"] == "dropout")
    chosen &= (modularity["measure"] == form.measure) & (modularity["normalized"] == form.normalized)
    holes = modularity.copy()
    holes.loc[chosen & (modularity["seed"] != 4), "q"] = np.nan
    holes.loc[chosen & (modularity["layer"] == 2), "q"] = np.nan
    points = sweeps_drawn(fig3.draw(holes, models, [], SIZES))[form, "dropout"]
    single = modularity[chosen & (modularity["seed"] == 4) & (modularity["layer"] == 1)].sort_values("strength")
    np.testing.assert_allclose(points[:, 1], single["q"])
    assert np.isnan(points[:, 2]).all()  # one score has no standard error


def test_fig3_shades_untrained_mean_within_1_2_and_3_sigma(models, modularity):
    figure = fig3.draw(modularity, models, [], SIZES)
    base = modularity[(modularity["experiment"] == "base") & (modularity["regularizer"] == "none")]
    for form, axes in zip(FORMS, figure.axes, strict=False):
        q = scores(base, form, "none", 0.0)
        assert len(q) == 200
        sigma = np.sqrt(((q - q.mean()) ** 2).sum() / 199)
        bands = sorted((patch.get_y(), patch.get_y() + patch.get_height()) for patch in axes.patches)
        expected = [(q.mean() - reach * sigma, q.mean() + reach * sigma) for reach in (3, 2, 1)]
        np.testing.assert_allclose(bands, expected)


def test_fig3_neither_shows_nor_hides_discarded_networks(models, modularity):
    wild = modularity.merge(models, on=style.RUN)
    wild["q"] = wild["q"].where((wild["test_accuracy"] >= 0.8) | ~wild["trained"], 99.0)
    plain, figure = (fig3.draw(table, models, [], SIZES) for table in (modularity, wild))
    for key, points in sweeps_drawn(plain).items():
        np.testing.assert_array_equal(points, sweeps_drawn(figure)[key])
    # Of 9 seeds at 9 + 7 + 14 strengths, two strengths collapse.
    text = "Base: 252 trained networks; 18 discarded (test accuracy < 80%); 100 untrained; none left at L2 0.1"
    assert text in words(figure)


def test_cluster_order_puts_large_clusters_first_and_unused_units_last():
    labels = np.array([7, -1, 2, 2, 5, 7, 2, -1, 5])
    order, boundaries = examples_of.cluster_order(labels)
    assert order.tolist() == [2, 3, 6, 4, 8, 0, 5, 1, 7]
    assert boundaries.tolist() == [3, 5, 7]
    assert examples_of.cluster_order(np.zeros(4, dtype=int))[1].tolist() == []


def test_fig3_sorts_examples_and_draws_lines_between_clusters(models, modularity, examples):
    figure = fig3.draw(modularity, models, examples, SIZES)
    panels = [axes for axes in figure.axes if axes.images]
    assert len(panels) == 4
    for axes, example in zip(panels, examples, strict=True):
        order, boundaries = examples_of.cluster_order(example.labels)
        expected = [[0 if i == j else example.similarity[i, j] for j in order] for i in order]
        np.testing.assert_array_equal(axes.images[0].get_array(), expected)
        across = [line.get_ydata()[0] for line in axes.lines if np.ptp(line.get_ydata()) == 0]
        down = [line.get_xdata()[0] for line in axes.lines if np.ptp(line.get_xdata()) == 0]
        assert across == down == [boundary - 0.5 for boundary in boundaries]
        assert f"{example.q:.3f}" in axes.get_title()


def test_fig3_joins_examples_to_their_dropout_points(models, modularity, examples):
    figure = fig3.draw(modularity, models, examples, SIZES)
    form = Form("cov", True)
    panel = figure.axes[FORMS.index(form)]
    points = sweeps_drawn(figure)[form, "dropout"]
    curves = [patch for patch in figure.get_children() if isinstance(patch, PathPatch)]
    for curve, example in zip(curves, examples, strict=True):
        end = (figure.transFigure - panel.transData).transform(curve.get_path().vertices[-1])
        (mean,) = points[np.isclose(points[:, 0], 100 * example.strength), 1]
        assert end[0] == pytest.approx(100 * example.strength)
        assert mean < end[1] < mean + 0.03  # on the ring around the point


def test_fig3_leaves_an_example_alone_whose_strength_was_discarded(models, modularity):
    low = models.assign(test_accuracy=models["test_accuracy"].where(~np.isclose(models["strength"], 0.7), 0.1))
    figure = fig3.draw(modularity, low, [make_example(0.5), make_example(0.7)], SIZES)
    assert sum(isinstance(child, PathPatch) for child in figure.get_children()) == 1


def test_fig3_says_what_is_missing(models, modularity):
    some = modularity[modularity["regularizer"] == "dropout"]
    figure = fig3.draw(some, models, [], SIZES)
    assert set(sweeps_drawn(figure)) == {(form, "dropout") for form in FORMS}
    text = words(figure)
    assert "0 untrained; no L2 networks in the tables; no L1 networks in the tables" in text
    assert "no example networks" in text
    assert "Tiny: no networks in the tables" in words(fig3.draw(some, models, [], SIZES, experiment="tiny"))


def test_fig3_says_when_no_network_passes(models, modularity):
    figure = fig3.draw(modularity, models.assign(test_accuracy=0.1), [make_example(0.5)], SIZES)
    assert sweeps_drawn(figure) == {}
    assert "no trained networks" in words(figure)
    assert "Base: 0 trained networks; 270 discarded" in words(figure)


def test_fig3_shows_strengths_beyond_the_papers_range(models, modularity):
    strong = pd.Series({0.1: 10.0})
    stronger, stronger_models = (
        table.assign(strength=table["strength"].replace(strong), **kept)
        for table, kept in ((modularity, {}), (models, {"test_accuracy": 0.9}))
    )
    figure = fig3.draw(stronger[stronger["regularizer"] == "l2"], stronger_models, [], SIZES)
    assert sweeps_drawn(figure)[FORMS[0], "l2"][-1, 0] == pytest.approx(150)
    assert figure.axes[0].get_xlim()[1] > 150


def test_fig3_has_room_for_four_examples(models, modularity):
    with pytest.raises(ValueError, match="5 were given"):
        fig3.draw(modularity, models, [make_example(0.1)] * 5, SIZES)


def test_fig3_names_the_layers_of_the_network(models, modularity):
    figure = fig3.draw(modularity, models, [], [784, 32, 16, 16, 16, 10])
    (diagram,) = [axes for axes in figure.axes if axes.get_title() == "base network"]
    assert [text.get_text() for text in diagram.texts] == ["784", "32", "3 × 16", "10"]


# Figure 5.


def mean_by_loops(table, score, trained):
    """8 x 8 means of good networks, by plain loops over the rows."""
    values = {}
    table = table[(table["trained"] & (table["test_accuracy"] >= 0.8)) if trained else ~table["trained"]]
    columns = ["measure_a", "normalized_a", "measure_b", "normalized_b", score]
    for measure_a, normalized_a, measure_b, normalized_b, value in table[columns].itertuples(index=False):
        values.setdefault(((measure_a, normalized_a), (measure_b, normalized_b)), []).append(value)
    matrix = np.eye(8)
    for (a, b), given in values.items():
        pair = FORMS.index(a), FORMS.index(b)
        matrix[pair] = matrix[pair[::-1]] = sum(given) / len(given)
    return matrix


def images(figure):
    """The six panels' images, None where there is only a note."""
    return [axes.images[0] if axes.images else None for axes in figure.axes if axes.get_title(loc="left")]


@pytest.mark.parametrize("score", ["element_similarity", "element_similarity_alive"])
def test_fig5_draws_means_and_differences_to_untrained(models, agreement, score):
    drawn = images(fig5.draw(agreement, models, score))
    joined = agreement.merge(models, on=style.RUN)
    for column, experiment in enumerate(("base", "wide", "deep")):
        table = joined[joined["experiment"] == experiment]
        trained, untrained = (mean_by_loops(table, score, kind) for kind in (True, False))
        np.testing.assert_allclose(drawn[column].get_array(), trained)
        np.testing.assert_allclose(drawn[column + 3].get_array(), trained - untrained, atol=1e-12)


def test_fig5_scales_are_shared_but_for_panel_f(models, agreement):
    deep_learnt = agreement["experiment"].eq("deep") & agreement["regularizer"].ne("none")
    tame = agreement.assign(element_similarity=agreement["element_similarity"] - 0.7 * deep_learnt)
    a, b, c, d, e, f = images(fig5.draw(tame, models))
    assert a.get_clim() == b.get_clim() == c.get_clim() == (0, 1)
    assert d.get_clim() == e.get_clim() != f.get_clim()
    for panel in (d, e, f):
        low, high = panel.get_clim()
        assert low == -high
        assert high >= np.abs(panel.get_array()).max()
    red, black, green = d.get_cmap()([0.0, 0.5, 1.0])[:, :3]
    assert red.argmax() == 0
    assert black.max() < 0.02
    assert green.argmax() == 1


def test_fig5_ignores_missing_scores(models, agreement):
    first = (agreement["measure_b"] == "cov") & agreement["normalized_b"]
    other = (agreement["measure_a"] == "o_sens") & (agreement["measure_b"] == "hess")
    base = agreement["experiment"] == "base"
    holes = agreement.copy()
    holes.loc[base & first & (agreement["layer"] == 1), "element_similarity"] = np.nan
    holes.loc[base & other & ~agreement["normalized_a"] & agreement["normalized_b"], "element_similarity"] = np.nan
    drawn = images(fig5.draw(holes, models))[0].get_array()
    left = agreement[base & first & (agreement["layer"] == 2)].merge(models, on=style.RUN)
    expected = mean_by_loops(left, "element_similarity", True)
    assert drawn[0, 1] == drawn[1, 0] == pytest.approx(expected[0, 1])
    assert np.ma.getmaskarray(drawn).sum() == 2  # the pair without any score, twice


def test_fig5_notes_missing_experiments_and_untrained_networks(models, agreement):
    some = agreement[
        (agreement["experiment"] == "base") | (agreement["experiment"] == "wide") & (agreement["regularizer"] != "none")
    ]
    figure = fig5.draw(some, models)
    assert [image is not None for image in images(figure)] == [True, True, False, True, False, False]
    text = words(figure)
    assert "no trained deep networks" in text
    assert "no trained and untrained wide networks to compare" in text
    assert "Wide: 39 trained networks; 6 discarded (test accuracy < 80%); 0 untrained" in text
    assert "Deep: no networks in the tables" in text


def test_fig5_says_when_no_network_passes(models, agreement):
    figure = fig5.draw(agreement, models.assign(test_accuracy=0.1))
    assert images(figure) == [None] * 6
    assert "Base: 0 trained networks; 270 discarded" in words(figure)


def test_fig5_refuses_other_scores(models, agreement):
    with pytest.raises(ValueError, match="'transferability'; give one of element_similarity"):
        fig5.draw(agreement, models, "transferability")


# Figure 1.


def test_fig1_shows_the_clusters_of_each_unit():
    labels = np.array([2, 0, -1, 0, 5])
    image = fig1.membership(labels)
    columns = [np.flatnonzero((row < 1).any(axis=1)).tolist() for row in image]
    assert columns == [[1], [0], [3], [0], [2]]
    np.testing.assert_array_equal(image[1, 0], image[3, 0])
    assert image[2, 3].tolist() == list(fig1.UNUSED)


def test_fig1_sorts_the_layer_by_cluster(examples):
    figure = fig1.draw(examples[3:], SIZES)
    (by_cluster,) = [axes for axes in figure.axes if axes.get_title() == "sorted by cluster"]
    order, boundaries = examples_of.cluster_order(examples[3].labels)
    expected = examples[3].similarity[np.ix_(order, order)] * (1 - np.eye(64))
    np.testing.assert_array_equal(by_cluster.images[0].get_array(), expected)
    left, below = (axes.images[0].get_array() for axes in figure.axes if axes.images and not axes.get_title())
    np.testing.assert_array_equal(left[:, 0], below[0])
    assert (np.flatnonzero((left[1:, 0] != left[:-1, 0]).any(axis=1)) + 1).tolist() == boundaries.tolist()
    assert f"{examples[3].q:.3f}" in words(figure)
    assert "no example networks" in words(fig1.draw([], SIZES))


# Figure 2.


def test_fig2_joins_measures_that_differ_in_one_way():
    lines = fig2.draw().axes[0].lines
    corners = {tuple(line.get_xydata()[0]): line.get_color() for line in lines if len(line.get_xydata()) == 1}
    forms = {color: form for form, color in style.COLORS.items()}
    edges = [line.get_xydata() for line in lines if len(line.get_xydata()) == 2]
    joined = {frozenset(forms[corners[tuple(end)]] for end in edge) for edge in edges}
    gradient = {"cov": False, "hess": False, "i_sens": True, "o_sens": True}
    for a, b in combinations(FORMS, 2):
        ways = [a.upstream != b.upstream, a.normalized != b.normalized, gradient[a.measure] != gradient[b.measure]]
        assert (frozenset((a, b)) in joined) == (sum(ways) == 1)


# Figures 4 and S6 to S8: two blocks of Fig. 3's panels.


@pytest.mark.parametrize(
    ("name", "column", "blocks", "grey"),
    [
        ("fig4", "q", [("wide", None), ("deep", None)], 0),
        ("figS6", "q", [("base", 1), ("base", 2)], 1),
        ("figS7", "num_clusters", [("base", 1), ("base", 2)], 1),
        ("figS8", "num_clusters", [("wide", None), ("deep", None)], 0),
    ],
)
def test_blocks_draw_mean_and_standard_error_over_the_untrained_bands(given, name, column, blocks, grey):
    figure = draw(name, given)
    table = given["modularity"]
    for place, (experiment, layer) in enumerate(blocks):
        rows = table[(table["experiment"] == experiment) & ((table["layer"] == layer) | (layer is None))]
        form, strength = FORMS[3], SWEEPS[experiment]["dropout"][2]
        values = scores(rows, form, "dropout", strength, column)
        assert len(values) == SEEDS[experiment] * (1 if layer else LAYERS[experiment])
        error = values.std(ddof=1) / np.sqrt(len(values))
        drawn = sweeps_drawn(figure, 8 * place)[form, "dropout"][2]
        np.testing.assert_allclose(drawn, [100 * strength, values.mean(), error])
        untrained = scores(rows, form, "none", 0.0, column)
        bands = [patch.get_y() for patch in figure.axes[8 * place + 3].patches]
        assert min(bands) == pytest.approx(untrained.mean() - 3 * untrained.std(ddof=1))
    (card,) = [artist for artist in figure.get_children() if isinstance(artist, Rectangle) and artist.get_zorder() < 0]
    panels = [axes.get_position().y0 for axes in (figure.axes[0], figure.axes[8])]
    assert [card.get_y() < y < card.get_y() + card.get_height() for y in panels] == [grey == 0, grey == 1]


# Figures S2 to S4.


@pytest.mark.parametrize(("name", "experiment"), [("figS2", "base"), ("figS3", "wide"), ("figS4", "deep")])
def test_metrics_show_every_seed_and_their_mean(given, name, experiment):
    figure = draw(name, given)
    models = given["models"]
    table = models[models["experiment"] == experiment]
    panels = iter(figure.axes)
    for regularizer, strengths in SWEEPS[experiment].items():
        for metric in metric_panels.METRICS:
            axes = next(panels)
            values = table[table["regularizer"] == regularizer].pivot(index="strength", columns="seed", values=metric)
            assert values.shape == (len(strengths), SEEDS[experiment])  # discarded networks included
            (container,) = axes.containers
            np.testing.assert_allclose(container[0].get_xydata(), np.column_stack([strengths, values.mean(axis=1)]))
            errors = [np.ptp(bar[:, 1]) / 2 for bar in container[2][0].get_segments()]
            np.testing.assert_allclose(errors, values.std(axis=1) / np.sqrt(SEEDS[experiment]), atol=1e-12)
            seeds = [line.get_ydata() for line in axes.lines if line.get_linewidth() == 0.6]
            np.testing.assert_array_equal(seeds, values.T)
            untrained = table.loc[table["regularizer"] == "none", metric].mean()
            assert any(line.get_ydata()[0] == untrained for line in axes.lines)


# Figures S9 and S10.


def test_a_strength_is_good_if_half_of_its_seeds_are():
    accuracy = {0.1: [0.9, 0.9], 0.2: [0.9, 0.1], 0.3: [0.8, 0.7999], 0.4: [0.1, 0.1], 0.5: [np.nan, np.nan]}
    rows = [("deep", "l2", strength, value) for strength, values in accuracy.items() for value in values]
    rows += [("deep", "l1", 0.7, 0.9), ("base", "l2", 0.6, 0.9)]
    models = pd.DataFrame(rows, columns=["experiment", "regularizer", "strength", "test_accuracy"])
    assert style.good_strengths(models, "deep", "l2") == [0.1, 0.2, 0.3]
    assert style.good_strengths(models, "deep", "dropout") == []


@pytest.mark.parametrize(("name", "column"), [("figS9", "q"), ("figS10", "num_clusters")])
def test_depth_is_drawn_at_the_largest_good_strength(given, name, column):
    figure = draw(name, given)
    table = given["modularity"]
    for regularizer, strength in (("l2", 1e-2), ("l1", 1e-3), ("dropout", 0.6)):  # the strongest L2 and L1 collapse
        for layer in range(1, 6):
            rows = table[(table["experiment"] == "deep") & (table["layer"] == layer)]
            values = scores(rows, FORMS[5], regularizer, strength, column)
            expected = [layer, values.mean(), values.std(ddof=1) / np.sqrt(3)]
            np.testing.assert_allclose(sweeps_drawn(figure)[FORMS[5], regularizer][layer - 1], expected)
            untrained = scores(rows, FORMS[5], "none", 0.0, column)
            (widest,) = [patch for patch in figure.axes[5].patches[::3] if patch.get_x() == layer - 0.5]
            assert widest.get_height() == pytest.approx(6 * untrained.std(ddof=1))
            assert widest.get_y() == pytest.approx(untrained.mean() - 3 * untrained.std(ddof=1))
    assert "L2 0.01, L1 0.001, dropout 0.6: the largest" in words(figure)


# Figure S11.


def test_figS11_takes_four_strengths_evenly_spaced_by_index():
    assert figS11.spaced([*"abcdefgh"]) == [*"acfh"]
    assert figS11.spaced([*"abcd"]) == [*"abcd"]
    assert figS11.spaced([*"ab"]) == [*"ab"]
    assert figS11.spaced([]) == []


def test_figS11_draws_means_and_differences_to_untrained(given):
    figure = draw("figS11", given)
    base = given["agreement"].merge(given["models"], on=style.RUN)
    base = base[base["experiment"] == "base"]
    untrained = mean_by_loops(base, "element_similarity", False)
    panels = [axes for axes in figure.axes if axes.images]
    assert len(panels) == 2 * 4 * 3
    for place, (regularizer, strengths) in enumerate(BASE.items()):
        good = [strength for strength in strengths if strength != STRONGEST[regularizer]]
        upper, lower = panels[8 * place + 6 : 8 * place + 8]  # the last column
        rows = base[(base["regularizer"] == regularizer) & (base["strength"] == good[-1])]
        mean = mean_by_loops(rows, "element_similarity", True)
        np.testing.assert_allclose(upper.images[0].get_array(), mean)
        np.testing.assert_allclose(lower.images[0].get_array(), mean - untrained, atol=1e-12)
        assert upper.get_title(loc="left") == f"{style.REGULARIZERS[regularizer]} {good[-1]:.3g}"


# Figure S12.


def test_figS12_has_modularity_on_the_diagonal(given):
    drawn = images(draw("figS12", given))
    pairs, layers = (given[name].merge(given["models"], on=style.RUN) for name in ("agreement", "modularity"))
    for column, experiment in enumerate(("base", "wide", "deep")):
        means = []
        for trained in (True, False):
            mean = mean_by_loops(pairs[pairs["experiment"] == experiment], "transferability", trained)
            rows = layers[(layers["experiment"] == experiment) & (layers["trained"] == trained)]
            rows = rows[~rows["trained"] | (rows["test_accuracy"] >= 0.8)]
            for place, form in enumerate(FORMS):
                own = (rows["measure"] == form.measure) & (rows["normalized"] == form.normalized)
                mean[place, place] = rows.loc[own, "q"].mean()
            means.append(mean)
        np.testing.assert_allclose(drawn[column].get_array(), means[0])
        np.testing.assert_allclose(drawn[column + 3].get_array(), means[0] - means[1], atol=1e-12)
        assert drawn[column].get_clim()[1] >= means[0].max()


# Figure S5, and restarts.


def test_figS5_sets_the_search_against_its_parts(given):
    left, right = draw("figS5", given).axes
    kept = style.keep_good(given["modularity"], given["models"])
    np.testing.assert_array_equal(left.collections[0].get_offsets(), kept[["q_spectral", "q"]])
    chosen = kept[kept["q_from_one_cluster"].notna()]
    np.testing.assert_array_equal(right.collections[0].get_offsets(), chosen[["q_from_one_cluster", "q"]])
    assert left.get_xlim() == left.get_ylim()


def test_figS5_counts_the_matrices_that_gain(models, modularity):
    table = modularity.head(40).assign(q=0.5, q_spectral=[0.5] * 10 + [0.4] * 25 + [0.6] * 5)
    said = [text.get_text() for text in figS5.draw(table, models).axes[0].texts]
    assert said == ["40 matrices\n62.5% above the line\n12.5% below", "median difference\n0.1"]


def test_figrestarts_shows_gains_in_percent(models, modularity):
    table = modularity[modularity["experiment"] == "base"].head(8)
    table = table.assign(q=[0.0, *[0.2] * 7], q_best=[0.0, 0.2, *[0.25] * 6], q_leiden=0.25)
    paper, leiden, _, _ = figrestarts.draw(table, models).axes
    np.testing.assert_allclose(paper.collections[0].get_offsets()[:, 1], [0, *[25] * 6])  # Q = 0 has no percentage
    assert paper.texts[0].get_text() == "base: better in 85.7%, worse in 0.0%; median +25.00%"
    assert leiden.texts[0].get_text() == "base: better in 0.0%, worse in 25.0%; median +0.00%"


def test_figrestarts_counts_the_restarts_that_find_the_best(models, modularity):
    table = modularity[modularity["experiment"] == "wide"].head(8).assign(best_restarts=[0, 1, 1, 1, 1, 3, 3, np.nan])
    successes = figrestarts.draw(table, models).axes[2]
    (line,) = successes.lines
    np.testing.assert_allclose(line.get_xydata(), [[0, 1 / 7], [1, 4 / 7], [2, 0], [3, 2 / 7]])


# Other scores, and the noise ceiling.


def test_figscores_draws_a_point_a_pair_and_their_rank_correlation(given):
    figure = draw("figscores", given)
    joined = given["agreement"].merge(given["models"], on=style.RUN)
    pairs = np.triu_indices(8, 1)
    for row, experiment in enumerate(("base", "wide", "deep")):
        table = joined[joined["experiment"] == experiment]
        x = mean_by_loops(table, "element_similarity", True)[pairs]
        for axes, score in zip(figure.axes[5 * row : 5 * row + 5], figscores.SCORES, strict=True):
            y = mean_by_loops(table, score, True)[pairs]
            np.testing.assert_allclose([line.get_xydata()[0] for line in axes.lines], np.column_stack([x, y]))
            rho = spearmanr(x, y).statistic
            assert axes.texts[0].get_text() == f"ρ = {rho:.2f}"


def test_figscores_tells_four_kinds_of_pairs():
    kinds = [figscores.kind(a, b) for a, b in combinations(FORMS, 2)]
    assert [kinds.count(kind) for kind in figscores.KINDS] == [4, 4, 4, 16]


def test_figceiling_compares_a_form_with_itself_and_with_others(given):
    figure = draw("figceiling", given)
    joined = given["agreement"].merge(given["models"], on=style.RUN)
    searches = given["ceiling"].merge(given["models"], on=style.RUN)
    for row, trained in enumerate((True, False)):
        for column, experiment in enumerate(("base", "wide", "deep")):
            means = mean_by_loops(joined[joined["experiment"] == experiment], "element_similarity", trained)
            own = searches[(searches["experiment"] == experiment) & (searches["trained"] == trained)]
            own = own[~own["trained"] | (own["test_accuracy"] >= 0.8)]
            own = own[(own["measure"] == "i_sens") & own["normalized"]]["element_similarity"].mean()
            drawn = [line.get_xdata()[0] for line in figure.axes[3 * row + column].lines if line.get_ydata()[0] == 3]
            expected = [own, means[3, 2], means[3, [0, 1]].mean(), means[3, 4:].mean()]
            np.testing.assert_allclose(drawn, expected)


# Figure S1 and Table S1, from the configuration.


def test_figS1_names_the_layers_of_each_network():
    titles = {axes.get_title(): [text.get_text() for text in axes.texts] for axes in figS1.draw(HIDDEN).axes}
    assert titles == {
        "base\n(64, 64)": ["784", "2 × 64", "10"],
        "wide\n(256, 256)": ["784", "2 × 256", "10"],
        "deep\n(64, 64, 64, 64, 64)": ["784", "5 × 64", "10"],
    }


def test_tableS1_is_the_papers():
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    rows = list(tableS1.sweeps(config["experiments"], config["l2_floor"]))
    assert sum(row["networks"] for row in rows) == 360
    assert all(set(row) == set(tableS1.COLUMNS) for row in rows)
    lines = tableS1.latex(rows).splitlines()
    assert r"base: (64, 64), 9 seeds & logspace(-5, -1, 9) & 0 & 0 \\" in lines
    assert r" & 1e-05 & 0 & linspace(0.05, 0.7, 14) \\" in lines
    assert [line.count("&") for line in lines if line.endswith(r"\\")] == [3] * 10


def test_tableS1_lists_strengths_and_leaves_out_what_is_not_run():
    base = {"hidden": [8], "seeds": 2, "sweeps": {"dropout": [0.1, 0.25]}}
    (row,) = tableS1.sweeps({"base": base, "wide": None}, 1e-5)
    assert (row["dropout"], row["l2"], row["l1"], row["networks"]) == ("0.1, 0.25", "1e-05", "0", 4)


# All figures.


def lacking(given, **changes):
    return {**given, "examples": [], **changes}


@pytest.mark.parametrize("name", sorted({*FIGURES} - {"fig2", "figS1", "figS5", "figrestarts"}))
def test_figures_say_which_experiments_are_missing(name, given):
    """As in a run that leaves the paper's experiments out."""
    others = {key: table.assign(experiment="other") for key, table in given.items() if isinstance(table, pd.DataFrame)}
    figure = draw(name, lacking(given, **others))
    assert re.search("no (trained|example|L2|base)? ?networks", words(figure))


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("figS5", ["q_from_one_cluster"]),
        ("figrestarts", ["q_best", "q_leiden", "q_from_one_cluster_full", "best_restarts"]),
        ("figscores", ["rmi", "vi", "ari", "nmi", "spearman"]),
    ],
)
def test_figures_say_which_columns_are_missing(name, columns, given):
    nothing = {column: np.nan for column in columns}
    blank = {key: given[key].assign(**nothing) for key in ("modularity", "agreement")}
    without = {key: table.drop(columns=columns) for key, table in blank.items()}
    for tables in (blank, without):
        said = words(draw(name, lacking(given, **tables))).replace("_ ", "_")
        assert all(f"no {column}" in said for column in columns)


def test_figceiling_says_that_there_is_none(given):
    assert "No noise ceiling in the tables" in words(
        draw("figceiling", lacking(given, ceiling=given["ceiling"].head(0)))
    )


@pytest.mark.parametrize("name", FIGURES)
def test_print_is_legible_and_inside_the_page(name, given):
    figure = draw(name, given)
    assert figure.get_figwidth() == (7 if name != "fig2" else 3.7)
    FigureCanvasAgg(figure).draw()
    for text in texts(figure):
        assert text.get_fontsize() >= 7, text
    everything = figure.get_tightbbox()
    assert 0 <= everything.x0 < everything.x1 <= figure.get_figwidth()
    assert 0 <= everything.y0 < everything.y1 <= figure.get_figheight()


@pytest.mark.parametrize("name", ["fig3", "fig5", "figS5"])
def test_saved_files_are_the_same_bytes_each_time(name, given, tmp_path):
    for attempt in ("once", "again"):
        style.save(draw(name, given), [tmp_path / attempt / f"{name}.{suffix}" for suffix in ("pdf", "png", "svg")])
    for path in (tmp_path / "once").iterdir():
        content = path.read_bytes()
        assert content == (tmp_path / "again" / path.name).read_bytes()
        assert not any(word in content for word in (b"CreationDate", b"dc:date", b"tIME"))
    assert len(list((tmp_path / "again").iterdir())) == 3


@pytest.mark.parametrize("name", [*FIGURES, "tableS1"])
def test_captions_are_whole_restructured_text(name):
    """A word that ends in an underscore, for one, would become a broken reference in the report."""
    caption = (ROOT / "workflow/report" / f"{name}.rst").read_text()
    assert len(caption.split()) > 20
    docutils.core.publish_doctree(caption, settings_overrides={"halt_level": 1, "report_level": 5})


def test_save_knows_three_formats(tmp_path):
    with pytest.raises(ValueError, match=r"fig3\.jpg: figures are written as \.pdf, \.png, \.svg"):
        style.save(Figure(), [tmp_path / "fig3.jpg"])
