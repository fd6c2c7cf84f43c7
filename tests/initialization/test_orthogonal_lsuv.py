"""LSUV on any module: unit variances, one division without biases, errors when dead."""

import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from x0.initialization import orthogonal_lsuv as module


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def batch(*shape):
    return 3 + 2 * torch.randn(*shape, generator=generator(1))


def near_one(model, x, tol=0.011):
    return all(abs(v - 1) <= tol for v in module.output_variances(model, x).values())


@pytest.mark.parametrize("activation", [nn.ReLU, nn.GELU, nn.Tanh])
def test_without_biases_one_division_per_layer_is_enough(activation):
    layers = []
    for _ in range(20):
        layers += [nn.Linear(32, 32, bias=False), activation()]
    model = nn.Sequential(*layers)
    x = batch(64, 32)
    steps = module.lsuv_(model, x, tol=1e-4, generator=generator())
    assert len(steps) == 20
    assert max(steps.values()) == 1
    assert near_one(model, x, 1e-4)
    for layer in layers[::2]:  # still orthogonal, up to a factor
        gram = layer.weight @ layer.weight.T
        assert torch.allclose(gram / gram[0, 0], torch.eye(32), atol=1e-4)


class Odd(nn.Module):
    """Layers registered in another order than they run, with a branch and an unused one."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(24, 5)
        self.unused = nn.Linear(3, 3)
        self.branch = nn.Conv2d(6, 6, 3, padding=1)
        self.first = nn.Conv2d(2, 6, 3)
        self.norm = nn.BatchNorm2d(6)
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        h = self.norm(self.first(x)).relu()
        h = h + self.drop(self.branch(h))
        return self.last(h.mean(3).flatten(1))


def test_any_module_in_the_order_of_execution():
    model, x = Odd().train(), batch(32, 2, 6, 6)
    unused = model.unused.weight.clone()
    running = model.norm.running_var.clone()
    steps = module.lsuv_(model, x, generator=generator())
    assert list(steps) == ["first", "branch", "last"]
    assert model.training
    assert model.norm.training
    assert torch.equal(running, model.norm.running_var)
    assert torch.equal(unused, model.unused.weight)
    model.eval()
    assert near_one(model, x)
    assert model.first.weight.requires_grad


def test_dead_layers_are_named():
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2, bias=False)).train()
    nn.init.constant_(model[0].bias, -1e3)
    with pytest.raises(ValueError, match=r"Layer '2' is dead .* Received: variance=0\.0"):
        module.lsuv_(model, batch(16, 4), generator=generator())
    assert model[0].training
    with pytest.raises(ValueError, match="Layer '0' is dead"):
        module.lsuv_(nn.Sequential(nn.Linear(4, 4, bias=False)), torch.zeros(8, 4))
    with pytest.raises(ValueError, match="Received: variance=nan"):
        module.lsuv_(nn.Sequential(nn.Linear(2, 2)), torch.full((8, 2), torch.nan))


@pytest.mark.proves("orthogonal-lsuv", kind="call")
def test_a_bias_that_no_weight_can_outweigh_is_reported():
    """If the bias alone varies too much, no division helps and lsuv_ raises a ValueError."""
    model = nn.Sequential(nn.Linear(4, 4))
    with torch.no_grad():
        model[0].bias.copy_(torch.tensor([-9.0, 9.0, -9.0, 9.0]))
    with pytest.raises(ValueError, match=r"a bias\?"):
        module.lsuv_(model, batch(64, 4), generator=generator())


def test_the_hooks_are_gone_afterwards():
    model = nn.Sequential(nn.Linear(4, 4, bias=False))
    module.lsuv_(model, batch(16, 4), generator=generator())
    assert not model[0]._forward_hooks


def test_what_is_shown(printed):
    lines = printed("orthogonal_lsuv").splitlines()
    rows = [line.split() for line in lines[1:]]
    assert [name for name, *_ in rows] == ["ReLU", "GELU", "Tanh"]
    for _, before, after, steps in rows:
        assert float(before) < 0.1
        assert float(after) == 1
        assert steps == "1"


@pytest.mark.parametrize("activation", [nn.ReLU, nn.GELU, nn.Tanh])
def test_on_digits_every_variance_is_one(activation):
    layers = [m for _ in range(20) for m in (nn.Linear(64, 64, bias=False), activation())]
    model = nn.Sequential(*layers)
    x = torch.tensor(load_digits().data[:256] / 16, dtype=torch.float32)
    assert max(module.lsuv_(model, x, generator=generator()).values()) == 1
    assert near_one(model, x, 0.01)
