"""muP as a recipe: what grows, how it starts, and that a step does not grow with the width."""

import math

import pytest
import torch
from torch import nn

from x0.initialization import optimizers_recipe as module


class Net(nn.Module):
    """An embedding with padding, two convolutions, a norm and a head."""

    def __init__(self, width, tied=False):
        super().__init__()
        self.table = nn.Embedding(20, width, padding_idx=0)
        self.first = nn.Conv1d(3, width, 5)
        self.second = nn.Conv1d(width, width, 5)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 20)
        if tied:
            self.head.weight = self.table.weight


def test_kinds_and_factors():
    found = module.fan_in_growth(Net(96), Net(32))
    assert found["table.weight"] == ("input", 1)
    assert found["first.weight"] == ("input", 1)
    assert found["second.weight"] == ("hidden", 3)
    assert found["head.weight"] == ("output", 3)
    for name in ("first.bias", "second.bias", "norm.weight", "norm.bias", "head.bias"):
        assert found[name] == ("input", 1)


def test_bags_are_embeddings_and_a_bare_table_is_refused():
    def made(width, table):
        model = nn.Module()
        model.bag = nn.EmbeddingBag(20, width, padding_idx=0)
        if table:
            model.positions = nn.Parameter(torch.zeros(7, width))
        return model

    assert module.fan_in_growth(made(16, False), made(8, False)) == {"bag.weight": ("input", 1.0)}
    model = made(64, False)
    module.mup_(model, made(8, False), 0.1, generator=torch.Generator().manual_seed(0))
    assert not model.bag.weight[0].any()
    assert float(model.bag.weight.detach()[1:].std()) == pytest.approx(1, rel=0.1)
    with pytest.raises(ValueError, match="Received: positions"):
        module.fan_in_growth(made(16, True), made(8, True))


def test_variances_rates_and_decay():
    model = Net(256)
    generator = torch.Generator().manual_seed(0)
    groups = module.mup_(model, Net(64), 0.1, 0.01, generator)
    expected = {
        "table": 1.0,
        "first": 1 / 15,
        "second": 1 / (5 * 256),
        "head": 1 / (4 * 256),
    }
    for name, variance in expected.items():
        weight = model.get_parameter(f"{name}.weight").detach()
        rows = weight[1:] if name == "table" else weight
        error = math.sqrt(2 / rows.numel())
        assert abs(float(rows.square().mean()) / variance - 1) < 4 * error < 0.2
    assert not model.table.weight[0].any()
    assert not model.head.bias.any()
    assert bool((model.norm.weight == 1).all())
    rates = {group["lr"]: group["weight_decay"] for group in groups}
    assert rates == {0.1: 0.01, 0.025: 0.04}  # lr times decay is the same
    slow = next(group["params"] for group in groups if group["lr"] == 0.025)
    assert {id(p) for p in slow} == {id(model.second.weight), id(model.head.weight)}
    assert len({id(p) for group in groups for p in group["params"]}) == len(
        list(model.parameters())
    )


def test_errors():
    with pytest.raises(ValueError, match=r"Received: \['0.bias', '0.weight'\]"):
        module.fan_in_growth(nn.Sequential(nn.Linear(2, 2)), nn.Sequential())
    with pytest.raises(ValueError, match="Tied"):
        module.fan_in_growth(Net(8, tied=True), Net(4, tied=True))


@pytest.mark.proves(
    "optimizers-recipe",
    kind="cause",
    range="width 64…1024",
    seeds=8,
    effect="slope 0.9, 1.3 : −0.1, −0.1",
)
def test_under_the_recipe_a_step_does_not_grow_with_the_width(values):
    """Plain, one step moves wide networks further; under the recipe it does not, and 64 is the same."""
    plain, mup = (module.changes(m) for m in (False, True))
    assert torch.allclose(plain[0], mup[0])
    slope = values("optimizers_recipe")["slope"]
    assert min(slope["plain"]) > 0.8
    assert max(abs(s) for s in slope["muP"]) < 0.2
    assert (plain[-1] / plain[0]).min() > 10
    assert (mup[-1] / mup[0]).max() < 1.2
