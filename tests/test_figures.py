"""Figures 3 and 5: what they draw is what the tables say, and what the tables lack is said."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import rgb_to_hsv, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.text import Text

from unit_clusters.figures import examples as examples_of
from unit_clusters.figures import fig3, fig5, style
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


def make_models(untrained=100):
    """models.csv of all three experiments; the strongest L1 and L2 collapse to one class."""
    rows = []
    for experiment, sweep in SWEEPS.items():
        for regularizer, strengths in sweep.items():
            for strength in strengths:
                accuracy = 0.1135 if strength == STRONGEST[regularizer] else 0.975
                rows += [(experiment, regularizer, strength, s, True, accuracy) for s in range(SEEDS[experiment])]
        rows += [(experiment, "none", 0.0, 1000 + seed, False, 0.1) for seed in range(untrained)]
    return pd.DataFrame(rows, columns=[*style.RUN, "trained", "test_accuracy"])


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
    return pd.concat(tables, ignore_index=True)


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
            row |= {"element_similarity": score, "element_similarity_alive": score - 0.1}
            tables.append(models[style.RUN].assign(**row)[here])
    return pd.concat(tables, ignore_index=True)


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


def draw(name, models, modularity, agreement, examples):
    if name == "fig3":
        return fig3.draw(modularity, models, examples, SIZES)
    return fig5.draw(agreement, models)


def texts(figure: Figure) -> list[Text]:
    return [text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible()]


def words(figure: Figure) -> str:
    return " ".join(" ".join(text.get_text().split()) for text in texts(figure))


def sweeps_drawn(figure: Figure) -> dict:
    """(form, regularizer) -> points by (percent, mean, standard error), read back from the artists of Fig. 3."""
    drawn = {}
    for form, axes in zip(FORMS, figure.axes, strict=False):
        for container in axes.containers:
            line, _, (bars,) = container
            errors = [np.ptp(bar[:, 1]) / 2 if len(bar) else np.nan for bar in bars.get_segments()]
            drawn[form, container.get_label()] = np.column_stack([*line.get_data(orig=False), errors])
    return drawn


def scores(table, form, regularizer, strength):
    """Q* of a form at a strength, by plain loops."""
    rows = zip(table.measure, table.normalized, table.regularizer, table.strength, table.q, strict=True)
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


# On paper.


@pytest.mark.parametrize("name", ["fig3", "fig5"])
def test_print_is_legible_and_inside_the_page(name, models, modularity, agreement, examples):
    figure = draw(name, models, modularity, agreement, examples)
    assert figure.get_figwidth() == 7
    FigureCanvasAgg(figure).draw()
    for text in texts(figure):
        assert text.get_fontsize() >= 7, text
    everything = figure.get_tightbbox()
    assert 0 <= everything.x0 < everything.x1 <= 7
    assert 0 <= everything.y0 < everything.y1 <= figure.get_figheight()


@pytest.mark.parametrize("name", ["fig3", "fig5"])
def test_saved_files_are_the_same_bytes_each_time(name, models, modularity, agreement, examples, tmp_path):
    for attempt in ("once", "again"):
        figure = draw(name, models, modularity, agreement, examples)
        style.save(figure, [tmp_path / attempt / f"{name}.{suffix}" for suffix in ("pdf", "png", "svg")])
    for path in (tmp_path / "once").iterdir():
        content = path.read_bytes()
        assert content == (tmp_path / "again" / path.name).read_bytes()
        assert not any(word in content for word in (b"CreationDate", b"dc:date", b"tIME"))
    assert len(list((tmp_path / "again").iterdir())) == 3


def test_save_knows_three_formats(tmp_path):
    with pytest.raises(ValueError, match=r"fig3\.jpg: figures are written as \.pdf, \.png, \.svg"):
        style.save(Figure(), [tmp_path / "fig3.jpg"])
