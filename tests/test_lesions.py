"""Lesions of clusters: planted truths, and each number by its definition."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

import unit_clusters as uc
from unit_clusters.lesioning import LESIONS, _matched

GROUPS, SIZE = 3, 4


def of_classes(redundant=True):
    """A perceptron with a group of units for each class: copies of one, or each of its own part of the evidence."""
    model = nn.Sequential(nn.Linear(GROUPS * SIZE, GROUPS * SIZE), nn.ReLU(), nn.Linear(GROUPS * SIZE, GROUPS))
    parts = torch.eye(GROUPS).repeat_interleave(SIZE, 0).repeat_interleave(SIZE, 1) / SIZE
    model[0].weight.data = parts if redundant else torch.eye(GROUPS * SIZE)
    model[0].weight.data += 0.01 * torch.rand(GROUPS * SIZE, GROUPS * SIZE, generator=torch.Generator().manual_seed(0))
    model[0].bias.data.zero_()
    model[2].weight.data = torch.eye(GROUPS).repeat_interleave(SIZE, 1) * 2
    model[2].bias.data.zero_()
    return model


def of_parts(images=300):
    """Images with noise in the part of their class, and their labels."""
    random = torch.Generator().manual_seed(1)
    labels = torch.arange(images) % GROUPS
    seen = torch.rand(images, GROUPS, SIZE, generator=random) * 0.2
    seen[torch.arange(images), labels] += torch.rand(images, 1, generator=random) + 1
    return seen.flatten(1), labels


@pytest.fixture(scope="module")
def found():
    images, labels = of_parts()
    return uc.analyze(of_classes(), images, "1", labels, cross_entropy, restarts=0, rotations=0, progress=False)


@pytest.fixture(scope="module")
def table(found):
    return uc.lesions(of_classes(), *of_parts(), cross_entropy, found, sets=8, progress=False)


def by_hand(model, name, units, images, labels, loss=cross_entropy):
    """The rise of the loss and the fall of the accuracy, with a hook."""
    before = model(images)
    seen = []
    module = model.get_submodule(name)
    hook = module.register_forward_hook(lambda _module, _arguments, result: seen.append(result))
    model(images)
    hook.remove()
    axes = [0, *range(2, seen[0].ndim)]

    def hold(_module, _arguments, result):
        result = result.clone()
        for unit in units:
            result[:, unit] = seen[0].mean(axes)[unit]
        return result

    hook = module.register_forward_hook(hold)
    after = model(images)
    hook.remove()
    right = [(outputs.argmax(1) == labels).double().mean().item() for outputs in (before, after)]
    return (loss(after, labels) - loss(before, labels)).item(), right[0] - right[1]


def test_a_row_a_cluster_of_each_normalized_measure(found, table):
    assert list(table.columns) == ["layer", *LESIONS]
    for measure in ("cov", "i_sens", "o_sens", "hess"):
        clusters = found["1"].clusters[f"normalized {measure}"]
        rows = table[table["measure"] == measure]
        assert list(rows["cluster"]) == list(range(clusters.used_clusters))
        assert list(rows["units"]) == np.bincount(clusters.labels[clusters.labels >= 0]).tolist()


def test_losses_and_accuracies_are_those_of_units_held_at_their_means(found, table):
    images, labels = of_parts()
    clusters = found["1"].clusters["normalized cov"].labels
    for row in table[table["measure"] == "cov"].itertuples():
        members = np.flatnonzero(clusters == row.cluster)
        with torch.no_grad():
            assert (row.loss, row.accuracy) == pytest.approx(
                by_hand(of_classes(), "1", members, images, labels), abs=1e-6
            )
            alone = [by_hand(of_classes(), "1", [unit], images, labels)[0] for unit in members]
        assert (row.loss_units, row.loss_unit) == pytest.approx((sum(alone), np.mean(alone)), abs=1e-6)


def test_a_cluster_of_copies_matters_more_than_random_units_and_for_one_class(table):
    rows = table[table["measure"] == "cov"]
    assert len(rows) == GROUPS
    assert (rows["loss"] > rows["loss_random"] + 2 * rows["loss_random_sd"]).all()
    assert (rows["classes"] < 2).all()
    assert (rows["classes_random"] > rows["classes"] + 0.2).all()


def test_matched_sets_cost_as_much_in_units_alone():
    random = np.random.default_rng(0)
    alone, live = random.exponential(size=40), np.arange(2, 40)
    for _ in range(20):
        start, wanted = random.choice(live, 8, replace=False), alone[random.choice(live, 8, replace=False)].sum()
        found = _matched(start, live, alone, wanted)
        assert len(set(found)) == 8
        assert set(found) <= set(live)
        assert alone[found].sum() == pytest.approx(wanted, abs=0.02)


def test_matching_ends_where_most_units_cost_nothing_but_rounding():
    """What a network under strong L1 gave, with which exchanges went on for ever."""
    alone = [
        *(-1.5441328287124633e-09, 8.303206413984298e-09, 5.369540303945542e-09, 1.909863203763962e-08),
        *(-4.263129085302353e-09, 0.6387097136809607, 3.91155481338501e-09, 1.3861805200576783e-08),
        *(-2.430751919746399e-09, -1.2795906513929367e-08, -8.621253073215484e-09, 1.3635493814945221e-08),
        *(-1.587904989719391e-09, -5.268491804599762e-09, 1.8719583749771116e-09, 0.713504812616331),
        *(-1.0244548320770264e-09, -1.6158446669578553e-09, 0.9546967614241876, 0.0),
        *(-8.613336831331253e-09, 8.47410410642624e-09, 1.6736797988414764e-08, 2.0475126802921296e-09),
        *(2.1729618310928345e-08, -5.403533577919006e-09, -2.6982510462403296e-08, -2.00450886040926e-08),
        *(-4.973262548446655e-09, 7.634051144123077e-09, 0.6231865845181165, 2.045603469014168e-08),
        *(8.111819624900818e-10, 5.27501106262207e-09),
    ]
    start = np.array([7, 27, 18, 30, 12, 29, 0, 4, 33, 3, 31])
    found = _matched(start, np.arange(34), np.array(alone), np.float64(0.7135048201649333))
    assert np.array(alone)[found].sum() == pytest.approx(np.float64(0.7135048201649333))


def test_matching_ends_where_no_unit_costs_anything():
    assert _matched(np.array([0, 2]), np.arange(5), np.zeros(5), 0.0).tolist() == [0, 2]


def test_any_module_gives_what_a_sequential_does(found, table):
    class Wrapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = of_classes()

        def forward(self, x):
            return self.inner(x)

    again = uc.lesions(Wrapped(), *of_parts(), cross_entropy, {"inner.1": found["1"]}, sets=2, progress=False)
    numbers = ["loss", "loss_units", "accuracy", "classes"]
    np.testing.assert_allclose(again[numbers], table[numbers], atol=1e-6)


def test_channels_are_held_at_all_positions():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(6 * 9, 3))
    images, labels = torch.rand(50, 1, 8, 8), torch.arange(50) % 3
    found = uc.analyze(model, images, "1", labels, cross_entropy, restarts=0, rotations=0, progress=False)
    rows = uc.lesions(model, images, labels, cross_entropy, found, sets=1, progress=False)
    for row in rows[rows["measure"] == "o_sens"].itertuples():
        members = np.flatnonzero(found["1"].clusters["normalized o_sens"].labels == row.cluster)
        with torch.no_grad():
            assert row.loss == pytest.approx(by_hand(model, "1", members, images, labels)[0], abs=1e-6)
    assert rows["loss_random_sd"].isna().all()


def test_without_classes_there_is_no_accuracy(found):
    images, _ = of_parts()
    targets = torch.rand(len(images), GROUPS)
    rows = uc.lesions(of_classes(), images, targets, mse_loss, found, sets=2, progress=False)
    assert rows[["accuracy", "accuracy_random", "classes", "classes_matched"]].isna().all(axis=None)
    assert rows[["loss", "loss_random", "loss_matched"]].notna().all(axis=None)


def test_the_same_answer_twice_whatever_else_is_asked_for(found, table):
    again = uc.lesions(of_classes(), *of_parts(), cross_entropy, found, sets=8, progress=False)
    assert again.equals(table)


def test_other_units_than_were_found_are_an_error(found):
    model = nn.Sequential(nn.Linear(12, 7), nn.ReLU(), nn.Linear(7, 3))
    with pytest.raises(ValueError, match="layer '1' has 7 units, but clusters of 12 were found"):
        uc.lesions(model, *of_parts(), cross_entropy, found, progress=False)
