import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn

from x0.initialization.symmetry import different_units


def test_units_are_compared_by_all_their_weights():
    same = torch.full((4, 3), 0.1)
    out = torch.full((2, 4), 0.3)
    assert different_units(same, torch.zeros(4), out) == 1
    out[0, 1] = 0.2  # one unit differs in what it sends
    assert different_units(same, torch.zeros(4), out) == 2
    assert different_units(same, torch.tensor([0.0, 1.0, 1.0, 2.0])) == 3


def test_rounding_does_not_count_as_a_difference():
    weight = torch.full((5, 3), 0.1, dtype=torch.float64)
    weight += 1e-12 * torch.arange(5).view(-1, 1)
    assert different_units(weight) == 1
    assert different_units(weight, tolerance=1e-14) == 5


@pytest.mark.proves("symmetry-units", kind="call", range="nn.Linear, nn.Conv2d")
def test_kernels_are_flattened_and_random_layers_have_all_units():
    """different_units counts the units that differ in a weight or the bias, a channel as one unit."""
    linear = nn.Linear(5, 4)
    with torch.no_grad():
        linear.weight[1], linear.bias[1] = linear.weight[0], linear.bias[0]
    assert different_units(linear.weight, linear.bias) == 3
    assert different_units(linear.weight, linear.bias, torch.eye(4)) == 4
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 8, 3)
    assert different_units(conv.weight, conv.bias) == 8
    nn.init.constant_(conv.weight, 0.1)
    assert different_units(conv.weight) == 1


def test_numbers_of_units_are_checked():
    with pytest.raises(ValueError, match=r"Received: \[4, 3\]"):
        different_units(torch.ones(4, 2), torch.ones(3))


@pytest.mark.claim("A-09")
def test_small_random_breaks_the_symmetry_without_saturation():
    generator = torch.Generator().manual_seed(0)
    weight = 0.01 * torch.randn(64, 64, generator=generator)
    assert different_units(weight) == 64
    z = torch.randn(1000, 64, generator=generator) @ weight.T
    assert float(torch.tanh(z).abs().max()) < 0.5


@pytest.mark.claim("A-10")
def test_the_scale_not_the_randomness_is_the_defect():
    from x0.initialization.he_depth import second_moments

    std = [0.01, math.sqrt(2 / 256)]
    small, he = second_moments(std, 256, 10, 200, np.random.default_rng(0))[:, 10]
    assert small.max() < 1e-17
    assert he.min() > 0.1


@pytest.mark.claim("A-72")
@pytest.mark.proves(
    "symmetry-redundant", kind="fact", seeds=20, range="width 256, 30 layers", effect="0.97"
)
def test_random_units_are_redundant_in_depth(values):
    """In layer 30 inputs correlate at 0.970 and one direction holds over 90 % of all units."""
    path = values("mean_field_correlation")["paths"]["ReLU, He"]
    assert path[29] == pytest.approx(0.970, abs=5e-4)
    generator = torch.Generator().manual_seed(0)
    shares, correlations = [], []
    for _ in range(20):
        h = torch.randn(256, 64, generator=generator)
        for layer in range(30):
            w = torch.randn(256, 256, generator=generator) / math.sqrt(256 / (2 if layer else 1))
            z = w @ h
            h = z.relu()
        s = torch.linalg.svdvals(h.double())
        shares.append(float(s[0] ** 2 / s.square().sum()))
        unit = z.double() / z.double().norm(dim=0)
        gram = unit.T @ unit
        correlations.append((float(gram.sum()) - 64) / (64 * 63))
        assert different_units(h) > 100  # and yet no two agree
    assert min(shares) > 0.9
    mean, error = np.mean(correlations), np.std(correlations, ddof=1) / math.sqrt(20)
    assert abs(mean - path[29]) < 4 * error + 0.02  # of order depth / width
    assert mean > 0.9


# What keeps the symmetry and what breaks it ------------------------------------------------------


def network(hidden, equal_out=True):
    """Return a tanh network in which units 0 and 1 of layer 1 start equal."""
    torch.manual_seed(3)
    sizes = [5] + [6] * hidden + [3]
    model = []
    for n_in, n_out in itertools.pairwise(sizes):
        model += [nn.Linear(n_in, n_out, dtype=torch.float64), nn.Tanh()]
    model = nn.Sequential(*model[:-1])
    with torch.no_grad():
        first, second = model[0], model[2]
        first.weight[1], first.bias[1] = first.weight[0], first.bias[0]
        if equal_out:
            second.weight[:, 1] = second.weight[:, 0]
    return model


def gap(model):
    first = model[0]
    return float((first.weight[1] - first.weight[0]).detach().abs().max())


def train(model, build, steps, mask=None):
    generator = torch.Generator().manual_seed(4)
    optimizer = build(model.parameters())
    for _ in range(steps):
        x = torch.randn(7, 5, generator=generator, dtype=torch.float64)  # a new batch
        h = torch.tanh(model[0](x))
        if mask:
            h = h * mask(h.shape, generator)
        loss = (model[2:](h) - x[:, :3].sin()).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


OPTIMIZERS = {
    "SGD": lambda p: torch.optim.SGD(p, 0.1),
    "momentum": lambda p: torch.optim.SGD(p, 0.05, momentum=0.9),
    "Nesterov": lambda p: torch.optim.SGD(p, 0.05, momentum=0.9, nesterov=True),
    "weight decay": lambda p: torch.optim.SGD(p, 0.1, weight_decay=0.1),
    "Adam": lambda p: torch.optim.Adam(p, 0.01),
    "AdamW": lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.3),
}


@pytest.mark.proves(
    "symmetry-optimizers",
    kind="search",
    range="SGD, momentum, Nesterov, weight decay, Adam, AdamW; 1…3 hidden layers; 60 steps",
    tolerance="1e-9",
)
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("hidden", [1, 2, 3])
def test_optimizers_and_mini_batches_keep_equal_units_equal(name, hidden):
    """With momentum, Adam, weight decay and mini-batches equal units stay equal."""
    model = network(hidden)
    start = model[0].weight.detach().clone()
    train(model, OPTIMIZERS[name], 60)
    assert gap(model) < 1e-9
    assert float((model[0].weight.detach() - start).abs().max()) > 0.01


@pytest.mark.proves("symmetry-dropout", kind="cause", effect="< 1e-9 → > 1e-2", range="60 steps")
def test_a_mask_that_differs_from_unit_to_unit_parts_them():
    """Dropout parts equal units; one mask for the whole layer does not."""

    def units(shape, generator):
        return 2.0 * (torch.rand(shape, generator=generator) < 0.5)

    def layer(shape, generator):
        return 2.0 * (torch.rand(shape[0], 1, generator=generator) < 0.5)

    assert gap(train(network(2), OPTIMIZERS["SGD"], 60, units)) > 1e-2
    assert gap(train(network(2), OPTIMIZERS["SGD"], 60, layer)) < 1e-9


@pytest.mark.proves(
    "symmetry-outgoing",
    kind="cause",
    effect="0 → > 1e-4 after 1 step; copies + noise 1e-3 → > 2e-3",
)
def test_different_outgoing_weights_part_equal_units_in_one_step():
    """Equal incoming weights part in one step if the outgoing ones differ, else never."""
    assert gap(train(network(2, equal_out=False), OPTIMIZERS["SGD"], 1)) > 1e-4
    assert gap(train(network(2), OPTIMIZERS["SGD"], 1)) < 1e-15
    noisy = network(2)  # a copied unit plus noise
    with torch.no_grad():
        noisy[0].weight[1] += 1e-3
    before = gap(noisy)
    assert gap(train(noisy, OPTIMIZERS["SGD"], 300)) > 2 * before


def moved(model, steps, rate=0.5):
    """Return for each linear layer the first step in which its weights move, or None."""
    layers = [m for m in model if isinstance(m, nn.Linear)]
    first = [None] * len(layers)
    x = torch.randn(9, 5, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    y = torch.arange(9) % 3
    optimizer = torch.optim.SGD(model.parameters(), rate)
    for step in range(1, steps + 1):
        start = [m.weight.detach().clone() for m in layers]
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y[: len(x)].where(y > 0, 2)).backward()
        optimizer.step()
        for i, (m, w) in enumerate(zip(layers, start, strict=True)):
            if first[i] is None and not torch.equal(m.weight.detach(), w):
                first[i] = step
    return first


def stack(hidden, phi):
    torch.manual_seed(6)
    sizes = [5] + [6] * hidden + [3]
    model = []
    for n_in, n_out in itertools.pairwise(sizes):
        model += [nn.Linear(n_in, n_out, dtype=torch.float64), phi()]
    return nn.Sequential(*model[:-1])


@pytest.mark.proves(
    "symmetry-zero",
    kind="search",
    range="ReLU, tanh, GELU, SiLU, softsign; 1…6 hidden layers; 200 steps",
)
def test_all_zero_with_phi_of_zero_equal_to_zero_is_stuck():
    """Only the last bias moves in 200 steps."""
    for phi in (nn.ReLU, nn.Tanh, nn.GELU, nn.SiLU, nn.Softsign):
        for hidden in (1, 2, 6):
            model = stack(hidden, phi)
            for p in model.parameters():
                nn.init.zeros_(p)
            assert moved(model, 200) == [None] * (hidden + 1)
            *rest, last = model.parameters()
            assert float(last.detach().abs().max()) > 0.1
            assert not any(bool(p.detach().any()) for p in rest)


@pytest.mark.proves("symmetry-thaw", kind="search", range="1…5 hidden layers")
def test_a_logistic_network_of_zeros_thaws_from_the_top():
    """All zero, logistic: layer D moves in step 1, layer D - 1 in step 2, and so on."""
    for hidden in range(1, 6):
        model = stack(hidden, nn.Sigmoid)
        for p in model.parameters():
            nn.init.zeros_(p)
        assert moved(model, hidden + 1) == list(range(hidden + 1, 0, -1))


@pytest.mark.proves(
    "symmetry-balanced", kind="cause", effect="> 1e-3 → < 1e-9", range="1…3 hidden layers, 50 steps"
)
@pytest.mark.parametrize("hidden", [1, 2, 3])
def test_balanced_classes_keep_a_logistic_network_of_zeros_where_it_is(hidden):
    """All zero, logistic: with equally frequent classes nothing moves, else the last layer does."""
    x = torch.randn(9, 5, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    farthest = {}
    for name, y in (("balanced", torch.arange(9) % 3), ("unbalanced", torch.arange(9) // 4)):
        model = stack(hidden, nn.Sigmoid)
        for p in model.parameters():
            nn.init.zeros_(p)
        optimizer = torch.optim.SGD(model.parameters(), 0.5)
        for _ in range(50):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
        farthest[name] = max(float(p.detach().abs().max()) for p in model.parameters())
    assert farthest["balanced"] < 1e-9 < 1e-3 < farthest["unbalanced"]


@pytest.mark.proves("symmetry-zero-last", kind="search", range="ReLU, tanh, logistic; 1…5 hidden")
def test_under_a_zero_last_layer_every_layer_moves_in_the_second_step():
    """It alone moves in the first step, every layer from the second on."""
    for phi in (nn.ReLU, nn.Tanh, nn.Sigmoid):
        for hidden in range(1, 6):
            model = stack(hidden, phi)
            nn.init.zeros_(model[-1].weight)
            assert moved(model, 2) == [2] * hidden + [1]


@pytest.mark.proves("symmetry-biases", kind="fact", range="1 and 2 hidden layers")
def test_different_first_biases_free_one_hidden_layer_but_not_two():
    """Zero weights, first biases different: free with one hidden layer, stuck with more."""
    for hidden, expected in ((1, [2, 1]), (2, [None] * 3)):
        model = stack(hidden, nn.Tanh)
        for p in model.parameters():
            nn.init.zeros_(p)
        with torch.no_grad():
            model[0].bias += torch.arange(1, 7) / 7
        assert moved(model, 100) == expected


def test_units_of_each_start(values):
    units = values("symmetry")["units"]
    starts = ("zero", "constant", "random", "random in, zero out")
    assert [units[start] for start in starts] == [1, 1, 64, 64]
