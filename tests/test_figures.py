"""The figures: what they draw is what the tables say, what the tables lack is said, and all of it can be read."""

import re
from functools import partial
from importlib import import_module
from itertools import combinations, product
from pathlib import Path

import docutils.core
import numpy as np
import pandas as pd
import pytest
import yaml
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import rgb_to_hsv, to_hex, to_rgb
from matplotlib.figure import Figure, SubFigure
from matplotlib.mathtext import MathTextParser
from matplotlib.patches import ConnectionPatch, Rectangle
from matplotlib.text import Text
from scipy.stats import spearmanr

from unit_clusters.plots import style
from unit_clusters.plots.agreement import SCORE_COLORS, hundredths
from unit_clusters.plots.similarity import cluster_order
from unit_clusters.similarity.measures import FORMS, MEASURES, Form, kind
from unit_clusters.similarity.normalization import normalize
from unit_clusters.streams import stream
from unit_clusters_paper.claims.paper import MAIN
from unit_clusters_paper.figures import (
    catalog,
    fig1,
    fig2,
    fig3,
    fig5,
    figprotocol,
    figrepeats,
    figrestarts,
    figS5,
    figS11,
    figscores,
    figsensitivity,
    files,
    metric_panels,
    pair_panels,
    sweep_blocks,
    sweep_panels,
    sweeps,
    tableS1,
)
from unit_clusters_paper.results import selection
from unit_clusters_paper.results.selection import LIMIT, RUN

# Table S1.
BASE = {"l2": np.logspace(-5, -1, 9), "l1": np.logspace(-5, -2, 7), "dropout": np.linspace(0.05, 0.7, 14)}
FOLLOW_UP = {"l2": np.logspace(-5, -1, 5), "l1": np.logspace(-5, -2, 4), "dropout": np.linspace(0.1, 0.6, 6)}
for sweep in (BASE, FOLLOW_UP):  # to six digits, as in the tables
    sweep.update({name: [float(f"{strength:.6g}") for strength in strengths] for name, strengths in sweep.items()})
SWEEPS = {"base": BASE, "wide": FOLLOW_UP, "deep": FOLLOW_UP, "early": BASE}
SEEDS = {"base": 9, "wide": 3, "deep": 3, "early": 4}
UNTRAINED = {"base": 20, "wide": 20, "deep": 20, "early": 0}
LAYERS = {"base": 2, "wide": 2, "deep": 5, "early": 2}
STRONGEST = {"l2": 1e-1, "l1": 1e-2, "dropout": 1.0, "none": 1.0}
FLOOR = 1e-5
HIDDEN = {"base": [64, 64], "wide": [256, 256], "deep": 5 * [64], "early": [64, 64]}

ROOT = Path(__file__).parent.parent
FIGURES = sorted(catalog.FIGURES)
ONE_OF_EACH = ("fig1", "fig3", "fig4", "fig5", "figS2", "figS5", "figS9", "figS11", "figprotocol", "figrepeats")
"""Figures that differ in more than what they show."""

TALLEST = 9.5
"""Inches: with it, seven leave at least 0.6 inches of margin on A4 and on Letter."""

METRICS = ("train_accuracy", "l2_norm", "l1_norm", "sparsity")
PAPERS = ("base", "wide", "deep")


def make_models():
    """models.csv: the strongest L1 and L2 collapse to one class; at deep dropout 0.6 one seed of three is left."""
    rows = []
    for experiment, sweep in SWEEPS.items():
        for regularizer, strengths in sweep.items():
            for strength in strengths:
                for seed in range(SEEDS[experiment]):
                    lost = experiment == "deep" and np.isclose(strength, 0.6) and seed > 0
                    accuracy = 0.1135 if strength == STRONGEST[regularizer] else 0.76 if lost else 0.975
                    l2 = strength if regularizer == "l2" else FLOOR
                    rows.append((experiment, regularizer, strength, seed, True, l2, accuracy))
        untrained = range(1000, 1000 + UNTRAINED[experiment])
        rows += [(experiment, "none", 0.0, seed, False, 0.0, 0.1) for seed in untrained]
    models = pd.DataFrame(rows, columns=[*RUN, "trained", "l2", "test_accuracy"])
    models[LIMIT] = 0.8
    random = stream("figures", "models")
    models = models.assign(**{metric: random.uniform(0.1, 0.9, len(models)) for metric in METRICS})
    models.loc[models["seed"] == 0, "train_accuracy"] = 1.0
    return models


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
            tables.append(models[RUN].assign(**row)[here])
    table = pd.concat(tables, ignore_index=True)
    some = random.random(len(table)) < 0.05
    loss = 0.01 * random.random((3, len(table)))
    return table.assign(
        q_rotated=0.1 + 0.005 * random.standard_normal(len(table)),
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
            row |= {"element_similarity": score, "element_similarity_best": score - 0.1, "transferability": score / 4}
            noisy = score + 0.3 * random.standard_normal((4, len(models)))
            row |= dict(zip(figscores.SCORES, noisy, strict=True))
            tables.append(models[RUN].assign(**row)[here])
    return pd.concat(tables, ignore_index=True)


def make_repeats(modularity):
    """repeats.csv in which two searches agree by 0.7 and two best partitions by 0.8, give or take."""
    scores = 0.7 + 0.1 * stream("figures", "repeats").standard_normal(len(modularity))
    columns = [*RUN, "layer", "measure", "normalized"]
    return modularity[columns].assign(element_similarity=scores, element_similarity_best=scores + 0.1)


def make_sensitivity():
    """sensitivity.csv of two sources with three choices each."""
    choices = pd.DataFrame({"source": np.repeat(["published run", "made anew"], 3), "networks": 12})
    choices["choice"] = ["as in the paper", "accuracy above 90%", "best partitions"] * 2
    for name in ("lead", "upstream", "downstream", "across"):
        choices[name] = stream("figures", "sensitivity", name).uniform(0.2, 0.5, 6)
        choices[f"{name}_se"] = 0.02
    return choices


def make_lesions(models):
    """lesions.csv of two clusters a layer and measure: twice a random set's loss, and that grows with dropout."""
    random, tables = stream("figures", "lesions"), []
    few = models[models["trained"] & (models["seed"] < 2)]
    dropout = few["strength"].where(few["regularizer"] == "dropout", 0)
    for layer, measure, cluster in product((1, 2), MEASURES, (0, 1)):
        loss = 0.3 + dropout + 0.02 * random.standard_normal(len(few))
        row = {"layer": layer, "measure": measure, "cluster": cluster, "loss": loss, "loss_random": loss / 2}
        row |= {"loss_matched": loss / 1.5, "loss_units": 0.4 * loss, "classes": 4.0, "classes_random": 5.0}
        tables.append(few[RUN].assign(**row))
    return pd.concat(tables, ignore_index=True)


def make_layers():
    """layers.csv, as if the wide networks were the user's."""
    rows = [("wide", number, name) for number, name in ((1, "encoder.0.activation"), (2, "fc2"))]
    return pd.DataFrame(rows, columns=["experiment", "layer", "name"])


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
    tables = {"models": models, "modularity": modularity, "agreement": agreement, "repeats": make_repeats(modularity)}
    others = {"examples": examples, "hidden": HIDDEN, "lesions": make_lesions(models)}
    others["claims"] = pd.read_csv(ROOT / "results" / "published" / "claims.csv")
    return {**tables, "sensitivity": make_sensitivity(), "layers": make_layers(), **others}


def draw(name, given):
    """As workflow/scripts/figure.py does it."""
    entry = catalog.FIGURES[name]
    module = import_module(f"unit_clusters_paper.figures.{entry.module}")
    asked = [*entry.files, *["hidden"] * entry.hidden]
    return module.draw(**{key: given[key] for key in asked}, **entry.options)


@pytest.fixture(scope="module")
def drawn(given):
    """Every figure, drawn once; tests only look at these."""
    return {name: draw(name, given) for name in FIGURES}


def texts(figure: Figure) -> list[Text]:
    """All that is written; an axis also keeps labels beyond its ends, which are not."""
    unseen = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            drawn = axis._update_ticks() if axes.axison else []
            ticks = {tick for tick in axis.get_major_ticks() + axis.get_minor_ticks() if tick not in drawn}
            unseen |= {label for tick in ticks for label in (tick.label1, tick.label2)}
    found = (text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible())
    return [text for text in found if text not in unseen]


def words(figure: Figure) -> str:
    return " ".join(" ".join(text.get_text().split()) for text in texts(figure))


def panels_of(figure: Figure, block: int = 0) -> dict:
    """The panels of a block by form, as they are named."""
    named = {form: [axes for axes in figure.axes if axes.get_title(loc="right") == style.label(form)] for form in FORMS}
    return {form: found[block] for form, found in named.items()}


def sweeps_drawn(figure: Figure, block: int = 0) -> dict:
    """(form, regularizer) -> points by (x, mean, standard error), read back from the eight panels of a block."""
    points = {}
    for form, axes in panels_of(figure, block).items():
        for container in axes.containers:
            line, _, (bars,) = container
            errors = [np.ptp(bar[:, 1]) / 2 if len(bar) else np.nan for bar in bars.get_segments()]
            points[form, container.get_label()] = np.column_stack([*line.get_data(orig=False), errors])
    return points


def thick_bars(axes) -> dict:
    """x -> half the length of the standard error over seeds alone, by regulariser in the order drawn."""
    return [
        {round(bar[0, 0], 6): np.ptp(bar[:, 1]) / 2 for bar in bars.get_segments()}
        for bars in axes.collections
        if isinstance(bars, LineCollection) and bars.get_linewidth()[0] == 1.8
    ]


def hollow(axes) -> list:
    """The points with a white face."""
    lines = [line for line in axes.lines if line.get_markerfacecolor() == "white"]
    return [tuple(point) for line in lines for point in line.get_xydata()]


def scores(table, form, regularizer, strength, column="q"):
    """What a form scores at a strength, by plain loops."""
    rows = zip(table.measure, table.normalized, table.regularizer, table.strength, table[column], strict=True)
    return np.array([q for *key, q in rows if key == [*form, regularizer, strength] and not np.isnan(q)])


def test_percent_regularization_is_the_captions():
    percent = sweep_panels.percent_regularization
    np.testing.assert_allclose(percent("l2", np.array(BASE["l2"])), np.linspace(0, 100, 9), atol=1e-4)
    np.testing.assert_allclose(percent("l1", np.array(BASE["l1"])), np.linspace(0, 100, 7), atol=1e-4)
    np.testing.assert_allclose(percent("dropout", np.array([0.0, 0.05, 0.7])), [0, 5, 70])
    with pytest.raises(ValueError, match=r"l2: strength 0\.0"):
        percent("l2", np.array([0.0, 1e-3]))


def test_one_hue_a_measure_darker_when_normalised():
    hues = []
    for measure in MEASURES:
        (hue, _, light), (other, _, dark) = (
            rgb_to_hsv(to_rgb(Form(measure, normalized).color)) for normalized in (False, True)
        )
        assert abs(hue - other) < 0.03
        assert dark < light - 0.15
        hues.append(hue)
    assert np.diff(np.sort(hues)).min() > 0.05


@pytest.mark.parametrize("limit", [0.8, 0.55])
def test_keep_good_discards_trained_networks_below_the_limit(limit):
    runs = [("l2", 0.1, 0, True, limit - 1e-4), ("l2", 0.1, 1, True, limit), ("l1", 0.1, 0, True, np.nan)]
    models = pd.DataFrame(
        [("base", *run) for run in (*runs, ("none", 0.0, 0, False, 0.1))],
        columns=[*RUN, "trained", "test_accuracy"],
    ).assign(**{LIMIT: limit})
    table = pd.concat([models[RUN].assign(layer=layer) for layer in (1, 2)])
    kept = selection.keep_good(table, models)
    expected = [("l2", 1), ("none", 0)] * 2
    assert list(zip(kept["regularizer"], kept["seed"], strict=True)) == expected


def test_the_limit_comes_with_the_tables(tmp_path, given):
    """From the configuration, by whatever file; who reads models.csv in another way is told."""
    given["models"].drop(columns=LIMIT).to_csv(tmp_path / "models.csv", index=False)
    given["models"].drop(columns=LIMIT).to_csv(tmp_path / "models.csv.gz", index=False)
    for name in ("models.csv", "models.csv.gz"):
        assert (selection.read({"models": tmp_path / name}, 0.3)["models"][LIMIT] == 0.3).all()
    with pytest.raises(ValueError, match="has no column min_test_accuracy: read it by"):
        selection.keep_good(given["modularity"], pd.read_csv(tmp_path / "models.csv"))


def test_another_limit_shows_other_networks_and_says_so(given):
    strict = given | {"models": given["models"].assign(**{LIMIT: 0.98})}
    assert "252 discarded" not in words(draw("fig3", given))
    assert "Base: 0 trained networks; 270 discarded (test accuracy < 98%)" in words(draw("fig3", strict))
    assert "Dotted: 98% test accuracy" in words(draw("figS2", strict))
    lax = given | {"models": given["models"].assign(**{LIMIT: 0.5})}
    assert "dropout 0.6: the largest with at least half of its seeds at 50%" in words(draw("figS9", lax))


def test_a_network_without_a_model_is_an_error(models, modularity):
    with pytest.raises(ValueError, match=r"models.csv lacks the network .*'deep'"):
        selection.keep_good(modularity, models[models["experiment"] != "deep"])


def test_dropout_starts_with_the_networks_that_have_only_its_l2():
    rows = [("base", "l2", 1e-5, 0.1), ("base", "l2", 1e-3, 0.2), ("base", "dropout", 0.5, 0.3)]
    rows += [("wide", "l2", 1e-5, 0.4), ("deep", "l2", 1e-5, 0.5), ("deep", "dropout", 0.5, 0.6)]
    table = pd.DataFrame(rows, columns=["experiment", "regularizer", "strength", "value"])
    models = table.assign(l2=[1e-5, 1e-3, 1e-5, 1e-5, 1e-5, 1e-4])  # in deep, no L2 network is at that floor
    added = sweeps.with_baseline(table, models)
    pd.testing.assert_frame_equal(added.head(6), table)
    assert added.iloc[6:].to_numpy().tolist() == [["base", "dropout", 0.0, 0.1]]


def test_numbers_are_written_as_in_the_paper():
    assert [sweeps.number(value) for value in (1e-5, 3.162e-3, 0.25, 1, 1000)] == [
        "1e-5",
        "0.00316",
        "0.25",
        "1",
        "1,000",
    ]
    values = (0.464, 1.0, 0.004, -0.052, -0.004)
    assert [hundredths(value) for value in values] == [".46", "1", "0", "−.05", "0"]


# Figure 3.


def test_fig3_draws_means_and_errors_over_seeds_and_layers(modularity, drawn):
    points_of = sweeps_drawn(drawn["fig3"])
    base = modularity[modularity["experiment"] == "base"]
    assert set(points_of) == {(form, regularizer) for form in FORMS for regularizer in BASE}
    for form, regularizer in [(FORMS[0], "l2"), (FORMS[3], "l1"), (FORMS[6], "dropout")]:
        points = points_of[form, regularizer]
        strengths = [s for s in BASE[regularizer] if s != STRONGEST[regularizer]]  # these were discarded
        source = [(regularizer, s) for s in strengths]
        if regularizer == "dropout":
            source.insert(0, ("l2", FLOOR))
        thick = thick_bars(panels_of(drawn["fig3"])[form])[[*BASE].index(regularizer)]
        for (name, strength), (percent, mean, error) in zip(source, points, strict=True):
            q = scores(base, form, name, strength)
            assert len(q) == 9 * 2
            expected = 0 if (name, regularizer) == ("l2", "dropout") else None
            if expected is None:
                expected = sweep_panels.percent_regularization(regularizer, np.array([strength])).item()
            assert percent == pytest.approx(expected, abs=1e-9)
            assert mean == pytest.approx(sum(q) / 18)
            assert error == pytest.approx(np.sqrt(sum((q - sum(q) / 18) ** 2) / 17 / 18))
            of_seeds = (q[:9] + q[9:]) / 2  # layer by layer in the table
            assert thick[round(percent, 6)] == pytest.approx(of_seeds.std(ddof=1) / 3)


def test_fig3_ignores_missing_scores(models, modularity):
    form = FORMS[2]
    chosen = (modularity["experiment"] == "base") & (modularity["regularizer"] == "dropout")
    chosen &= (modularity["measure"] == form.measure) & (modularity["normalized"] == form.normalized)
    holes = modularity.copy()
    holes.loc[chosen & (modularity["seed"] != 4), "q"] = np.nan
    holes.loc[chosen & (modularity["layer"] == 2), "q"] = np.nan
    figure = fig3.draw(holes, models, [], HIDDEN)
    points = sweeps_drawn(figure)[form, "dropout"][1:]  # but the baseline
    single = modularity[chosen & (modularity["seed"] == 4) & (modularity["layer"] == 1)].sort_values("strength")
    np.testing.assert_allclose(points[:, 1], single["q"])
    assert np.isnan(points[:, 2]).all()  # one score has no standard error
    np.testing.assert_allclose(hollow(panels_of(figure)[form]), points[:, :2])  # one of nine seeds


def test_fig3_shades_untrained_mean_within_1_2_and_3_sigma(modularity, drawn):
    base = modularity[(modularity["experiment"] == "base") & (modularity["regularizer"] == "none")]
    for form, axes in panels_of(drawn["fig3"]).items():
        q = scores(base, form, "none", 0.0)
        assert len(q) == 2 * UNTRAINED["base"]
        sigma = np.sqrt(((q - q.mean()) ** 2).sum() / (len(q) - 1))
        bands = sorted(
            (patch.get_y(), patch.get_y() + patch.get_height())
            for patch in axes.patches
            if isinstance(patch, Rectangle)
        )
        expected = [(q.mean() - reach * sigma, q.mean() + reach * sigma) for reach in (3, 2, 1)]
        np.testing.assert_allclose(bands, expected)


def test_fig3_neither_shows_nor_hides_discarded_networks(models, modularity, drawn):
    wild = modularity.merge(models, on=RUN)
    wild["q"] = wild["q"].where((wild["test_accuracy"] >= 0.8) | ~wild["trained"], 99.0)
    figure = fig3.draw(wild, models, [], HIDDEN)
    for key, points in sweeps_drawn(drawn["fig3"]).items():
        np.testing.assert_array_equal(points, sweeps_drawn(figure)[key])
    # Of 9 seeds at 9 + 7 + 14 strengths, two strengths collapse.
    text = "Base: 252 trained networks; 18 discarded (test accuracy < 80%); 20 untrained; none left at L2 0.1, L1 0.01."
    assert text in words(figure)


def test_points_with_fewer_than_half_of_their_seeds_are_hollow(drawn):
    for form, axes in panels_of(drawn["fig4"], 1).items():
        last = sweeps_drawn(drawn["fig4"], 1)[form, "dropout"][-1]
        assert hollow(axes) == [tuple(last[:2])]  # deep, dropout 0.6: one of three
    assert not any(hollow(axes) for name in ("fig3", "figS6", "figS9") for axes in drawn[name].axes)
    told = {name: "hollow: fewer than half of the seeds left" in words(drawn[name]) for name in ("fig3", "fig4")}
    assert told == {"fig3": False, "fig4": True}


def test_cluster_order_puts_large_clusters_first_and_unused_units_last():
    labels = np.array([7, -1, 2, 2, 5, 7, 2, -1, 5])
    order, boundaries = cluster_order(labels)
    assert order.tolist() == [2, 3, 6, 4, 8, 0, 5, 1, 7]
    assert boundaries.tolist() == [3, 5, 7]
    assert cluster_order(np.zeros(4, dtype=int))[1].tolist() == []


def test_fig3_sorts_examples_and_draws_lines_between_clusters(examples, drawn):
    panels = [axes for axes in drawn["fig3"].axes if axes.images]
    assert len(panels) == 4
    for axes, example in zip(panels, examples, strict=True):
        order, boundaries = cluster_order(example.labels)
        expected = [[0 if i == j else example.similarity[i, j] for j in order] for i in order]
        np.testing.assert_array_equal(axes.images[0].get_array(), expected)
        across = [line.get_ydata()[0] for line in axes.lines if np.ptp(line.get_ydata()) == 0]
        down = [line.get_xdata()[0] for line in axes.lines if np.ptp(line.get_xdata()) == 0]
        assert across == down == [boundary - 0.5 for boundary in boundaries]
        assert f"{example.q:.3f}" in axes.get_title()


def links_of(axes) -> list:
    """The vertices, in pixels, of each link that is drawn in a panel."""
    links = [patch for patch in axes.patches if isinstance(patch, ConnectionPatch)]
    return [link.get_transform().transform_path(link.get_path()).vertices for link in links]


def test_fig3_links_examples_to_their_dropout_points(examples, drawn):
    """The link is seen all the way, from the matrix through the panel between to the ring around the point."""
    figure, form = drawn["fig3"], Form("cov", True)
    panel, above = (panels_of(figure)[other] for other in (form, form._replace(normalized=False)))
    points = sweeps_drawn(figure)[form, "dropout"]
    matrices = [axes for axes in figure.axes if axes.images]
    arrange(figure)
    bends, through, ends = links_of(above)[::2], links_of(above)[1::2], links_of(panel)
    for matrix, example, bend, across, end in zip(matrices, examples, bends, through, ends, strict=True):
        percent = 100 * example.strength
        (mean,) = points[np.isclose(points[:, 0], percent), 1]
        top, bottom = (above.get_xaxis_transform().transform((percent, height)) for height in (1, 0))
        ring = panel.transData.transform((percent, mean)) + np.array([0, fig3.RING / 2 / 72 * figure.dpi])
        np.testing.assert_allclose(bend[0], matrix.transAxes.transform((0.5, 0)))
        np.testing.assert_allclose([bend[-1], across[0], across[-1], end[0]], [top, top, bottom, bottom])
        np.testing.assert_allclose(end[-1], ring, atol=0.1)


def test_fig3_leaves_an_example_alone_whose_strength_was_discarded(models, modularity):
    low = models.assign(test_accuracy=models["test_accuracy"].where(~np.isclose(models["strength"], 0.7), 0.1))
    figure = fig3.draw(modularity, low, [make_example(0.5), make_example(0.7)], HIDDEN)
    assert [len(links_of(axes)) for axes in panels_of(figure).values()] == [2, 1, *[0] * 6]


def test_fig3_says_what_is_missing(models, modularity):
    some = modularity[modularity["regularizer"] == "dropout"]
    figure = fig3.draw(some, models, [], HIDDEN)
    assert set(sweeps_drawn(figure)) == {(form, "dropout") for form in FORMS}
    text = words(figure)
    assert "0 untrained; no L2 networks in the tables; no L1 networks in the tables" in text
    assert "no example networks" in text


def test_figures_say_when_no_network_passes(given, models):
    none = {**given, "models": models.assign(test_accuracy=0.1), "examples": given["examples"][:1]}
    figure = draw("fig3", none)
    assert sweeps_drawn(figure) == {}
    assert "no trained networks" in words(figure)
    for name in ("fig3", "fig5", "figS11"):
        assert "Base: 0 trained networks; 270 discarded" in words(draw(name, none))
    assert images(draw("fig5", none)) == [None] * 6


def test_fig3_shows_strengths_beyond_the_papers_range(models, modularity):
    strong = pd.Series({0.1: 10.0})
    stronger, stronger_models = (
        table.assign(strength=table["strength"].replace(strong), **kept)
        for table, kept in ((modularity, {}), (models, {"test_accuracy": 0.9}))
    )
    figure = fig3.draw(stronger[stronger["regularizer"] == "l2"], stronger_models, [], HIDDEN)
    assert sweeps_drawn(figure)[FORMS[0], "l2"][-1, 0] == pytest.approx(150)
    assert panels_of(figure)[FORMS[0]].get_xlim()[1] > 150


def test_fig3_has_room_for_four_examples(models, modularity):
    with pytest.raises(ValueError, match="5 were given"):
        fig3.draw(modularity, models, [make_example(0.1)] * 5, HIDDEN)


def test_diagrams_name_the_layers_of_the_network(models, modularity, drawn):
    figure = fig3.draw(modularity, models, [], {"base": [32, 16, 16, 16]})
    (diagram,) = [axes for axes in figure.axes if axes.get_title() == "base network"]
    assert [text.get_text() for text in diagram.texts] == ["in", "32", "3 × 16", "out"]
    titles = {axes.get_title(): [text.get_text() for text in axes.texts] for axes in drawn["figS1"].axes}
    assert titles == {  # each architecture once
        "base, early\n(64, 64)": ["in", "2 × 64", "out"],
        "wide\n(256, 256)": ["in", "2 × 256", "out"],
        "deep\n(64, 64, 64, 64, 64)": ["in", "5 × 64", "out"],
    }


# Figures 5, S11 and S12.


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


def test_fig5_draws_means_and_differences_to_untrained(models, agreement, drawn):
    panels = images(drawn["fig5"])
    joined = agreement.merge(models, on=RUN)
    for column, experiment in enumerate(PAPERS):
        table = joined[joined["experiment"] == experiment]
        trained, untrained = (mean_by_loops(table, "element_similarity", kind) for kind in (True, False))
        np.testing.assert_allclose(panels[column].get_array(), trained)
        np.testing.assert_allclose(panels[column + 3].get_array(), trained - untrained, atol=1e-12)
        for panel in (panels[column], panels[column + 3]):
            written = {text.get_position(): text.get_text() for text in panel.axes.texts}
            for (row, place), value in np.ndenumerate(panel.get_array()):
                assert float(written[place, row].replace("−", "-")) == round(value, 2)


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


@pytest.mark.parametrize("cmap", [SCORE_COLORS, pair_panels.DIFFERENCE_COLORS])
def test_scales_rise_from_dark_to_light(cmap):
    """So that more is told from less, and the sign of a difference, where colours are lost."""
    steps = np.diff([luminance(color) for color in cmap(np.linspace(0, 1, 21))[:, :3]])
    assert (steps > 0).all()


def test_differences_are_red_or_green_and_seldom_black():
    red, middle, green = pair_panels.DIFFERENCE_COLORS([0.1, 0.5, 0.9])[:, :3]
    assert red.argmax() == 0
    assert green.argmax() == 1
    assert np.ptp(middle) < 0.02
    assert luminance(middle) > 0.25


def test_fig5_ignores_missing_scores(models, agreement):
    first = (agreement["measure_b"] == "cov") & agreement["normalized_b"]
    other = (agreement["measure_a"] == "o_sens") & (agreement["measure_b"] == "hess")
    base = agreement["experiment"] == "base"
    holes = agreement.copy()
    holes.loc[base & first & (agreement["layer"] == 1), "element_similarity"] = np.nan
    holes.loc[base & other & ~agreement["normalized_a"] & agreement["normalized_b"], "element_similarity"] = np.nan
    panel = images(fig5.draw(holes, models))[0]
    left = agreement[base & first & (agreement["layer"] == 2)].merge(models, on=RUN)
    expected = mean_by_loops(left, "element_similarity", True)
    assert panel.get_array()[0, 1] == panel.get_array()[1, 0] == pytest.approx(expected[0, 1])
    assert np.ma.getmaskarray(panel.get_array()).sum() == 2  # the pair without any score, twice
    assert len(panel.axes.texts) == 62 + 2  # beside the numbers, the two families


def test_fig5_notes_missing_networks(models, agreement):
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


def test_figS11_takes_four_strengths_evenly_spaced_by_index():
    assert figS11.spaced([*range(8)]) == [0, 2, 5, 7]
    assert figS11.spaced([*range(4)]) == [*range(4)]
    assert figS11.spaced([*range(2)]) == [0, 1]
    assert figS11.spaced([]) == []


def test_figS11_draws_means_and_differences_to_untrained(given, drawn):
    figure = drawn["figS11"]
    base = given["agreement"].merge(given["models"], on=RUN)
    base = base[base["experiment"] == "base"]
    untrained = mean_by_loops(base, "element_similarity", False)
    panels = [axes for axes in figure.axes if axes.images]
    assert len(panels) == 2 * 4 * 3
    for place, (regularizer, strengths) in enumerate(BASE.items()):
        good = [strength for strength in strengths if strength != STRONGEST[regularizer]]
        upper, lower = panels[8 * place + 3], panels[8 * place + 7]  # the last column
        rows = base[(base["regularizer"] == regularizer) & (base["strength"] == good[-1])]
        mean = mean_by_loops(rows, "element_similarity", True)
        np.testing.assert_allclose(upper.images[0].get_array(), mean)
        np.testing.assert_allclose(lower.images[0].get_array(), mean - untrained, atol=1e-12)
        assert upper.texts[0].get_text() == f"{sweeps.REGULARIZERS[regularizer]} {sweeps.number(good[-1])}"
        for axes, matrix in ((upper, mean), (lower, mean - untrained)):
            blocks = matrix[:2, 2:4].mean(), matrix[4:6, 6:].mean(), matrix[:4, 4:].mean()
            written = [float(word[1:].replace("−", "-")) for word in axes.get_title().split()]
            np.testing.assert_allclose(written, blocks, atol=0.0051)


def test_figS12_has_modularity_on_the_diagonal(given, drawn):
    panels = images(drawn["figS12"])
    pairs, layers = (given[name].merge(given["models"], on=RUN) for name in ("agreement", "modularity"))
    for column, experiment in enumerate(PAPERS):
        means = []
        for trained in (True, False):
            mean = mean_by_loops(pairs[pairs["experiment"] == experiment], "transferability", trained)
            rows = layers[(layers["experiment"] == experiment) & (layers["trained"] == trained)]
            rows = rows[~rows["trained"] | (rows["test_accuracy"] >= 0.8)]
            for place, form in enumerate(FORMS):
                own = (rows["measure"] == form.measure) & (rows["normalized"] == form.normalized)
                mean[place, place] = rows.loc[own, "q"].mean()
            means.append(mean)
        np.testing.assert_allclose(panels[column].get_array(), means[0])
        np.testing.assert_allclose(panels[column + 3].get_array(), means[0] - means[1], atol=1e-12)
        assert panels[column].get_clim()[1] >= means[0].max()


# Figures 1 and 2.


def test_fig1_shows_the_clusters_of_each_unit():
    labels = np.array([2, 0, -1, 0, 5])
    image = fig1.membership(labels)
    columns = [np.flatnonzero((row < 1).any(axis=1)).tolist() for row in image]
    assert columns == [[1], [0], [3], [0], [2]]
    np.testing.assert_array_equal(image[1, 0], image[3, 0])
    assert image[2, 3].tolist() == list(fig1.UNUSED)
    np.testing.assert_array_equal(
        fig1.unit_colors(labels), [image[row, column] for row, (column,) in enumerate(columns)]
    )


def test_fig1_sorts_the_last_example_by_cluster(examples, drawn):
    figure, example = drawn["fig1"], examples[3]
    (by_cluster,) = [axes for axes in figure.axes if axes.get_title() == "sorted by cluster"]
    order, boundaries = cluster_order(example.labels)
    expected = example.similarity[np.ix_(order, order)] * (1 - np.eye(64))
    np.testing.assert_array_equal(by_cluster.images[0].get_array(), expected)
    left, below = (strip.images[0].get_array() for strip in by_cluster.child_axes)
    np.testing.assert_array_equal(left[:, 0], below[0])
    assert (np.flatnonzero((left[1:, 0] != left[:-1, 0]).any(axis=1)) + 1).tolist() == boundaries.tolist()
    assert {axes.get_title(loc="left") for axes in figure.axes} == {*"ABCD", ""}
    (units,) = [axes for axes in figure.axes if axes.get_title() == "units of a layer, by cluster"]
    np.testing.assert_array_equal(units.collections[0].get_facecolors()[:, :3], fig1.unit_colors(example.labels))
    assert f"{example.q:.3f}" in words(figure)
    assert "no example networks" in words(fig1.draw([], HIDDEN))


def test_fig2_joins_measures_that_differ_in_one_way():
    lines = fig2.draw().axes[0].lines
    corners = {tuple(line.get_xydata()[0]): line.get_color() for line in lines if len(line.get_xydata()) == 1}
    forms = {form.color: form for form in FORMS}
    edges = [line.get_xydata() for line in lines if len(line.get_xydata()) == 2]
    joined = {frozenset(forms[corners[tuple(end)]] for end in edge) for edge in edges}
    gradient = {"cov": False, "hess": False, "i_sens": True, "o_sens": True}
    for a, b in combinations(FORMS, 2):
        ways = [a.upstream != b.upstream, a.normalized != b.normalized, gradient[a.measure] != gradient[b.measure]]
        assert (frozenset((a, b)) in joined) == (sum(ways) == 1)


# Figures 4 and S6 to S8: two blocks of Fig. 3's panels.


@pytest.mark.parametrize(
    ("name", "column", "blocks", "gray"),
    [
        ("fig4", "q", [("wide", None), ("deep", None)], 0),
        ("figS6", "q", [("base", 1), ("base", 2)], 1),
        ("figS7", "num_clusters", [("base", 1), ("base", 2)], 1),
        ("figS8", "num_clusters", [("wide", None), ("deep", None)], 0),
    ],
)
def test_blocks_draw_mean_and_standard_error_over_the_untrained_bands(given, drawn, name, column, blocks, gray):
    figure = drawn[name]
    table = given["modularity"]
    for place, (experiment, layer) in enumerate(blocks):
        rows = table[(table["experiment"] == experiment) & ((table["layer"] == layer) | (layer is None))]
        form, strength = FORMS[3], SWEEPS[experiment]["dropout"][2]
        points = sweeps_drawn(figure, place)[form, "dropout"]
        for point, x, values in (
            (points[3], 100 * strength, scores(rows, form, "dropout", strength, column)),
            (points[0], 0, scores(rows, form, "l2", FLOOR, column)),
        ):
            assert len(values) == SEEDS[experiment] * (1 if layer else LAYERS[experiment])
            np.testing.assert_allclose(point, [x, values.mean(), values.std(ddof=1) / np.sqrt(len(values))])
        untrained = scores(rows, form, "none", 0.0, column)
        bands = [patch.get_y() for patch in panels_of(figure, place)[form].patches]
        assert min(bands) == pytest.approx(untrained.mean() - 3 * untrained.std(ddof=1))
    parts = [panels_of(figure, place)[FORMS[0]].figure for place in range(2)]
    assert [to_hex(part.get_facecolor()) == sweep_blocks.GRAY for part in parts] == [gray == 0, gray == 1]


def test_scales_are_logarithmic_beyond_a_factor_of_ten(given):
    many = given["modularity"]["experiment"].eq("wide") & given["modularity"]["strength"].eq(1e-3)
    clusters = given["modularity"]["num_clusters"].mask(many, 30)
    figure = draw("figS8", {**given, "modularity": given["modularity"].assign(num_clusters=clusters)})
    assert [panels_of(figure, block)[FORMS[0]].get_yscale() for block in range(2)] == ["log", "linear"]


# Figures S2 to S4.


@pytest.mark.parametrize(("name", "experiment"), [("figS2", "base"), ("figS3", "wide"), ("figS4", "deep")])
def test_metrics_show_every_seed_and_their_mean(given, drawn, name, experiment):
    models = given["models"]
    table = models[models["experiment"] == experiment]
    panels = iter(np.reshape(drawn[name].axes, (len(metric_panels.METRICS), 3)).T.flat)
    for regularizer, strengths in SWEEPS[experiment].items():
        for metric in metric_panels.METRICS:
            axes = next(panels)
            rows = table[table["regularizer"] == regularizer]
            if regularizer == "dropout":
                floor = (table["regularizer"] == "l2") & (table["strength"] == FLOOR)
                rows = pd.concat([table[floor].assign(strength=0.0), rows])
            values = rows.pivot(index="strength", columns="seed", values=metric)
            assert values.shape == (
                len(strengths) + (regularizer == "dropout"),
                SEEDS[experiment],
            )  # with the discarded
            mean, error = values.mean(axis=1), values.std(axis=1) / np.sqrt(SEEDS[experiment])
            if (experiment, regularizer) == ("deep", "dropout"):
                mean.iloc[-1] = error.iloc[-1] = np.nan  # one seed is good, the others are not
            (container,) = axes.containers
            np.testing.assert_allclose(container[0].get_xydata(), np.column_stack([values.index, mean]))
            errors = [np.ptp(bar[:, 1]) / 2 if len(bar) else np.nan for bar in container[2][0].get_segments()]
            np.testing.assert_allclose(errors, error, atol=1e-12)
            seeds = [line for line in axes.lines if line.get_linewidth() == 0.6]
            np.testing.assert_array_equal([line.get_ydata() for line in seeds], values.T)
            dots = [line.get_markevery() for line in seeds]
            assert dots == [np.flatnonzero(mean.isna()).tolist()] * len(seeds)
            untrained = table.loc[table["regularizer"] == "none", metric].mean()
            assert any(line.get_ydata()[0] == untrained for line in axes.lines)


def test_accuracies_near_1_are_told_apart():
    accuracy = np.array([0, 0.1135, 0.8, 0.946, 0.977, 0.9999, 1])
    heights = metric_panels.to_height(accuracy)
    np.testing.assert_allclose(metric_panels.to_accuracy(heights), accuracy, atol=1e-12)
    assert (np.diff(heights) > 0.2).sum() == 5  # all but 0 and chance
    assert (np.diff(heights) > 0).all()


# Figures S9 and S10.


def test_a_strength_is_good_if_half_of_its_seeds_are():
    accuracy = {0.1: [0.9, 0.9], 0.2: [0.9, 0.1], 0.3: [0.8, 0.7999], 0.4: [0.1, 0.1], 0.5: [np.nan, np.nan]}
    rows = [("deep", "l2", strength, value) for strength, values in accuracy.items() for value in values]
    rows += [("deep", "l1", 0.7, 0.9), ("base", "l2", 0.6, 0.9)]
    models = pd.DataFrame(rows, columns=["experiment", "regularizer", "strength", "test_accuracy"])
    models[LIMIT] = 0.8
    assert selection.good_strengths(models, "deep", "l2") == [0.1, 0.2, 0.3]
    assert selection.good_strengths(models, "deep", "dropout") == []


@pytest.mark.parametrize(("name", "column"), [("figS9", "q"), ("figS10", "num_clusters")])
def test_depth_is_drawn_at_the_largest_good_strength(given, drawn, name, column):
    figure = drawn[name]
    table = given["modularity"]
    for regularizer, strength in (
        ("l2", 1e-2),
        ("l1", 1e-3),
        ("dropout", 0.5),
    ):  # the strongest have too few good seeds
        for layer in range(1, 6):
            rows = table[(table["experiment"] == "deep") & (table["layer"] == layer)]
            values = scores(rows, FORMS[5], regularizer, strength, column)
            expected = [layer, values.mean(), values.std(ddof=1) / np.sqrt(3)]
            np.testing.assert_allclose(sweeps_drawn(figure)[FORMS[5], regularizer][layer - 1], expected)
            untrained = scores(rows, FORMS[5], "none", 0.0, column)
            (widest,) = [patch for patch in panels_of(figure)[FORMS[5]].patches[::3] if patch.get_x() == layer - 0.5]
            assert widest.get_height() == pytest.approx(6 * untrained.std(ddof=1))
            assert widest.get_y() == pytest.approx(untrained.mean() - 3 * untrained.std(ddof=1))
    assert "L2 0.01, L1 0.001, dropout 0.5: the largest" in words(figure)


def test_the_foot_counts_what_is_drawn(drawn):
    """Deep: 3 strengths of 3 seeds. Base: 3 times 4 strengths of 9 seeds."""
    for name in ("figS9", "figS10"):
        assert "Deep: 9 of 37 trained networks; 8 discarded (test accuracy < 80%); 20 untrained" in words(drawn[name])
    assert "Base: 108 of 252 trained networks; 18 discarded" in words(drawn["figS11"])


# Figure S5, and restarts.


def counts(axes):
    """Of a panel of hexagons, their places, weighted by counts."""
    (hexagons,) = axes.collections
    return np.repeat(hexagons.get_offsets(), hexagons.get_array().astype(int), axis=0)


def test_figS5_sets_the_search_against_its_parts(given, drawn):
    panels = [axes for axes in drawn["figS5"].axes if axes.get_title()]
    kept = selection.keep_good(given["modularity"], given["models"])
    kept = kept[kept["experiment"].isin(PAPERS)]
    for (upper, lower), column in zip((panels[::2], panels[1::2]), ("q_spectral", "q_from_one_cluster"), strict=True):
        pairs = kept[[column, "q"]].dropna()
        places, size = counts(upper), np.ptp(upper.get_xlim()) / 45
        assert len(places) == len(pairs)
        for place, values in zip(places.T, pairs.to_numpy().T, strict=True):
            np.testing.assert_allclose(np.sort(place), np.sort(values), atol=size)
        low, high = lower.get_xlim()
        shown = ((pairs >= low) & (pairs <= high)).all(axis=1).sum()
        assert len(counts(lower)) == shown > len(pairs) / 2
        assert upper.get_xlim() == upper.get_ylim()


def test_figS5_counts_the_matrices_that_gain(models, modularity):
    table = modularity.head(40).assign(q=0.5, q_spectral=[0.5] * 10 + [0.4] * 25 + [0.6] * 5)
    said = figS5.draw(table, models).axes[0].get_title()
    assert said == "40 matrices: better in 62.5%, worse in 12.5%;\nmedian difference 0.1"


def test_figrestarts_shows_gains_in_percent(models, modularity):
    table = modularity[modularity["experiment"] == "base"].head(8)
    table = table.assign(q=[0.0, *[0.2] * 7], q_best=[0.0, 0.2, *[0.25] * 6], q_leiden=0.25)
    paper, leiden, _, _ = figrestarts.draw(table, models).axes[:4]
    np.testing.assert_allclose(np.sort(counts(paper)[:, 1]), [0, *[25] * 6], atol=0.5)  # Q = 0 has no percentage
    assert paper.get_title(loc="left").endswith("\nbase: better in 85.7%, worse in 0.0%; median +25.00%")
    assert leiden.get_title(loc="left").endswith("\nbase: better in 0.0%, worse in 25.0%; median +0.00%")


def test_figrestarts_counts_the_restarts_that_find_the_best(models, modularity):
    table = modularity[modularity["experiment"] == "wide"].head(8).assign(best_restarts=[0, 1, 1, 1, 1, 3, 3, np.nan])
    bars = figrestarts.draw(table, models).axes[2].patches
    assert [round(bar.get_x() + bar.get_width() / 2) for bar in bars] == [0, 1, 2, 3]
    np.testing.assert_allclose([bar.get_height() for bar in bars], [1 / 7, 4 / 7, 0, 2 / 7])


# Other scores, repeated searches, and the protocol.


def test_figscores_draws_a_point_a_pair_and_their_rank_correlation(given, drawn):
    joined = given["agreement"].merge(given["models"], on=RUN)
    pairs = np.triu_indices(8, 1)
    for row, experiment in enumerate(PAPERS):
        table = joined[joined["experiment"] == experiment]
        x = mean_by_loops(table, "element_similarity", True)[pairs]
        for axes, score in zip(drawn["figscores"].axes[4 * row : 4 * row + 4], figscores.SCORES, strict=True):
            y = mean_by_loops(table, score, True)[pairs]
            np.testing.assert_allclose([line.get_xydata()[0] for line in axes.lines], np.column_stack([x, y]))
            assert axes.get_title().endswith(f"ρ = {spearmanr(x, y).statistic:.2f}")


def test_there_are_four_kinds_of_pairs():
    kinds = [kind(a, b) for a, b in combinations(FORMS, 2)]
    assert [kinds.count(kind) for kind in ("own", "upstream", "downstream", "across")] == [4, 4, 4, 16]
    assert kind(Form("o_sens", False), Form("hess", True)) == "downstream"


def test_figrepeats_compares_a_form_with_itself_and_with_others(given, drawn):
    joined, searches = (given[name].merge(given["models"], on=RUN) for name in ("agreement", "repeats"))
    panels = iter(drawn["figrepeats"].axes)
    for trained in (True, False):
        for score in ("element_similarity", "element_similarity_best"):
            for experiment in PAPERS:
                means = mean_by_loops(joined[joined["experiment"] == experiment], score, trained)
                own = searches[(searches["experiment"] == experiment) & (searches["trained"] == trained)]
                own = own[~own["trained"] | (own["test_accuracy"] >= 0.8)]
                own = own[(own["measure"] == "i_sens") & own["normalized"]][score].mean()
                points = [line.get_xdata()[0] for line in next(panels).lines if line.get_ydata()[0] == 3]
                expected = [own, means[3, 2], means[3, [0, 1]].mean(), means[3, 4:].mean()]
                np.testing.assert_allclose(points, expected)


def test_figrepeats_counts_the_rows_in_which_others_agree_more():
    rows = {"repeat": [0.5, 0.5, 0.5, np.nan], "own": [0.6, 0.7, 0.4, 0.9], "family": [0.6, 0.1, 0.5, 0.9]}
    assert figrepeats.count_beyond(pd.DataFrame({**rows, "across": 0.2})) == "2 / 1 / 0 of 3"


def test_figrepeats_says_that_there_are_none(given):
    figure = draw("figrepeats", given | {"repeats": given["repeats"].head(0)})
    assert words(figure).count("none searched again") == 4
    assert_legible(figure)


def rows_of_protocol(figure):
    """The panels of each row."""
    return [figure.axes[place : place + 3] for place in range(0, 36, 3)]


def test_figprotocol_sets_base_beside_early(given, drawn):
    models = given["models"]
    good = models[~models["trained"] | (models["test_accuracy"] >= 0.8)]
    sparsity, *modularity, upstream, downstream, across = rows_of_protocol(drawn["figprotocol"])
    joined = given["agreement"].merge(good, on=RUN)
    within = joined[(joined["measure_a"] == "o_sens") & (joined["measure_b"] == "hess")]
    families = [["cov", "i_sens"], ["o_sens", "hess"]]
    between = joined[joined["measure_a"].isin(families[0]) & joined["measure_b"].isin(families[1])]
    of_form = sweeps.of_form(given["modularity"], FORMS[5]).merge(good, on=RUN)
    for row, table, column in (
        (sparsity, good, "sparsity"),
        (modularity[5], of_form, "q"),
        (downstream, within, "element_similarity"),
        (across, between, "element_similarity"),
    ):
        for axes, regularizer in zip(row, BASE, strict=True):
            for container, experiment in zip(axes.containers, ("base", "early"), strict=True):
                chosen = (table["experiment"] == experiment) & (table["regularizer"] == regularizer)
                of_seeds = table[chosen].groupby(["strength", "seed"])[column].mean().unstack()
                line = container[0].get_xydata()[regularizer == "dropout" :]
                np.testing.assert_allclose(line, np.column_stack([of_seeds.index, of_seeds.mean(axis=1)]))
    assert len(upstream[2].containers[0][0].get_xydata()) == 15  # the baseline and 14 strengths


def test_figprotocol_tells_the_largest_difference():
    rows = [(name, "l2", 0.1, mean, False) for name, mean in (("base", 0.9), ("early", 0.5))]
    rows += [(name, "l1", 0.1, mean, True) for name, mean in (("base", 0.9), ("early", 0.0))]  # too few seeds
    columns = ["experiment", "regularizer", "strength", "mean", "few"]
    summary = pd.DataFrame(rows, columns=columns).set_index(columns[:3])
    assert figprotocol.largest_difference(summary) == ".40, L2"
    assert figprotocol.largest_difference(summary.assign(mean=0.1)) == "0"
    assert figprotocol.largest_difference(summary[summary.index.get_level_values(0) == "base"]) == ""


@pytest.mark.parametrize("name", ["base", "early"])
def test_figprotocol_says_which_experiment_is_missing(given, name):
    without = {key: given[key][given[key]["experiment"] != name] for key in ("models", "modularity", "agreement")}
    figure = draw("figprotocol", {**given, **without})
    assert {len(axes.containers) for row in rows_of_protocol(figure) for axes in row} == {1}
    assert f"{name.capitalize()}: no networks in the tables" in words(figure)
    assert words(figure).count(": none in the tables") == 1
    assert_legible(figure)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ("clustering: steps: 20000; clustering: entropy: 0.5", "clustering: steps 20,000; clustering: entropy 0.5"),
        ("similarity: part: training", "similarity: part training"),
        ("training: validation_penalty: True", "training: validation penalty"),
        ("training: early_stop: False", "training: no early stop"),
        ("accuracy cut-off: 90 %", "accuracy cut-off: 90 %"),
    ],
)
def test_figsensitivity_writes_choices_in_words(choice, words):
    assert figsensitivity.in_words(choice) == words


# Claims, chance and lesions.


def test_figclaims_shows_each_main_claim_on_its_side_of_the_limit(given, drawn):
    words_of, numbers = drawn["figclaims"].axes[0], drawn["figclaims"].axes[2]
    claims = given["claims"].set_index("id")
    rows = [claims.loc[f"{id}/{suffix}".rstrip("/")] for id, (suffix, _) in MAIN.items()]
    places = {round(line.get_ydata()[0]): line.get_xdata()[0] for line in numbers.lines if line.get_marker() == "o"}
    assert len(places) == len(MAIN)
    for place, row in enumerate(rows):
        assert np.sign(places[place]) == np.sign(row["distance"])
    bars = [line.get_xdata() for line in numbers.lines if line.get_linewidth() == 2]
    for (low, high), row in zip(bars, rows, strict=True):
        decided = row["verdict"] in ("holds", "fails")
        assert (low >= 0 or high <= 0) == decided
    assert len(words_of.texts) == len(MAIN) + 1


def test_figclaims_says_what_cannot_be_tested(given):
    claims = given["claims"].copy()
    first = claims["id"] == "redundancy"
    claims.loc[first, ["value", "ci_low", "ci_high"]] = np.nan
    claims.loc[first, "verdict"] = "not testable: no networks"
    claims.loc[claims["id"] == "q-l1-weak/weak", ["value", "ci_low", "ci_high"]] = (np.inf, -np.inf, np.inf)
    figure = draw("figclaims", {**given, "claims": claims})
    assert "not testable on this run" in words(figure)
    assert_legible(figure)


def test_fignull_draws_what_is_above_turned_axes(given, drawn):
    modularity = given["modularity"].assign(q=given["modularity"].eval("q - q_rotated"))
    expected = sweeps_drawn(draw("fig3", {**given, "modularity": modularity}))
    found = sweeps_drawn(drawn["fignull"])
    assert found.keys() == expected.keys()
    for key, points in found.items():
        np.testing.assert_allclose(points, expected[key])
    low = modularity.assign(q=modularity["q"] - 0.2, q_rotated=0.0)
    panel = panels_of(draw("fignull", {**given, "modularity": low}))[FORMS[0]]
    assert panel.get_ylim()[0] < -0.1
    without = draw("fignull", {**given, "modularity": given["modularity"].drop(columns="q_rotated")})
    assert "the tables have no modularity in turned axes" in words(without)


def test_figlesions_draws_ratios_of_sums_over_clusters(given, drawn):
    panels = np.array(drawn["figlesions"].axes[:16]).reshape(4, 4)
    lesions = given["lesions"]
    rows = lesions[(lesions["experiment"] == "base") & (lesions["measure"] == "cov")]
    for row, expected in zip(panels, (2, 1.5, 0.4, 0.8), strict=True):
        for axes in row:
            for container in axes.containers:
                assert container[0].get_ydata() == pytest.approx(np.full(len(container[0].get_ydata()), expected))
    twice = lesions["loss"].where(lesions["cluster"] == 0, 2 * lesions["loss"])  # sums weigh what costs more
    figure = draw("figlesions", {**given, "lesions": lesions.assign(loss=twice)})
    (line,) = {c[0] for c in figure.axes[0].containers if c[0].get_linestyle() == "--"}
    l2 = rows[rows["regularizer"] == "l2"].assign(loss=twice)
    sums = l2.groupby(["strength", "seed"])[["loss", "loss_random"]].sum()
    expected = (sums["loss"] / sums["loss_random"]).groupby("strength").mean()
    good = [strength for strength in expected.index if strength < STRONGEST["l2"]]
    assert line.get_ydata() == pytest.approx(expected[good])


# Networks of the user's.


def test_figlayers_draws_every_network_and_their_mean(given, drawn):
    wide = given["modularity"][given["modularity"]["experiment"] == "wide"]
    for axes, normalized in zip(drawn["figlayers"].axes, (False, True), strict=True):
        assert [label.get_text() for label in axes.get_xticklabels()] == ["…er.0.activation", "fc2"]
        rows = wide[(wide["measure"] == "o_sens") & (wide["normalized"] == normalized)]
        place = 3 * FORMS.index(Form("o_sens", normalized))
        dots, mean, untrained = axes.lines[place : place + 3]
        assert dots.get_color() == Form("o_sens", normalized).color
        trained, others = (rows[(rows["regularizer"] == "none") == untrained] for untrained in (False, True))
        np.testing.assert_array_equal(np.sort(dots.get_ydata()), np.sort(trained["q"]))
        for line, part in ((mean, trained), (untrained, others)):
            np.testing.assert_allclose(line.get_ydata(), [part.loc[part["layer"] == n, "q"].mean() for n in (1, 2)])
    assert "wide: 45 networks; dotted, 20 as the factory makes them." in words(drawn["figlayers"])


def test_figpairs_draws_means_of_trained_and_untrained_networks(given, drawn):
    joined = given["agreement"].merge(given["models"].assign(test_accuracy=1.0), on=RUN)
    joined = joined[joined["experiment"] == "wide"]
    for axes, trained in zip(drawn["figpairs"].axes, (True, False), strict=False):
        np.testing.assert_allclose(axes.images[0].get_array(), mean_by_loops(joined, "element_similarity", trained))


# Table S1.


def test_tableS1_is_the_papers():
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    rows = list(tableS1.sweeps(config["experiments"], config["l2_floor"]))
    assert sum(row["networks"] for row in rows if row["experiment"] in PAPERS) == 360
    assert all(set(row) == set(tableS1.COLUMNS) for row in rows)
    lines = tableS1.latex(rows).splitlines()
    assert r"base: (64, 64), 9 seeds & logspace(-5, -1, 9) & 0 & 0 \\" in lines
    assert r" & 1e-05 & 0 & linspace(0.05, 0.7, 14) \\" in lines
    assert [line.count("&") for line in lines if line.endswith(r"\\")] == [3] * (1 + len(rows))


def test_tableS1_lists_strengths_and_leaves_out_what_is_not_run():
    base = {"hidden": [8], "seeds": 2, "sweeps": {"dropout": [0.1, 0.25]}}
    (row,) = tableS1.sweeps({"base": base, "wide": None}, 1e-5)
    assert (row["dropout"], row["l2"], row["l1"], row["networks"]) == ("0.1, 0.25", "1e-05", "0", 4)


# All figures.


def lacking(given, **changes):
    return {**given, "examples": [], **changes}


def test_the_papers_figures_are_of_its_three_experiments(drawn):
    """And not of base's networks stopped early, a fourth one of ours."""
    assert [name for name in FIGURES if "early" in words(drawn[name]).lower()] == ["figS1", "figprotocol"]


def of_experiments(given, names):
    """The tables with just these experiments, renamed."""
    return given | {
        key: pd.concat([table[table["experiment"] == old].assign(experiment=new) for old, new in names.items()])
        for key, table in given.items()
        if key in ("models", "modularity", "agreement", "repeats")
    }


EACH_EXPERIMENT = ("fig4", "fig5", "figS5", "figS8", "figS12", "figscores", "figrestarts", "figrepeats")


@pytest.mark.parametrize("name", EACH_EXPERIMENT)
@pytest.mark.parametrize("others", [["other"], ["other", "narrow", "broad"]])
def test_an_experiment_of_another_architecture_is_drawn_like_the_papers(name, others, given, drawn):
    """With no list of names to be changed; and nothing falls apart."""
    tables = of_experiments(given, {name: name for name in PAPERS})
    for other in others:
        more = of_experiments(given, {"wide": other})
        tables |= {key: pd.concat([tables[key], more[key]]) for key in ("models", "modularity", "agreement", "repeats")}
    figure = draw(name, tables)
    assert_legible(figure, tallest=24)
    assert_whole(figure)
    for other in others:
        assert f"{other.capitalize()}: 39 trained networks" in words(figure)
    if name not in ("figS5", "figrestarts"):  # these pool all experiments in each panel
        panels, before = (sum(bool(axes.images or axes.lines) for axes in one.axes) for one in (figure, drawn[name]))
        experiments = 2 if name in ("fig4", "figS8") else 3
        assert panels * experiments == before * (experiments + len(others))


@pytest.mark.parametrize("name", EACH_EXPERIMENT)
@pytest.mark.parametrize("only", [["base"], ["wide"], ["base", "deep"]])
def test_fewer_experiments_leave_no_empty_panels(name, only, given):
    figure = draw(name, of_experiments(given, {experiment: experiment for experiment in only}))
    assert_legible(figure)
    text = words(figure)
    if name in ("fig4", "figS8") and only == ["base"]:
        assert "no networks of other experiments" in text
    else:
        assert not re.search("no (trained|untrained|networks)|none", text.replace("none left at", ""))
        assert [experiment for experiment in PAPERS if f"{experiment.capitalize()}: " in text] == [
            experiment for experiment in only if (name, experiment) not in (("fig4", "base"), ("figS8", "base"))
        ]


def test_experiments_that_share_an_architecture_are_drawn_once():
    """The first has untrained networks; where none has any, all are drawn. Networks of the user's have no sweeps."""
    rows = [("base", "l2", True), ("base", "none", False), ("wide", "none", False)]
    rows += [("early", "l2", True), ("deep", "l1", True), ("deep", "none", False)]
    rows += [("mine", "checkpoint.pt", True), ("mine", "none", False)]
    models = pd.DataFrame(rows, columns=["experiment", "regularizer", "trained"])
    assert selection.experiments(models) == ["base", "deep"]
    assert selection.experiments(models[models["trained"]]) == ["base", "early", "deep"]
    assert selection.experiments(models[~models["trained"]]) == ["base", "wide", "deep", "mine"]


OF_ONE = ("fig3", "figS2", "figS3", "figS4", "figS6", "figS7", "figS9", "figS10", "figS11", "figprotocol")


@pytest.mark.parametrize("name", OF_ONE)
def test_figures_of_one_experiment_say_that_it_is_missing(name, given):
    figure = draw(name, lacking(of_experiments(given, {"wide" if name != "figS3" else "deep": "other"})))
    assert re.search("no (trained|L2|base)? ?networks", words(figure))
    if name in ONE_OF_EACH:
        assert_legible(figure)


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("figS5", ["q_from_one_cluster"]),
        ("figrestarts", ["q_best", "q_leiden", "q_from_one_cluster_full", "best_restarts"]),
        ("figscores", ["rmi", "vi", "ari", "spearman"]),
        ("figrepeats", ["element_similarity_best"]),
    ],
)
def test_figures_say_which_columns_are_missing(name, columns, given):
    tables = {key: given[key] for key in ("modularity", "agreement", "repeats")}
    blank = {key: table.assign(**dict.fromkeys(columns, np.nan)) for key, table in tables.items()}
    without = {key: table.drop(columns=columns) for key, table in blank.items()}
    for changed in (blank, without):
        said = words(draw(name, lacking(given, **changed))).replace("_ ", "_")
        assert all(re.search(f"no (networks with )?{column}", said) for column in columns)


def luminance(color):
    """WCAG 2: https://www.w3.org/TR/WCAG21/#dfn-relative-luminance"""
    parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in color]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def smallest_glyph(text: Text) -> float:
    """In points; superscripts are smaller than their text."""
    if text.get_text().count("$") < 2:
        return text.get_fontsize()
    parse = partial(MathTextParser("path").parse, dpi=72, prop=text.get_fontproperties())
    return min(glyph[1] for line in text.get_text().splitlines() for glyph in parse(line).glyphs)


def boxes(figure: Figure) -> dict[Text, np.ndarray]:
    """The pixels that each text covers: left, right, bottom, top."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    return {text: np.ravel(np.transpose(text.get_window_extent(renderer).get_points())) for text in texts(figure)}


def beneath(figure: Figure, found: dict[Text, np.ndarray]) -> dict[Text, np.ndarray]:
    """All pixels below each text, as rows of red, green and blue: what there would be without any text."""
    for text in found:
        text.set_visible(False)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    picture = np.asarray(canvas.buffer_rgba())[::-1, :, :3] / 255
    for text in found:
        text.set_visible(True)
    inside = {text: np.concatenate([np.ceil(box[::2]), np.floor(box[1::2])]).astype(int) for text, box in found.items()}
    return {text: picture[bottom:top, left:right].reshape(-1, 3) for text, (left, bottom, right, top) in inside.items()}


def arrange(figure: Figure) -> None:
    """Place all parts for good, as for a file: later, hidden text would leave its room to others."""
    style.arrange(figure)
    figure.draw_without_rendering()  # labels follow their axes when they are drawn


def assert_legible(figure: Figure, tallest: float = TALLEST):
    """No text is small, pale, on top of anything that is drawn, on other text, or off the page."""
    figure.set_dpi(100)
    arrange(figure)
    found = boxes(figure)
    everything = figure.get_tightbbox()
    rounding = 1e-9
    assert 0 <= everything.x0 < everything.x1 <= figure.get_figwidth() + rounding <= 7 + 2 * rounding
    assert 0 <= everything.y0 < everything.y1 <= figure.get_figheight() + rounding
    assert figure.get_figheight() <= tallest
    for text, pixels in beneath(figure, found).items():
        assert smallest_glyph(text) >= 6.5, text
        assert len(pixels)
        assert np.ptp(pixels, axis=0).max() == 0, f"{text} covers something"
        assert contrast(to_rgb(text.get_color()), pixels[0]) >= 4.5, text
    left, right, bottom, top = np.array(list(found.values())).T
    apart = (left[:, None] > right - 1) | (bottom[:, None] > top - 1)
    overlapping = np.argwhere(~(apart | apart.T) & ~np.eye(len(left), dtype=bool))
    assert [(list(found)[a].get_text(), list(found)[b].get_text()) for a, b in overlapping] == []


@pytest.mark.parametrize("name", FIGURES)
def test_print_is_legible_and_fits_the_page(name, drawn):
    assert_legible(drawn[name])


def assert_whole(figure: Figure):
    """No point is cut off at an end of its axes."""
    arrange(figure)
    for axes in figure.axes:
        for line in axes.lines:
            if line.get_marker() not in ("None", ""):
                inside = axes.bbox.padded(-0.45 * line.get_markersize() * figure.dpi / 72)
                places = axes.transData.transform(line.get_xydata())
                assert all(inside.contains(*place) for place in places if np.isfinite(place).all()), axes


@pytest.mark.parametrize("name", FIGURES)
def test_no_point_is_cut_off(name, drawn):
    assert_whole(drawn[name])


@pytest.mark.parametrize("name", ["figS2", "figS6", "figS9", "figprotocol", "figrepeats"])
def test_no_point_at_0_is_cut_off(name, given):
    changes = {
        "models": {"sparsity": 0.0},
        "modularity": {"q": 0.0},
        "agreement": {"element_similarity": 0.0},
        "repeats": {"element_similarity": 1.0},
    }
    assert_whole(draw(name, given | {key: given[key].assign(**change) for key, change in changes.items()}))


def test_footnotes_have_no_orphans():
    for length in range(10, 90):
        lines = style._balanced("word " * length).splitlines()
        assert len(lines) == -(-(5 * length - 1) // style.LINE)  # no more than are needed
        assert np.ptp([len(line) for line in lines]) <= 5 * len(lines)


@pytest.mark.parametrize("name", ["fig3", "figS5"])
def test_saved_files_are_the_same_bytes_each_time(name, given, tmp_path):
    for attempt in ("once", "again"):
        files.save(draw(name, given), [tmp_path / attempt / f"{name}.{suffix}" for suffix in ("pdf", "png", "svg")])
    for path in (tmp_path / "once").iterdir():
        content = path.read_bytes()
        assert content == (tmp_path / "again" / path.name).read_bytes()
        assert not any(word in content for word in (b"CreationDate", b"dc:date", b"tIME"))
    assert len(list((tmp_path / "again").iterdir())) == 3


def test_places_lack_the_digits_that_differ_from_one_time_to_the_next(drawn):
    figure = drawn["fig3"]
    arrange(figure)
    parts = figure.findobj(SubFigure, include_self=False)
    corners = [
        box.get_points()
        for box in (
            *(axes.get_position(original=True) for axes in figure.axes),
            *(part.bbox_relative for part in parts),
        )
    ]
    np.testing.assert_allclose(corners, np.round(corners, 6), rtol=0, atol=1e-15)


@pytest.mark.parametrize("name", [*FIGURES, "tableS1", "claims"])
def test_captions_are_whole_restructured_text(name):
    """A word that ends in an underscore, for one, would become a broken reference in the report."""
    if name in FIGURES:
        caption = catalog.FIGURES[name].caption.format(limit="80 %")
    else:
        caption = (ROOT / "workflow/report" / f"{name}.rst").read_text()
    assert len(caption.split()) > 20
    docutils.core.publish_doctree(caption, settings_overrides={"halt_level": 1, "report_level": 5})
    number = re.fullmatch("fig(S?[0-9]+)", name)
    assert number is None or f"Figure {number[1]} of the paper" in " ".join(caption.split())


def test_save_knows_three_formats(tmp_path):
    with pytest.raises(ValueError, match=r"fig3\.jpg: figures are written as \.pdf, \.png, \.svg"):
        files.save(Figure(), [tmp_path / "fig3.jpg"])
