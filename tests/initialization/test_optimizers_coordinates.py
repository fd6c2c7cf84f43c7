"""muP under SGD: each layer's change over four steps, at widths 64 to 1024."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn

from x0.initialization import optimizers_coordinates as check


def test_the_ways_are_the_same_at_the_first_width():
    first = [check.changes_by_width(name)[0] for name in check.RULES]
    for other in first[1:]:
        assert torch.equal(first[0], other)


def test_changes_are_those_of_torch_optim():
    """The first network, of nn.Linear layers whose rates SGD takes from groups."""
    width, steps, m = 128, check.STEPS, 2
    generator = torch.Generator().manual_seed(check.SEED + width)
    inputs, classes = check.pooled_digits()
    order = torch.rand(check.SEEDS, len(inputs), generator=generator).argsort(1)[0, : check.BATCH]
    sizes = (16, width, width, 10)
    layers = [nn.Linear(a, b, bias=b != 10) for a, b in itertools.pairwise(sizes)]
    for layer, std in zip(layers, (1 / 4, width**-0.5, 64**-0.5 / m), strict=True):
        shape = check.SEEDS, layer.in_features, layer.out_features
        nn.init.constant_(layer.weight, 0)
        with torch.no_grad():
            layer.weight += std * torch.randn(shape, generator=generator)[0].T
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    model = nn.Sequential(layers[0], nn.Tanh(), layers[1], nn.Tanh(), layers[2])
    first = [layers[0].weight, layers[0].bias, layers[1].bias]
    groups = [
        {"params": first, "lr": check.RATE * m},
        {"params": [layers[1].weight], "lr": check.RATE},
        {"params": [layers[2].weight], "lr": check.RATE / m},
    ]
    optimizer = torch.optim.SGD(groups)
    x, y = inputs[order], classes[order]
    before = [model[:k](x).detach() for k in (1, 3, 5)]
    found = check.layer_changes(check.RULES["muP"], width)[:, :, 0]
    for step in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
        for k, start, seen in zip((1, 3, 5), before, found[step], strict=True):
            change = (model[:k](x).detach() - start).square().mean().sqrt()
            assert float(change) == pytest.approx(float(seen), rel=1e-3)


def test_a_slope_is_that_of_a_fitted_line():
    found = check.changes_by_width("muP")[:, 2, 1]
    lines = [np.polyfit(np.log(check.WIDTHS), row, 1)[0] for row in found.log().numpy().T]
    mean, error = check.layer_slopes("muP", 3)[1]
    assert mean == pytest.approx(np.mean(lines), abs=1e-5)
    assert error == pytest.approx(np.std(lines, ddof=1) / math.sqrt(check.SEEDS), rel=1e-3)


def test_digits_are_standardized():
    x, y = check.pooled_digits()
    assert x.shape == (1797, 16)
    assert float(x.mean()) == pytest.approx(0, abs=1e-5)
    assert float(x.std()) == pytest.approx(1, abs=1e-5)
    assert y.unique().tolist() == list(range(10))


@pytest.mark.proves(
    "optimizers-coordinates",
    kind="cause",
    range="width 64…1024",
    seeds=10,
    effect='slope {val:optimizers_coordinates.slope["muP", 4]["logits"]:.2f} : '
    '{val:optimizers_coordinates.slope["muP\'s start, one rate", 4]["logits"]:.2f}',
)
def test_under_mup_no_layer_changes_with_the_width(values):
    """Standard: −½, under ½, 1. muP: near 0. Its variance alone: layer 1 falls, the logits rise."""
    slope = values("optimizers_coordinates")["slope"]
    layers = ["layer 1", "layer 2", "logits"]
    assert all(0 < error < 0.06 for row in slope.values() for _, error in row.values())
    one = [slope["standard", 1][layer][0] for layer in layers]
    assert one[0] == pytest.approx(-0.5, abs=0.12)
    assert 0.2 < one[1] < 0.5
    assert one[2] == pytest.approx(1, abs=0.15)
    for step in (1, 4):
        for layer in layers:
            mean, error = slope["muP", step][layer]
            assert abs(mean) < 0.12
            ablated = slope["muP's start, one rate", step][layer][0]
            standard = slope["standard", step][layer][0]
            assert min(abs(ablated), abs(standard)) > 3 * error
        assert slope["muP's start, one rate", step]["layer 1"][0] < -0.8
        assert slope["muP's start, one rate", step]["logits"][0] > 0.4
        assert slope["standard", step]["logits"][0] > 0.6


def test_each_rate_of_mup_is_needed():
    """Without its own multiplier a layer changes with the width; with it, it does not."""
    ratios = {}
    for name, rule in {
        "muP": check.RULES["muP"],
        "first": check.RULES["muP"]._replace(first=0),
        "output": check.RULES["muP"]._replace(output=0),
    }.items():
        narrow, wide = (check.layer_changes(rule, n)[0].log().mean(1) for n in (64, 512))
        ratios[name] = (wide - narrow).exp()
    assert ((ratios["muP"] - 1).abs() < 0.35).all()
    assert ratios["first"][0] == pytest.approx(1 / 8, rel=0.3)
    assert ratios["output"][2] > 3


@pytest.mark.proves("optimizers-factor", kind="fact", range="width 64, 256")
def test_a_factor_behind_the_output_asks_for_n_squared_times_the_rate():
    """Output weights n times as large, a factor 1/n, and rate n for 1/n: the same steps."""
    mup = check.RULES["muP"]
    factor = mup._replace(start=0, factor=-1, output=mup.output + 2)
    for width in (64, 256):
        one, other = check.layer_changes(mup, width), check.layer_changes(factor, width)
        assert torch.allclose(one, other, rtol=1e-3)
    wrong = check.layer_changes(factor._replace(output=-1), 256)
    assert not torch.allclose(one, wrong, rtol=0.1)
