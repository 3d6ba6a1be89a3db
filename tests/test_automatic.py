"""Similarities of any module against dense automatic differentiation in float64: networks of every kind, and traps."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.autograd.functional import hessian, jacobian
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import cross_entropy, mse_loss
from torch.utils.data import DataLoader, TensorDataset

from unit_clusters.analysis import analyze
from unit_clusters.similarity import any_module, options
from unit_clusters.similarity.automatic import Positions
from unit_clusters.similarity.measures import MEASURES
from unit_clusters.similarity.options import Options

IMAGES = 5


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.act, self.second, self.last = nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 6), nn.Linear(6, 3)

    def forward(self, x):
        return self.last(x + self.second(self.act(self.first(x))))


class Once(nn.Module):
    """tanh, of which PyTorch has first derivatives and no second ones, as of an LSTM on a GPU."""

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x.tanh())
            return x.tanh()

        @staticmethod
        @once_differentiable
        def backward(ctx, by_output):
            return by_output * (1 - ctx.saved_tensors[0] ** 2)

    def forward(self, x):
        return self.Function.apply(x)


def differentiable_once():
    return nn.Sequential(nn.Linear(2, 5), Once(), nn.Linear(5, 3))


class Both(nn.Module):
    def __init__(self):
        super().__init__()
        self.once = Once()

    def forward(self, x):
        return x + self.once(x)


def partly_once():
    return nn.Sequential(nn.Linear(2, 5), Both(), nn.Linear(5, 3))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = nn.TransformerEncoderLayer(8, 2, 6, batch_first=True, activation=nn.functional.gelu)
        self.after = nn.TransformerEncoderLayer(8, 2, 6, batch_first=True)
        self.last = nn.Linear(8, 3)

    def forward(self, x):
        return self.last(self.after(self.block(x)).mean(1))


def perceptron():
    return nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4), nn.ReLU(), nn.Dropout(), nn.Linear(4, 3))


def convolution(*, inplace=False):
    return nn.Sequential(
        *(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(inplace), nn.MaxPool2d(2)),
        *(nn.Conv2d(3, 2, 3), nn.ReLU(inplace), nn.Flatten(), nn.Linear(8, 3)),
    )


def normalized():
    norm = nn.BatchNorm2d(3)
    norm.running_mean.uniform_()
    norm.running_var.uniform_(1, 2)
    return nn.Sequential(
        nn.Conv2d(1, 3, 3), norm, nn.ReLU(), nn.Conv2d(3, 2, 3), nn.Sigmoid(), nn.Flatten(), nn.Linear(8, 3)
    )


def gelu():
    return nn.Sequential(nn.Linear(6, 5), nn.GELU(), nn.Linear(5, 4), nn.GELU(), nn.Linear(4, 3))


def partly_linear():
    """Hardswish is linear far from zero and quadratic near it; after the last, all is linear."""
    return nn.Sequential(nn.Linear(6, 5), nn.Hardswish(), nn.Linear(5, 4), nn.Hardswish(), nn.Linear(4, 3))


def autoencoder():
    return nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 6), nn.Sigmoid())


CASES = {
    "perceptron": (perceptron, (6,), ["1", "3"]),
    "its linear layers": (perceptron, (6,), ["0", "2"]),
    "convolution": (convolution, (1, 8, 8), ["1", "2", "4"]),
    "in-place ReLU": (partial(convolution, inplace=True), (1, 8, 8), ["0", "1", "4"]),
    "BatchNorm": (normalized, (1, 6, 6), ["1", "2"]),
    "residual": (Residual, (6,), ["first", "act"]),
    "GELU": (gelu, (6,), ["1", "3"]),
    "partly linear": (partly_linear, (6,), ["1", "3"]),
    "differentiable once": (differentiable_once, (2,), ["1"]),
    "in part differentiable once": (partly_once, (2,), ["1"]),
    "attention": (Attention, (3, 8), ["block.linear1", "block.dropout", "block"]),
    "autoencoder": (autoencoder, (6,), ["1"]),
}


def made(case):
    """The model, in float64 and training mode, with images, labels and loss."""
    build, shape, names = CASES[case]
    torch.manual_seed(sum(map(ord, case)))
    model = build().double().train()
    for parameter in model.parameters():  # probabilities far from uniform
        parameter.data *= 2
    images = torch.randn(IMAGES, *shape, dtype=torch.float64)
    squared = case == "autoencoder"
    labels = images if squared else torch.randint(0, 3, (IMAGES,))
    return model, images, labels, mse_loss if squared else cross_entropy, names


def halves(model, name, image):
    """From an image to a layer's output h, and from h to the model's output, both with a batch of one."""
    module = model.eval().get_submodule(name)

    def passed(handed_on):
        kept = []

        def keep(_module, _arguments, output):
            kept.append(output.clone())
            return output.clone() if handed_on is None else handed_on.clone()

        return module.register_forward_hook(keep), kept

    def upstream(x):
        hook, kept = passed(None)
        model(x[None])
        hook.remove()
        return kept[0]

    def downstream(h):
        hook, _ = passed(h)
        with sdpa_kernel(SDPBackend.MATH):
            outputs = model(image[None])
        hook.remove()
        return outputs

    return upstream, downstream


def by_unit(derivatives, axes, ahead=0):
    """Bring units and positions of one image's h to the axes `ahead` and `ahead` + 1."""
    axis = {2: 1, 3: 2, 4: 1}[axes] + ahead - 1
    return (
        derivatives.movedim(axis, ahead).flatten(ahead + 1, ahead + axes - 2)
        if axes > 2
        else derivatives.unsqueeze(ahead + 1)
    )


def dense_image(model, name, image, label, loss):
    """One image's h by position; and eqs. (2) to (4) for it from whole Jacobians and the whole Hessian."""
    upstream, downstream = halves(model, name, image)
    h = upstream(image).detach()
    by_x = jacobian(upstream, image)[0].flatten(h.ndim - 1)  # axes of h, inputs
    by_h = jacobian(downstream, h).flatten(0, -h.ndim - 1)[:, 0]  # outputs, axes of h
    second = hessian(lambda h: loss(downstream(h), label[None]), h).squeeze(h.ndim).squeeze(0)
    j = by_unit(by_x, h.ndim)
    k = by_unit(by_h, h.ndim, 1)
    blocks = by_unit(by_unit(second, h.ndim), h.ndim, 2)
    positions = j.shape[1]
    return by_unit(h[0], h.ndim).T, {
        "i_sens": torch.einsum("apx,bpx->ab", j, j) / positions,
        "o_sens": torch.einsum("yap,ybp->ab", k, k) / positions,
        "hess": torch.einsum("apbp->ab", blocks) / positions,
    }


def dense(model, name, images, labels, loss):
    """Eqs. (1) to (4) before abs(), image by image."""
    pairs = zip(images, labels, strict=True)
    activities, matrices = zip(*(dense_image(model, name, *pair, loss) for pair in pairs), strict=True)
    means = {measure: sum(matrix[measure] for matrix in matrices) / len(images) for measure in MEASURES[1:]}
    return {"cov": torch.cov(torch.cat(activities).T)} | means


def similarities(model, images, names, labels, loss, *, output=None, device=None, **options):
    """What `analyze` finds before it looks for clusters."""
    found, _ = any_module.measure(
        model, images, labels, names, Options(loss, **options), output, device, progress=False
    )
    return {name: layer.signed for name, layer in found.items()}


def assert_close(ours, expected, rtol=1e-9, relative_to_largest=1e-11):
    for measure, matrix in ours.items():
        atol = relative_to_largest * float(np.max(np.asarray(expected[measure])))
        np.testing.assert_allclose(matrix, np.asarray(expected[measure]), rtol=rtol, atol=atol, err_msg=measure)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("closed", [True, False])
def test_equals_dense_differentiation(case, closed, monkeypatch):
    model, images, labels, loss, names = made(case)
    if not closed:
        monkeypatch.setattr(any_module, "hidden_layers", lambda *_: {})
    ours = similarities(model, images, names, labels, loss)
    for name in names:
        assert set(ours[name]) == set(MEASURES)
        assert_close(ours[name], dense(model, name, images, labels, loss))


def test_the_closed_form_is_taken_where_it_applies(monkeypatch):
    taken = []
    monkeypatch.setattr(any_module, "Automatic", lambda *_: taken.append("automatic") or 1 / 0)
    model, images, labels, loss, _ = made("perceptron")
    similarities(model, images, ["1", "4"], labels, loss)
    assert not taken
    for case in CASES:
        model, images, labels, loss, names = made(case)
        if case != "perceptron":
            with pytest.raises(ZeroDivisionError):
                similarities(model, images, names, labels, loss)


OTHER_LOSSES = {
    "classes of other weights": partial(cross_entropy, weight=torch.tensor([1.0, 2, 5]).double(), reduction="sum"),
    "squares": lambda outputs, labels: (outputs - labels[:, None]).square().sum(),
}


@pytest.mark.parametrize("case", OTHER_LOSSES)
def test_the_closed_form_takes_any_loss(case):
    model, images, labels, _, names = made("perceptron")
    loss = OTHER_LOSSES[case]
    for name, ours in similarities(model, images, names, labels, loss).items():
        assert_close(ours, dense(model, name, images, labels, loss))


def test_the_closed_form_takes_shares_in_classes():
    """The Hessian of the cross-entropy depends on them if they do not add up to 1."""
    model, images, _, loss, names = made("perceptron")
    shares = torch.rand(IMAGES, 3, dtype=torch.float64)
    for name, ours in similarities(model, images, names, shares, loss).items():
        assert_close(ours, dense(model, name, images, shares, loss))


def test_the_closed_form_takes_labels_that_are_left_out_of_the_loss():
    """By -100, as PyTorch has it: such an image adds nothing to hess."""
    model, images, labels, loss, _ = made("perceptron")
    without = similarities(model, images[1:], ["1"], labels[1:], loss)["1"]["hess"]
    labels[0] = -100
    found = similarities(model, images, ["1"], labels, loss)["1"]["hess"]
    np.testing.assert_allclose(found, without * (IMAGES - 1) / IMAGES, rtol=1e-9, atol=1e-12)


def gauss_newton(model, images, labels):
    h = model[1](model[0](images)).detach()
    j = torch.stack([jacobian(model[2:], x) for x in h])
    p = model[2:](h).softmax(1)
    return (j.mT @ (p.diag_embed() - p[:, :, None] * p[:, None]) @ j).mean(0).detach()


def test_the_hessian_of_gelus_is_not_gauss_newton():
    model, images, labels, loss, _ = made("GELU")
    ours = similarities(model, images, ["1"], labels, loss)["1"]["hess"]
    wrong = gauss_newton(model.eval(), images, labels).numpy()
    assert np.abs(ours - wrong).max() > 0.05 * np.abs(ours).max()


def test_without_second_derivatives_there_is_no_hess_before_them():
    model, images, labels, loss, _ = made("differentiable once")
    with pytest.raises(ValueError, match=r"layer '0': hess needs second derivatives.*Once.Function is marked"):
        similarities(model, images, ["0"], labels, loss)
    assert set(similarities(model, images, ["0"], None, None)["0"]) == {"cov", "i_sens", "o_sens"}


class Doubled(nn.Sequential):
    def forward(self, x):
        return super().forward(2 * x)


def test_what_only_looks_like_a_perceptron_is_none():
    model, images, labels, loss, names = made("perceptron")
    hook = model[0].register_forward_hook(lambda _module, _arguments, output: 2 * output)
    assert_close(similarities(model, images, names, labels, loss)["1"], dense(model, "1", images, labels, loss))
    hook.remove()
    model = Doubled(*model)
    assert_close(similarities(model, images, names, labels, loss)["1"], dense(model, "1", images, labels, loss))


# Chunks, precision, positions, outputs


@pytest.mark.parametrize("case", ["convolution", "attention", "perceptron"])
def test_chunks_do_not_matter(case):
    model, images, labels, loss, names = made(case)
    whole = similarities(model, images, names, labels, loss)
    if case == "perceptron":
        chunked = similarities(model, images, names, labels, loss, memory=1)
    else:
        chunked = similarities(model, images, names, labels, loss, memory=needed(model, images, names, labels, loss))
    batches = similarities(model, zip(images.split(2), labels.split(2), strict=True), names, None, loss)
    for name in names:
        assert_close(chunked[name], whole[name])
        assert_close(batches[name], whole[name])


def needed(model, images, names, labels, loss):
    """Somewhat more than the least memory that is accepted, so that images come singly and units in blocks."""
    with pytest.raises(ValueError, match="memory=1 is too little") as error:
        similarities(model, images, names, labels, loss, memory=1)
    return int(2.5 * int(str(error.value).split()[-2]))


def test_a_data_loader_will_do():
    model, images, labels, loss, names = made("convolution")
    whole = similarities(model, images, names, labels, loss)
    loader = DataLoader(TensorDataset(images, labels), batch_size=2)
    for name, ours in similarities(model, loader, names, None, loss).items():
        assert_close(ours, whole[name])
    without = similarities(model, DataLoader(TensorDataset(images), batch_size=3), names, None, None)
    assert_close(without["1"], whole["1"])


def test_blocks_of_units_are_put_together(monkeypatch):
    model, images, labels, loss, names = made("convolution")
    whole = similarities(model, images, names, labels, loss)
    monkeypatch.setattr("unit_clusters.similarity.automatic.Budget.products", lambda *_: 2)
    for name, ours in similarities(model, images, names, labels, loss).items():
        assert_close(ours, whole[name])


@pytest.mark.parametrize("case", ["perceptron", "convolution", "attention"])
def test_float32_is_close_to_float64(case):
    model, images, labels, loss, names = made(case)
    exact = similarities(model, images, names, labels, loss)
    for name, ours in similarities(model.float(), images, names, labels, loss).items():
        assert_close(ours, exact[name], rtol=1e-3, relative_to_largest=1e-5)


def test_random_positions_are_upstream_only_and_average_to_all():
    model, images, labels, loss, _ = made("convolution")
    exact = similarities(model, images, ["1"], labels, loss)["1"]
    drawn = [similarities(model, images, ["1"], labels, loss, positions=8, seed=seed)["1"] for seed in range(40)]
    for measure in ("o_sens", "hess"):
        assert all(np.array_equal(one[measure], exact[measure]) for one in drawn)
    assert not np.allclose(drawn[0]["i_sens"], exact["i_sens"], rtol=1e-3)
    values = np.array([one["i_sens"] for one in drawn])
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    assert (np.abs(values.mean(axis=0) - exact["i_sens"]) < 5 * error + 1e-12).all()


def test_positions_are_distinct_and_the_same_however_images_come():
    drawn = Positions(9, 4, "test").draw(50)
    assert all(len(set(row.tolist())) == 4 for row in drawn)
    assert set(drawn.flatten().tolist()) == set(range(9))
    again = Positions(9, 4, "test")
    assert torch.cat([again.draw(number) for number in (1, 30, 19)]).equal(drawn)


def test_some_positions_of_the_hessian_average_to_all():
    model, images, labels, loss, _ = made("attention")
    exact = similarities(model, images, ["block.linear1"], labels, loss)["block.linear1"]["hess"]
    drawn = [
        similarities(model, images, ["block.linear1"], labels, loss, hess_positions=1, seed=seed)["block.linear1"][
            "hess"
        ]
        for seed in range(40)
    ]
    error = np.std(drawn, axis=0, ddof=1) / np.sqrt(len(drawn))
    assert error.max() > 0
    apart = np.abs(np.mean(drawn, axis=0) - exact) < 6 * error + 1e-12
    assert apart[exact > 0.3 * exact.max()].all()  # the magnitude of a small mean is biased upwards


@pytest.mark.filterwarnings("ignore:.*which images were shown")
def test_the_same_answer_twice_and_another_with_another_seed():
    model, images, labels, loss, names = made("convolution")
    first, again, other = (
        analyze(model, images, names, labels, loss, positions=3, restarts=2, seed=seed, progress=False)
        for seed in (0, 0, 1)
    )
    for name in names:
        for form, matrix in first[name].similarity.items():
            assert np.array_equal(matrix, again[name].similarity[form])
            assert np.array_equal(first[name].clusters[form].labels, again[name].clusters[form].labels)
    assert not np.array_equal(first["1"].similarity["i_sens"], other["1"].similarity["i_sens"])


@pytest.mark.parametrize("case", ["perceptron", "GELU"])
def test_some_outputs_only_when_asked_for(case, monkeypatch):
    model, images, labels, loss, names = made(case)
    whole = similarities(model, images, names, labels, loss)

    def most(number):
        for module in ("automatic", "options"):
            monkeypatch.setattr(f"unit_clusters.similarity.{module}.MOST_OUTPUTS", number, raising=False)

    most(3)
    for name, ours in similarities(model, images, names, labels, loss).items():
        assert_close(ours, whole[name])
    most(2)
    with pytest.raises(ValueError, match=r"the model has 3 outputs.*\"top\", 10.*\"random\", 100"):
        similarities(model, images, names, labels, loss)
    for outputs in ("all", ("top", 3)):
        for name, ours in similarities(model, images, names, labels, loss, outputs=outputs).items():
            assert_close(ours, whole[name])
    highest = similarities(model, images, names, labels, loss, outputs=("top", 1))
    mixed = similarities(model, images, names, labels, loss, outputs=("random", 3000))
    for name in names:
        assert highest[name]["o_sens"].trace() < 0.9 * whole[name]["o_sens"].trace()
        assert_close({"hess": highest[name]["hess"]}, whole[name])
        assert_close({"o_sens": mixed[name]["o_sens"]}, whole[name], rtol=0, relative_to_largest=0.2)
    with pytest.raises(ValueError, match="of 3: it is"):
        similarities(model, images, names, labels, loss, outputs=("top", 4))


# Traps


def state(model):
    """All that must not change, and the random numbers that would come next."""
    modules = list(model.modules())
    return (
        [module.training for module in modules],
        [len(module._forward_hooks) for module in modules],
        [
            (p.data_ptr(), p.is_cuda, p.requires_grad, None if p.grad is None else p.grad.clone())
            for p in model.parameters()
        ],
        [(b.data_ptr(), b.clone()) for b in model.buffers()],
        torch.get_rng_state(),
        [p.detach().clone() for p in model.parameters()],
    )


@pytest.mark.parametrize("case", ["perceptron", "BatchNorm", "attention"])
def test_the_model_comes_back_as_it_was(case):
    model, images, labels, loss, names = made(case)
    next(model.children()).eval()
    next(model.parameters()).requires_grad_(False)
    last = list(model.parameters())[-1]
    last.grad = torch.ones_like(last)
    before, seen = state(model), images.clone()
    similarities(model, images, names, labels, loss)
    with pytest.raises(ValueError, match="labels"):
        similarities(model, images, names, labels[:2], loss)
    torch.testing.assert_close(state(model), before, rtol=0, atol=0)
    assert images.equal(seen)
    assert not images.requires_grad


def test_what_a_model_counts_is_not_counted_on():
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("seen", torch.zeros(1))
            self.act, self.last = nn.ReLU(), nn.Linear(4, 2)

        def forward(self, x):
            self.seen += len(x)
            return self.last(self.act(x))

    model = Counting()
    similarities(model, torch.randn(3, 4), ["act"], None, None)
    assert model.seen == 0


def test_dropout_and_batch_statistics_are_switched_off():
    model, images, labels, loss, names = made("BatchNorm")
    training = similarities(model.train(), images, names, labels, loss)
    for name, ours in similarities(model.eval(), images, names, labels, loss).items():
        assert_close(training[name], ours)
    model, images, labels, loss, _ = made("GELU")
    model.insert(1, nn.Dropout(0.5))
    assert_close(
        similarities(model, images, ["2"], labels, loss)["2"],
        similarities(model[:1] + model[2:], images, ["1"], labels, loss)["1"],
    )


def test_images_that_depend_on_each_other_are_refused():
    model, images, labels, loss, _ = made("BatchNorm")
    model[1] = nn.BatchNorm2d(3, track_running_stats=False).double()
    with pytest.raises(ValueError, match="depends on the others in the batch"):
        similarities(model, images, ["2"], labels, loss)
    tokens_first = nn.TransformerEncoderLayer(8, 2, 6).double()
    with pytest.raises(ValueError, match=r"depends on the others in the batch.*batch_first"):
        similarities(tokens_first, torch.randn(4, 3, 8), ["linear1"], None, None)


class Less(nn.Module):
    """What it puts out for an image is this image less, or more, what comes after it in the batch."""

    def __init__(self, sign):
        super().__init__()
        self.act, self.sign = nn.Identity(), sign

    def forward(self, x):
        return self.act(x + self.sign * x.roll(-1, 0))


@pytest.mark.parametrize("sign", [1, -1])
def test_images_that_depend_on_each_other_are_refused_whatever_the_sign(sign):
    """Less another image, it is 0 if both are equal: so two different ones are looked at."""
    with pytest.raises(ValueError, match="depends on the others in the batch"):
        similarities(Less(sign), torch.tensor([[3.0, 5.0], [1.0, 2.0]]), ["act"], None, None)


class Aside(nn.Module):
    """The outputs do not depend on one of its layers."""

    def __init__(self):
        super().__init__()
        self.used, self.aside = (nn.Sequential(nn.Linear(6, 3), nn.Tanh()).double() for _ in range(2))

    def forward(self, x):
        self.aside(x)
        return self.used(x)


def test_a_layer_that_the_outputs_do_not_depend_on_has_similarities_of_0_downstream():
    images, labels = torch.randn(IMAGES, 6, dtype=torch.float64), torch.tensor([0, 1, 2, 0, 1])
    found = similarities(Aside(), images, ["aside", "used"], labels, cross_entropy)
    assert {measure for measure, matrix in found["aside"].items() if not matrix.any()} == {"o_sens", "hess"}
    assert all(matrix.any() for matrix in found["used"].values())


class Noisy(nn.Sequential):
    """Draws random numbers even in eval mode."""

    def forward(self, x):
        return super().forward(x + torch.randn_like(x))


def test_random_numbers_of_the_model_are_the_same_each_time_and_no_others_are_taken():
    model, images = Noisy(*gelu()), torch.randn(IMAGES, 6)
    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        found.append(similarities(model, images, ["1"], None, None)["1"])
        assert torch.get_rng_state().equal(before)
    assert all(np.array_equal(found[0][measure], found[1][measure]) for measure in found[0])
    assert not np.allclose(found[0]["cov"], similarities(gelu(), images, ["1"], None, None)["1"]["cov"], rtol=0.01)


class Odd(nn.Module):
    """A layer that is used twice, one that is not used, one that returns a tuple, and a clipped graph."""

    def __init__(self):
        super().__init__()
        self.twice, self.unused, self.pair = nn.Linear(4, 4), nn.Linear(4, 4), nn.LSTM(4, 4, batch_first=True)
        self.cut, self.act, self.last = nn.Identity(), nn.ReLU(inplace=True), nn.Linear(4, 2)

    def forward(self, x):
        x = self.twice(self.twice(x))
        x = self.pair(x[:, None])[0][:, 0]
        self.cut(x.detach())
        x = x.clone()
        self.act(x)  # in place; what it returns is left lying
        return {"logits": self.last(x), "other": x}


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("twice", "layer 'twice': called 2 times. Give each call a module of its own"),
        ("unused", "layer 'unused': not called. Name a module around it"),
        ("pair", r"layer 'pair': returns a tuple. Pick a tensor of it: output=\{'pair': lambda"),
        ("cut", "layer 'cut'.* no derivatives by the images.*detach"),
        ("tiwce", "no layer 'tiwce'. The closest are 'twice'"),
        ("blocks.*", r"no layer 'blocks.\*'. The closest are"),
        ([], "at least one module"),
    ],
)
def test_layers_that_cannot_be_analysed(layer, message):
    with pytest.raises(ValueError, match=message):
        analyze(Odd(), torch.randn(4, 4), layer, output=lambda out: out["logits"], progress=False)


def test_output_picks_tensors_of_the_model_and_of_layers():
    model, images = Odd().double(), torch.randn(6, 4).double()
    picks = {"": lambda out: out["logits"], "pair": lambda out: out[0]}
    ours = similarities(model, images, ["pair"], None, None, output=picks, units=2)["pair"]
    h = functional_call(model, {}, (images,))["other"]  # the ReLU in place makes it what follows the LSTM
    assert ours["cov"].shape == (4, 4)
    assert set(ours) == {"cov", "i_sens", "o_sens"}
    before = model.pair(model.twice(model.twice(images))[:, None])[0][:, 0]
    np.testing.assert_allclose(ours["cov"], torch.cov(before.T).detach(), rtol=1e-9)
    w = model.last.weight.detach()
    j = w * (before > 0)[:, None]
    np.testing.assert_allclose(ours["o_sens"], (j.mT @ j).mean(0), rtol=1e-9)
    assert h.min() >= 0
    with pytest.raises(ValueError, match="the model returns a dict: output="):
        similarities(model, images, ["act"], None, None)
    with pytest.raises(ValueError, match="must pick one of the tensors in what the layer returns"):
        similarities(model, images, ["pair"], None, None, output=picks | {"pair": lambda out: out[0][:, 0]})


def test_images_of_several_sizes_are_refused():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2))
    with pytest.raises(ValueError, match=r"layer '1': images must all be of one size.*\(2, 9\).*\(2, 16\)"):
        similarities(model, [torch.randn(2, 1, 5, 5), torch.randn(2, 1, 6, 6)], ["1"], None, None)


def test_a_loss_that_cannot_be_taken_image_by_image_is_an_error():
    model, images, labels, _, _ = made("GELU")
    with pytest.raises(ValueError, match=r"the loss must be a function of outputs and labels.*PyTorch says"):
        similarities(model, images, ["1"], labels, lambda y, t: cross_entropy(y, t) if y.max() > 0 else y.sum())


def test_what_is_overwritten_in_place_is_refused():
    class Sloppy(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.act, self.last = nn.Linear(4, 4), nn.ReLU(inplace=True), nn.Linear(4, 2)

        def forward(self, x):
            x = self.first(x)
            self.act(x)
            return self.last(x.add_(1))

    with pytest.raises(ValueError, match=r"layer 'act': overwritten in place.*x = layer"):
        similarities(Sloppy(), torch.randn(4, 4), ["act"], None, None)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"images": torch.zeros(4, 6, dtype=torch.uint8)}, ValueError, r"uint8.*floating point.*/ 255"),
        ({"images": np.zeros((4, 6))}, TypeError, "torch.as_tensor"),
        ({"images": torch.zeros(0, 6), "labels": torch.zeros(0).long()}, ValueError, "no images"),
        ({"images": torch.zeros(1, 6), "labels": torch.zeros(1).long()}, ValueError, "at least two images"),
        ({"labels": None}, ValueError, "the loss needs labels"),
        ({"labels": torch.zeros(3).long()}, ValueError, "3 labels for 4 images"),
        ({"images": [torch.zeros(4, 6)]}, ValueError, "an iterable yields pairs"),
        ({"images": torch.full((4, 6), torch.nan)}, ValueError, "NaN or infinity"),
        ({"units": 3}, ValueError, r"layer '1': has no axis 3"),
        ({"units": lambda h: h}, ValueError, "is made into the shape"),
        ({"units": lambda h: h[:, :, None] * 2}, ValueError, "may only choose and reorder"),
        ({"units": lambda h: h[:, [0, 0], None]}, ValueError, "may only choose and reorder"),
        ({"units": lambda h: h.flip(0)[:, :, None]}, ValueError, "may only choose and reorder"),
        ({"units": lambda h: torch.stack([h[0], h[1].flip(0)])[:, :, None]}, ValueError, "may only choose and reorder"),
        ({"model": gelu().half(), "images": torch.zeros(4, 6).half()}, ValueError, r"float16: analyse model.float"),
        ({"memory": 100, "model": gelu()}, ValueError, "memory=100 is too little"),
        *(
            ({"outputs": wrong}, ValueError, r"it is 'all', \('top', k\)")
            for wrong in (("top", 0), ("top", 999), ("random", 0), ("low", 1), "top")
        ),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_bad_input(change, error, message):
    given = {
        "model": perceptron(),
        "images": torch.randn(4, 6),
        "layers": ["1"],
        "labels": torch.zeros(4).long(),
    } | change
    with pytest.raises(error, match=message):
        analyze(**given, loss=cross_entropy, progress=False)


def test_the_documentation_has_these_defaults():
    text = (Path(__file__).parents[1] / "docs" / "your-network.md").read_text(encoding="utf-8")
    assert f"`positions={options.POSITIONS}`" in text
    assert f"more than {options.MOST_OUTPUTS} outputs" in text
    assert f"{options.MEMORY // 2**30} GiB if not given" in text


def test_units_may_be_an_axis_or_a_function():
    model, images, labels, loss, _ = made("convolution")
    rows = similarities(model, images, ["1"], labels, loss, units=2)["1"]
    by_hand = similarities(model, images, ["1"], labels, loss, units=lambda h: h.transpose(1, 2).flatten(2))["1"]
    assert rows["cov"].shape == (8, 8)
    assert_close(by_hand, rows)
    two = similarities(model, images, ["1"], labels, loss, units=lambda h: h[:, :2].flatten(2))["1"]
    whole = similarities(model, images, ["1"], labels, loss)["1"]
    assert_close(two, {measure: matrix[:2, :2] for measure, matrix in whole.items()})


def test_the_loss_may_take_sums_means_or_neither():
    model, images, labels, loss, names = made("GELU")
    expected = similarities(model, images, names, labels, loss)
    for reduction in ("sum", "none"):
        ours = similarities(model, images, names, labels, partial(cross_entropy, reduction=reduction))
        for name in names:
            assert_close(ours[name], expected[name])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("case", ["perceptron", "convolution", "attention"])
def test_on_a_gpu(case):
    model, images, labels, loss, names = made(case)
    expected = similarities(model, images, names, labels, loss)
    for name, ours in similarities(model, images, names, labels, loss, device="cuda").items():
        assert_close(ours, expected[name], rtol=1e-6, relative_to_largest=1e-8)
    assert next(model.parameters()).device.type == "cpu"
