"""Names, globs and units of the layers of any module."""

import pandas as pd
import pytest
import torch
from torch import nn

import unit_clusters
from unit_clusters.similarity.layers import as_units, closest, layers, resolve, units_problem


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Conv2d(3, 4, 3), nn.ReLU())
        self.relu, self.fc, self.unused = nn.ReLU(), nn.Linear(4, 4), nn.Linear(2, 2)
        self.rnn = nn.GRU(4, 5, batch_first=True)

    def forward(self, x):
        x = self.relu(self.fc(self.relu(self.features(x).mean((2, 3)))))
        return self.rnn(x[:, None].expand(-1, 6, -1))


@pytest.fixture
def model():
    return Model()


def test_the_table_tells_what_can_be_analysed_and_why_not(model):
    table = layers(model, torch.randn(3, 1, 6, 6)).set_index("name")
    assert list(table.columns) == ["type", "shape", "units", "note"]
    assert list(table.index) == [name for name, _ in model.named_modules() if name]
    assert table.loc["features.1"].tolist() == ["ReLU", (3, 4, 4), 3, ""]
    assert table.loc["fc"].tolist() == ["Linear", (4,), 4, ""]
    notes = {"relu": "called 2 times", "unused": "not called", "rnn": "returns a tuple"}
    assert table.loc[list(notes), "note"].to_dict() == notes
    assert table.loc[list(notes), "units"].isna().all()


def test_the_table_takes_units_and_output_as_the_analysis_does(model):
    images = torch.randn(3, 1, 6, 6)
    table = layers(model, images, output={"rnn": lambda out: out[0]}).set_index("name")
    assert table.loc["rnn"].tolist() == ["GRU", (6, 5), 5, ""]
    assert layers(model, images, output={"rnn": lambda out: out[0]}, units=1).set_index("name").loc["rnn", "units"] == 6
    rows = layers(model, images, units=3).set_index("name")
    assert rows.loc["fc", "note"] == "has no axis 3 after that of the images"


def test_the_table_leaves_the_model_as_it_was(model):
    layers(model.train(), torch.randn(3, 1, 6, 6))
    assert all(module.training and not module._forward_hooks for module in model.modules())


def test_names_and_globs(model):
    assert resolve(model, "fc") == ["fc"]
    assert resolve(model, ["fc", "features.*", "features.1"]) == ["fc", *(f"features.{n}" for n in range(4))]
    assert resolve(model, "*.[13]") == ["features.1", "features.3"]
    assert "" not in resolve(model, "*")


@pytest.mark.parametrize("pattern", ["features.9", "feature.*", "fc.1"])
def test_a_misspelt_name_lists_the_closest(model, pattern):
    with pytest.raises(ValueError, match=r"no layer .* The closest are '(features|fc)"):
        resolve(model, ["fc", pattern])


def test_closest_is_ordered_by_likeness():
    assert closest("block.1.act", ["stem", "blocks.1.act", "blocks.2.act", "head"]).startswith(
        "The closest are 'blocks.1.act', 'blocks.2.act'"
    )


@pytest.mark.parametrize(
    ("shape", "units", "expected"),
    [
        ((2, 5), "auto", (2, 5, 1)),
        ((2, 7, 5), "auto", (2, 5, 7)),
        ((2, 5, 3, 4), "auto", (2, 5, 12)),
        ((2, 7, 5), 1, (2, 7, 5)),
        ((2, 5, 3, 4), -1, (2, 4, 15)),
    ],
)
def test_units_by_axes(shape, units, expected):
    values = torch.arange(torch.Size(shape).numel()).reshape(shape)
    found = as_units(values, units)
    assert found.shape == expected
    axis = {2: 1, 3: 2, 4: 1}[len(shape)] if units == "auto" else units
    for unit in range(expected[1]):
        assert found[:, unit].equal(values.select(axis, unit).reshape(2, -1))


@pytest.mark.parametrize("units", [0, 3, -3, -4])
def test_units_are_on_another_axis_than_the_images(units):
    assert units_problem(torch.zeros(2, 5, 7), units, 2) == f"has no axis {units} after that of the images"


@pytest.mark.parametrize("units", [1, 2, -1, -2])
def test_units_may_be_on_any_other_axis(units):
    assert units_problem(torch.zeros(2, 5, 7), units, 2) is None


def test_the_package_offers_the_functions_by_name():
    assert unit_clusters.layers is layers
    assert isinstance(unit_clusters.layers(nn.Sequential(nn.ReLU()), torch.zeros(2, 3)), pd.DataFrame)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = unit_clusters.nonsense
