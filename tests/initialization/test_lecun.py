"""The rule: PyTorch as the oracle, the law of the draws, the documented errors."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from x0.initialization import lecun

SHAPES = [(256, 768), (3, 5), (32, 3, 5, 5), (8, 4, 3)]
PAIRS = [
    (lecun.lecun_normal_, nn.init.kaiming_normal_),
    (lecun.lecun_uniform_, nn.init.kaiming_uniform_),
]


def generator(seed=1):
    return torch.Generator().manual_seed(seed)


@pytest.mark.proves("lecun-draws", kind="call", range="default gain")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("ours", "oracle"), PAIRS)
def test_equals_kaiming_with_a_linear_nonlinearity(ours, oracle, shape):
    """With the default gain the draws are those of kaiming_normal_(w, nonlinearity="linear")."""
    expected = oracle(torch.empty(shape), nonlinearity="linear", generator=generator())
    tensor = torch.empty(shape)
    assert ours(tensor, generator=generator()) is tensor
    assert torch.equal(tensor, expected)


@pytest.mark.proves("lecun-calls", kind="call", n="2 × 400,000 draws", tolerance="4 SE")
def test_the_calls_of_the_table(draws):
    """The PyTorch calls of the table draw, with variance 1 / fan_in, what their row says."""
    draws("initialization/lecun", 1)


@pytest.mark.parametrize(("ours", "oracle"), PAIRS)
def test_without_a_generator_the_global_state_is_used(ours, oracle):
    torch.manual_seed(3)
    mine = ours(torch.empty(4, 6))
    torch.manual_seed(3)
    assert torch.equal(mine, oracle(torch.empty(4, 6), nonlinearity="linear"))


@pytest.mark.parametrize("ours", [pair[0] for pair in PAIRS])
def test_the_gain_multiplies_the_standard_deviation(ours):
    one = ours(torch.empty(4, 6), generator=generator())
    two = ours(torch.empty(4, 6), 2.0, generator())
    assert torch.allclose(two, 2 * one, rtol=1e-6)


def test_a_parameter_is_filled_without_a_gradient():
    parameter = nn.Linear(6, 4).weight
    lecun.lecun_normal_(parameter, generator=generator())
    assert parameter.requires_grad
    assert parameter.grad_fn is None


@pytest.mark.parametrize("shape", [(), (5,)])
@pytest.mark.parametrize("function", [f for pair in PAIRS for f in pair])
def test_rejects_what_torch_rejects(function, shape):
    with pytest.raises(ValueError, match="2 dimensions"):
        function(torch.empty(shape))


@pytest.mark.parametrize("draw", [lecun.lecun_normal, lecun.lecun_uniform])
def test_numpy_names_what_it_received(draw):
    with pytest.raises(ValueError, match=r"Received: shape=\(5,\)"):
        draw((5,), rng=np.random.default_rng(0))


@pytest.mark.parametrize("gain", [1.0, 2.0])
@pytest.mark.parametrize("shape", [(100, 300), (40, 30, 3, 3)])
def test_numpy_draws_have_the_law(shape, gain):
    fan_in, fan_out = lecun.fans(shape)
    theory, xavier = gain**2 / fan_in, gain**2 * 2 / (fan_in + fan_out)
    rng = np.random.default_rng(5)
    for draw, kurtosis in ((lecun.lecun_normal, 3.0), (lecun.lecun_uniform, 1.8)):
        weight = draw(shape, gain, rng=rng)
        square = weight**2
        error = square.std() / math.sqrt(square.size)
        assert abs(square.mean() - theory) < 4 * error < 0.2 * theory
        assert abs(square.mean() - xavier) > 4 * error
        assert abs((square**2).mean() / theory**2 - kurtosis) < 0.2
    assert np.abs(weight).max() <= gain * math.sqrt(3 / fan_in)


def test_scaled_tanh_maps_one_to_one_and_is_odd():
    z = torch.linspace(-4, 4, 81, dtype=torch.float64)
    assert torch.equal(lecun.scaled_tanh(z), -lecun.scaled_tanh(-z))
    assert float(lecun.scaled_tanh(torch.tensor(1.0))) == pytest.approx(1, abs=1e-4)


@pytest.mark.claim("A-34")
def test_the_rule_holds_as_a_standard_deviation_and_not_as_a_variance():
    n, networks = 100, 400
    torch_generator = generator()
    x = torch.ones(n)
    q = {}
    for name, std in {"std": n**-0.5, "variance": n**-0.25}.items():
        weight = torch.randn(networks, n, n, generator=torch_generator) * std
        z = weight @ x
        means = z.square().mean(dim=1)
        q[name] = float(means.mean()), float(means.std()) / math.sqrt(networks)
    mean, error = q["std"]
    assert abs(mean - 1) < 4 * error < 0.05
    assert abs(q["variance"][0] - 10) < 4 * q["variance"][1]
    std = lecun.lecun_normal_(torch.empty(n, n), generator=generator()).std()
    assert float(std) == pytest.approx(n**-0.5, rel=0.03)


@pytest.mark.proves("lecun-traps", kind="call", effect="9/16; ⅓")
def test_pytorch_traps():
    """calculate_gain("selu") gives 9/16 of the variance and moves q; nn.Linear a third."""
    assert nn.init.calculate_gain("selu") ** 2 == 9 / 16
    z = torch.linspace(-10, 10, 4000, dtype=torch.float64)
    density = torch.exp(-(z**2) / 2)
    moment = float(density @ torch.selu(z) ** 2 / density.sum())
    assert moment == pytest.approx(1, abs=1e-6)  # so that the map takes q = 1 to 9/16
    weight = nn.Linear(400, 400).weight.detach()
    assert float(weight.abs().max()) <= 1 / 20
    assert float(weight.var()) * 400 == pytest.approx(1 / 3, rel=0.02)


def test_values(values):
    found = values("lecun")
    assert found["std"] == pytest.approx(768**-0.5)
    assert found["xavier_std"] == pytest.approx(1024**-0.5 * 2**0.5)
    assert found["slope"][0] == pytest.approx(1.7159 * 2 / 3)
