"""Modularity as an aim of training, against plain torch: automatic differentiation, Jacobians image by image, its Adam.

And what else belongs to it: its sweeps in the configuration, and that the paper's figures and claims leave it out.
"""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from jsonschema import Draft202012Validator
from torch.nn.functional import cross_entropy, one_hot, pad, relu

from unit_clusters.clusters.modularity import adjacency, modularity
from unit_clusters.similarity.normalization import EPSILON, normalize
from unit_clusters.streams import stream
from unit_clusters_paper.data.idx import Dataset
from unit_clusters_paper.data.images import Batch, prepare
from unit_clusters_paper.figures.tableS1 import sweeps
from unit_clusters_paper.networks import products
from unit_clusters_paper.networks.ensemble import Ensemble, Stack, initialize
from unit_clusters_paper.networks.modular import CERTAIN, CLUSTERS, RATE, Modularity, descent
from unit_clusters_paper.networks.training import Run, Settings, gradients, train
from unit_clusters_paper.results.selection import read
from unit_clusters_paper.runs.aims import AIMS
from unit_clusters_paper.runs.sweep import cohorts

ROOT = Path(__file__).parent.parent

SEED = 3
SIZES = (16, 12, 9, 10)
PLAIN = Run("plain", SEED, 0.0, 1e-5, 0.0)
UPSTREAM = PLAIN._replace(id="upstream", upstream=0.3)
DOWNSTREAM = PLAIN._replace(id="downstream", downstream=2.0)
BOTH = PLAIN._replace(id="both", upstream=0.7, downstream=0.7)
FIXED = BOTH._replace(id="fixed", clusters="fixed")
PERMUTED = BOTH._replace(id="permuted", clusters="permuted")
RUNS = [PLAIN, UPSTREAM, DOWNSTREAM, BOTH, FIXED, PERMUTED]


def soft_modularity(similarity, assignment):
    """Q of eqs. (5) and (6), as they are written, of the units that are alive."""
    alive = similarity.diagonal() > EPSILON
    similarity, assignment = similarity[alive][:, alive], assignment[alive]
    own = similarity.diagonal()
    normalized = similarity.abs() / torch.outer(own, own).sqrt()
    weights = normalized - normalized.diagonal().diag()
    if not weights.any():
        return 0 * (similarity.sum() + assignment.sum())
    weights = weights / weights.sum()
    within = torch.trace(assignment.T @ weights @ assignment)
    return within - (assignment.T @ weights.sum(1)).square().sum()


class Network(torch.nn.Module):
    """One of an ensemble, and the assignments of its units."""

    def __init__(self, ensemble, run):
        super().__init__()
        given = zip(ensemble.weights, ensemble.biases, strict=True)
        self.weights, self.biases = (
            torch.nn.ParameterList(parameter[0].clone() for parameter in kind) for kind in zip(*given, strict=True)
        )
        self.units = ensemble.sizes[1:-1]
        shape = (len(self.units), 2 * math.ceil(max(self.units) / 2), CLUSTERS)
        drawn = torch.from_numpy(stream("assignments", *ensemble.sizes, run.seed).normal(0, 1 / RATE, shape))
        self.theta = torch.nn.ParameterList(layer[:units] for layer, units in zip(drawn, self.units, strict=True))
        self.clusters, self.deals = run.clusters, stream("permuted clusters", *ensemble.sizes, run.seed)
        if run.clusters != "learned":
            self.give([np.arange(number) for number in self.units])

    def give(self, places):
        """Clusters of equal size, of units by their places."""
        for theta, place in zip(self.theta, places, strict=True):
            theta.data = CERTAIN * one_hot(torch.tensor(CLUSTERS * place // len(place)), CLUSTERS).to(theta)

    def begin_epoch(self):
        if self.clusters == "permuted":
            self.give([self.deals.permutation(number) for number in self.units])

    def forward(self, activity, layer=0, masks=None):
        """The activities of the hidden layers above this one, and the logits."""
        hidden = []
        for number in range(layer, len(self.weights) - 1):
            activity = relu(activity @ self.weights[number].T + self.biases[number])
            activity = activity if masks is None else activity * masks[number]
            hidden.append(activity)
        return hidden, activity @ self.weights[-1].T + self.biases[-1]

    def aim(self, images, run, masks=None):
        """The term of the loss, with the Jacobian of each image by automatic differentiation."""
        total = 0.0
        for layer, activity in enumerate(self(images, masks=masks)[0], start=1):
            assignment = (RATE * self.theta[layer - 1]).softmax(1)
            centered = activity - activity.mean(0)
            covariance = centered.T @ centered / len(images)

            def above(one, masks=None, layer=layer):
                return self(one, layer, masks)[1]

            derive = torch.func.vmap(torch.func.jacrev(above))
            jacobian = derive(activity) if masks is None else derive(activity, masks)
            sensitivity = torch.einsum("iau,iav->uv", jacobian, jacobian) / len(images)
            total = total - run.upstream * soft_modularity(covariance, assignment)
            total = total - run.downstream * soft_modularity(sensitivity, assignment)
        return total


@pytest.fixture
def data():
    random = np.random.default_rng(0)
    labels = random.integers(0, 10, 190)
    pixels = np.clip(random.integers(0, 256, (10, 16))[labels] + random.normal(0, 60, (190, 16)), 0, 255)
    dataset = Dataset(pixels.astype(np.uint8), labels, pixels.astype(np.uint8), labels)
    return prepare(dataset, 0.21, torch.float64)  # 150 to train on: a short last batch


def start(runs, sizes=SIZES):
    return Ensemble(initialize(sizes, [SEED] * len(runs)).parameters.double(), sizes)


def batch_of(data, number=50):
    images = data.training
    return Batch(images.pixels[:number].double() / 255, torch.arange(16), images.labels[:number])


def zeros_like(stack):
    return Stack(torch.zeros_like(stack.first), torch.zeros_like(stack.rest), stack.sizes)


def gradients_of(ensemble, batch, runs, masks=None):
    """Of all that is minimized but the penalties: by parameters, an ensemble, and by theta."""
    strengths = torch.tensor([(run.upstream, run.downstream) for run in runs], dtype=torch.float64)
    aim = Modularity(strengths, [run.clusters for run in runs], ensemble.sizes, SEED)
    aim.deal()
    stack = Stack.of(ensemble)
    found = zeros_like(stack)
    gradients(stack, batch, masks, found, aim)
    return found.ensemble(), aim.slopes


def assert_as_by_autograd(ensemble, batch, runs, masks=None):
    found, by_theta = gradients_of(ensemble, batch, runs, masks)
    for model, run in enumerate(runs):
        network = Network(ensemble[model : model + 1], run)
        network.begin_epoch()
        of_images = None if masks is None else [mask[model].T for mask in masks]
        logits = network(batch.pixels, masks=of_images)[1]
        (cross_entropy(logits, batch.labels) + network.aim(batch.pixels, run, of_images)).backward()
        for mine, parameter in zip([*found.weights, *found.biases], network.parameters(), strict=False):
            torch.testing.assert_close(mine[model], parameter.grad, rtol=1e-9, atol=1e-13)
        for mine, part in zip(by_theta[model].reshape(len(network.units), -1, CLUSTERS), network.theta, strict=True):
            expected = pad(part.grad, (0, 0, 0, len(mine) - len(part)))
            torch.testing.assert_close(mine, expected, rtol=1e-9, atol=1e-13)


def test_q_of_hard_clusters_is_that_of_the_library():
    factor = np.random.default_rng(1).normal(size=(7, 20))
    factor[2] = 0
    labels = np.array([0, 0, 1, 1, 2, 0, 1])
    expected = modularity(adjacency(normalize(np.abs(factor @ factor.T))), labels)
    found = soft_modularity(torch.tensor(factor @ factor.T), torch.eye(3, dtype=torch.float64)[labels])
    assert found.item() == pytest.approx(expected)


@pytest.mark.parametrize(
    "rows", [{}, {1: 0.0, 4: 0.0}, {2: 1e-8}, {n: 0.0 for n in range(1, 7)}, {n: 0.0 for n in range(7)}]
)
def test_descent_is_the_gradient(rows):
    """Also with dead units, one whose similarity to itself is below the floor, a single live unit, and none."""
    random = torch.Generator().manual_seed(0)
    factor = torch.randn(7, 20, dtype=torch.float64, generator=random)
    for row, size in rows.items():
        factor[row] *= size
    similarity = (factor @ factor.T).requires_grad_()
    assignment = torch.randn(7, 3, dtype=torch.float64, generator=random).softmax(1).requires_grad_()
    (-0.4 * soft_modularity(similarity, assignment)).backward()
    expected = (similarity.grad + similarity.grad.T) / 2
    strength = torch.full((1, 1, 1), 0.4, dtype=torch.float64)
    found, by_assignment = descent(similarity.detach()[None], assignment.detach()[None], strength)
    torch.testing.assert_close(found[0], expected, rtol=1e-9, atol=1e-14)
    torch.testing.assert_close(by_assignment[0], assignment.grad, rtol=1e-9, atol=1e-14)
    assert found.any() == by_assignment.any() == (len(rows) < 6)


@pytest.mark.parametrize("hidden", [(12, 9), (11,)])
def test_gradients_are_those_of_autograd(data, hidden):
    assert_as_by_autograd(start(RUNS, (16, *hidden, 10)), batch_of(data), RUNS)


def test_gradients_under_dropout_are_those_of_autograd(data):
    random = torch.Generator().manual_seed(1)
    masks = [2.0 * (torch.rand(len(RUNS), units, 50, generator=random) < 0.5).double() for units in SIZES[1:-1]]
    assert_as_by_autograd(start(RUNS), batch_of(data), RUNS, masks)


def test_deep_networks_have_upstream_modularity_only(data):
    sizes = (16, 8, 7, 6, 10)
    assert_as_by_autograd(start([UPSTREAM], sizes), batch_of(data), [UPSTREAM])
    with pytest.raises(ValueError, match="one or two hidden layers, not of 3"):
        Modularity(torch.tensor([[1.0, 0.0], [0.1, 0.1]]), ["learned"] * 2, sizes, SEED)


def test_dead_layers_and_a_single_image_have_no_gradient(data):
    """No activity, then no weights to the logits; and nothing varies over one image."""
    ensemble = start([BOTH, BOTH])
    ensemble.biases[1][0], ensemble.weights[2][1] = -1e3, 0
    for part, batch in (((0, 0), batch_of(data)), ((1,), batch_of(data, 1))):
        chosen = ensemble[torch.tensor(part)]
        aimed, by_theta = gradients_of(chosen, batch, [BOTH._replace(upstream=float(part[0]))] * len(part))
        assert aimed.parameters.isfinite().all()
        assert by_theta.isfinite().all()


def test_given_clusters_are_blocks_of_equal_size_and_have_no_gradient(data):
    """Of 12 and 9 units in 8 clusters, one or two are in each; to the bit, and so is the gradient."""
    runs = [FIXED, PERMUTED, PERMUTED._replace(upstream=0.1), BOTH]
    aim = Modularity(torch.ones(4, 2, dtype=torch.float64), [run.clusters for run in runs], SIZES, SEED)
    before = aim.theta.clone()
    aim.deal()
    first = aim.assignments(aim.theta)
    aim.deal()
    for once, again in zip(first, aim.assignments(aim.theta), strict=True):
        units = once.shape[1]
        assert torch.equal(once[0].argmax(1), CLUSTERS * torch.arange(units) // units)
        assert torch.equal(once[0], again[0])
        assert torch.equal(once[1], once[2])
        assert not torch.equal(once[1], again[1])
        assert set(once[:3].unique().tolist()) == set(again[:3].unique().tolist()) == {0.0, 1.0}
        assert torch.equal(once[1].sum(0).sort().values, once[0].sum(0).sort().values)
        assert 0 < once[3].max() < 0.9
    assert torch.equal(aim.theta[3], before[3])
    _, by_theta = gradients_of(start(runs), batch_of(data), runs)
    assert by_theta.any(1).tolist() == [False, False, False, True]


# Training

LAST = Settings(
    batch_size=40, learning_rate=0.01, schedule="constant", stopping_patience=None, max_epochs=3, keep="last"
)
BEST = replace(LAST, learning_rate=0.05, keep="best", stopping_patience=2, max_epochs=30)


def train_alone(ensemble, data, run, settings):
    """The plain loop over one network."""
    network = Network(ensemble, run)
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
    images, (index, _), order = data.training, data.split(SEED), stream("batch order", SEED)
    for _ in range(settings.max_epochs):
        network.begin_epoch()
        for batch in index[order.permutation(len(index))].split(settings.batch_size):
            optimizer.zero_grad()
            shown = images.pixels[batch].double() / 255
            penalty = run.l2 * sum(weight.square().sum() for weight in network.weights)
            loss = cross_entropy(network(shown)[1], images.labels[batch]) + penalty + network.aim(shown, run)
            loss.backward()
            optimizer.step()
    return network


def test_members_are_the_networks_that_plain_torch_trains(data):
    """Weights and assignments, after twelve steps."""
    initial = start(RUNS)
    trained = train(initial, data, RUNS, LAST)
    for model, run in enumerate(RUNS):
        network = train_alone(initial[model : model + 1], data, run, LAST)
        found = [*trained.ensemble.weights, *trained.ensemble.biases, *trained.assignments]
        expected = [*network.weights, *network.biases, *((RATE * theta).softmax(1) for theta in network.theta)]
        for mine, parameter in zip(found, expected, strict=True):
            torch.testing.assert_close(mine[model], parameter.detach(), rtol=1e-7, atol=1e-9)
    learned, given = (trained.assignments[0][model].max(1).values.mean() for model in (3, 4))
    assert 0.3 < learned < given == 1


def test_assignments_are_those_of_the_epoch_that_is_kept(data):
    trained = train(start([BOTH]), data, [BOTH], BEST)
    losses = [epoch.val_loss for epoch in trained.history]
    best = 1 + int(np.argmin(losses))
    assert best < len(losses) < BEST.max_epochs
    short = train(start([BOTH]), data, [BOTH], replace(BEST, keep="last", stopping_patience=None, max_epochs=best))
    assert torch.equal(trained.ensemble.parameters, short.ensemble.parameters)
    for found, expected in zip(trained.assignments, short.assignments, strict=True):
        assert torch.equal(found, expected)


def test_without_an_aim_there_are_no_assignments(data):
    assert train(start([PLAIN]), data, [PLAIN], LAST).assignments is None


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("sizes", [(784, 64, 64, 10), (784, 20, 11, 10)])
def test_company_does_not_change_a_bit(sizes, library, monkeypatch):
    """In float32, of networks with each aim, without one, and of strength 0; alone these two have no aim at all."""
    monkeypatch.setattr(products, "library", lambda: library)
    random = np.random.default_rng(1)
    pixels = (random.integers(0, 256, (700, 784)) * (random.random((700, 784)) < 0.05)).astype(np.uint8)
    labels = random.integers(0, 10, 700)
    data = prepare(Dataset(pixels, labels, pixels, labels), 0.1, torch.float32)
    runs = [PLAIN, PLAIN._replace(id="dropout", dropout=0.3)]
    for place, (name, aim) in enumerate(AIMS.items()):
        for strength in (0.0, 0.1 + 0.3 * place):
            given = dict.fromkeys(aim.families, strength)
            runs.append(PLAIN._replace(id=f"{name} {strength}", clusters=aim.clusters, **given))
    settings = Settings(max_epochs=2)
    together = train(initialize(sizes, [SEED] * len(runs)), data, runs, settings)
    for chosen in ([0], [1], *([model] for model in range(3, len(runs), 2)), [5, 0, 9, 1], [2, 3, 8, 19, 12, 7, 11]):
        apart = train(initialize(sizes, [SEED] * len(chosen)), data, [runs[model] for model in chosen], settings)
        assert torch.equal(apart.ensemble.parameters, together.ensemble.parameters[chosen]), chosen
        for mine, others in zip(apart.assignments or [], together.assignments, strict=False):
            assert torch.equal(mine, others[chosen]), chosen
    plain = [0, *range(2, len(runs), 2)]
    assert (together.ensemble.parameters[plain] == together.ensemble.parameters[0]).all()
    assert len(together.ensemble.parameters.unique(dim=0)) == len(runs) - len(plain) + 1


@pytest.mark.parametrize("settings", [LAST, BEST], ids=["last", "best"])
def test_a_network_that_diverges_ends_and_leaves_its_company_alone(data, settings):
    """By a strength that overflows, and by a weight; either keeps its initial parameters."""
    runs = [BOTH, BOTH._replace(id="huge", upstream=1e308, downstream=1e308), UPSTREAM, PLAIN, DOWNSTREAM]
    initial = start(runs)
    initial.weights[0][4, 0, 0] = math.nan
    trained = train(initial, data, runs, settings)
    epochs = [epoch.run for epoch in trained.history]
    assert epochs.count("huge") == epochs.count("downstream") == 1
    assert torch.equal(trained.ensemble.parameters[1], initial.parameters[1])
    torch.testing.assert_close(trained.ensemble.parameters[4], initial.parameters[4], rtol=0, atol=0, equal_nan=True)
    rest = [0, 2, 3]
    apart = train(start(rest), data, [runs[model] for model in rest], settings)
    assert torch.equal(apart.ensemble.parameters, trained.ensemble.parameters[rest])
    assert [epoch for epoch in trained.history if epoch.run not in ("huge", "downstream")] == apart.history


def test_a_learning_rate_that_is_too_large_keeps_the_last_finite_epoch(data):
    trained = train(start(RUNS), data, RUNS, replace(LAST, learning_rate=1e160))
    assert trained.ensemble.parameters.isfinite().all()
    for run in RUNS:
        losses = [epoch.val_loss for epoch in trained.history if epoch.run == run.id]
        assert [math.isfinite(loss) for loss in losses] == [True] * (len(losses) - 1) + [False]


def test_dead_layers_train_as_without_the_aim(data):
    """No activity of the first layer varies, and so none of the second; weights alone have no upstream modularity."""
    runs = [PLAIN, UPSTREAM, UPSTREAM._replace(id="fixed", clusters="fixed")]
    initial = start(runs)
    initial.biases[0][:] = -1e3
    trained = train(initial, data, runs, LAST)
    assert trained.ensemble.parameters.isfinite().all()
    assert (trained.ensemble.parameters == trained.ensemble.parameters[0]).all()
    assert not torch.equal(trained.ensemble.parameters[0], initial.parameters[0])


# Configuration and tables


@pytest.fixture
def config():
    """The paper's, with all aims as sweeps of an experiment."""
    found = yaml.safe_load((ROOT / "config.yaml").read_text())
    swept = {name: [[0, 0.1], 1.0] for name in AIMS}
    found["experiments"]["modular"] = {"hidden": [64, 64], "seeds": 2, "seeds_per_job": 1, "sweeps": swept}
    return found


def problems(config):
    """What the schema says of it."""
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    return [error.message for error in Draft202012Validator(schema).iter_errors(config)]


def test_each_aim_is_a_sweep(config):
    assert problems(config) == []
    found = [cohort for cohort in cohorts(config) if cohort.experiment == "modular"]
    assert len(found) == 9 * 2 * 2
    assert [cohort.id for cohort in found[:3]] == [
        *("upstream_0to0.1_seeds0-0", "upstream_0to0.1_seeds1-1", "upstream_1_seeds0-0")
    ]
    runs = {run["id"]: run for cohort in found for run in cohort.runs}
    assert len(runs) == 9 * 3 * 2
    for id, expected in {
        "64-64/upstream/0/0": (0.0, 0.0, "learned"),
        "64-64/upstream/0.1/1": (0.1, 0.0, "learned"),
        "64-64/downstream/1/0": (0.0, 1.0, "learned"),
        "64-64/both/0.1/0": (0.1, 0.1, "learned"),
        "64-64/fixed_downstream/0.1/0": (0.0, 0.1, "fixed"),
        "64-64/permuted_both/1/1": (1.0, 1.0, "permuted"),
    }.items():
        run = runs[id]
        assert (run["upstream"], run["downstream"], run["clusters"]) == expected
        assert (run["l1"], run["l2"], run["dropout"]) == (0.0, config["l2_floor"], 0.0)


def test_untrained_networks_are_those_of_base(config):
    assert not any(cohort.experiment == "modular" for cohort in cohorts(config) if not cohort.trained)


@pytest.mark.parametrize("strengths", [[-0.1], [[0.1, -0.1]], ["0.1"], [None], "0.1 to 1", {}, 0.1])
def test_the_schema_refuses_strengths_that_are_none(config, strengths):
    config["experiments"]["modular"]["sweeps"] = {"fixed_both": strengths}
    if strengths == "0.1 to 1":  # of another form, which is read later
        with pytest.raises(ValueError, match=r"modular: sweeps: fixed_both.*not of the form logspace"):
            cohorts(config)
    else:
        assert len(problems(config)) > 0


def test_the_schema_knows_the_aims_by_name(config):
    config["experiments"]["modular"]["sweeps"] = {"fixed_l2": [0.1]}
    (problem,) = problems(config)
    assert "'fixed_l2' was unexpected" in problem


@pytest.mark.parametrize(
    ("sweeps", "message"),
    [
        ({"upstream": "linspace(-1, 1, 3)"}, "modular: sweeps: upstream: -1 is below 0"),
        ({"both": [0.1, [0.1, 0.2]]}, "modular: sweeps: both.*not all different"),
    ],
)
def test_a_bad_sweep_is_named(config, sweeps, message):
    config["experiments"]["modular"]["sweeps"] = sweeps
    with pytest.raises(ValueError, match=message):
        cohorts(config)


@pytest.mark.parametrize("name", AIMS)
def test_deeper_networks_than_two_hidden_layers_are_refused_with_a_reason(config, name):
    config["experiments"]["modular"] |= {"hidden": [8, 8, 8], "sweeps": {name: [0.1]}}
    if name.endswith("upstream"):
        assert any(cohort.regularizer == name for cohort in cohorts(config))
    else:
        with pytest.raises(
            ValueError, match=rf"modular: sweeps: {name}: .*one or two hidden layers, not of 3: in deeper"
        ):
            cohorts(config)


def test_table_s1_leaves_them_out(config):
    assert {row["experiment"] for row in sweeps(config["experiments"], 1e-5)} == {"base", "wide", "deep", "early"}
    config["experiments"]["modular"]["sweeps"]["l2"] = [0.1]
    (row,) = (row for row in sweeps(config["experiments"], 1e-5) if row["experiment"] == "modular")
    assert (row["swept"], row["networks"]) == ("l2", 2)


def test_figures_and_claims_leave_them_out(tmp_path):
    """Their tables are the published ones, though these lack the new columns, with and without networks of each aim."""
    names = ["models", "modularity", "agreement", "repeats"]
    published = {name: ROOT / f"results/published/tables/{name}.csv.gz" for name in names}
    expected = read(published, 0.8)
    more = {}
    for name, path in published.items():
        table = pd.read_csv(path)
        some = table[(table["experiment"] == "base") & (table["seed"] == 0)].head(20)
        added = [
            some.assign(regularizer=aim, experiment=experiment) for aim in AIMS for experiment in ("base", "modular")
        ]
        more[name] = tmp_path / f"{name}.csv"
        pd.concat([table, *added]).to_csv(more[name], index=False)
    for name, table in read(more, 0.8).items():
        pd.testing.assert_frame_equal(table, expected[name])
