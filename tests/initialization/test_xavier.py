import math

import numpy as np
import pytest
import torch
from torch import nn

from x0.initialization import xavier

SHAPES = [(256, 768), (3, 5), (32, 3, 5, 5), (8, 4, 3), (6, 2, 3, 3, 3), (0, 4)]
PAIRS = [
    (xavier.xavier_uniform_, nn.init.xavier_uniform_),
    (xavier.xavier_normal_, nn.init.xavier_normal_),
]


def generator(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.proves("xavier-draws", kind="call", range="6 shapes, 2 gains")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("ours", "oracle"), PAIRS)
@pytest.mark.parametrize("gain", [1.0, 5 / 3])
def test_equals_torch_for_the_same_generator(ours, oracle, shape, gain):
    """Arguments, defaults and shapes are those of torch.nn.init, the results equal bit by bit."""
    expected = oracle(torch.empty(shape), gain=gain, generator=generator())
    tensor = torch.empty(shape)
    result = ours(tensor, gain=gain, generator=generator())
    assert result is tensor
    assert torch.equal(result, expected)


@pytest.mark.parametrize(("ours", "oracle"), PAIRS)
def test_has_the_signature_of_torch(ours, oracle):
    weight = torch.empty(4, 6)
    positional = ours(weight.clone(), 2.0, generator())
    assert torch.equal(positional, oracle(weight.clone(), 2.0, generator()))
    torch.manual_seed(3)
    default = ours(weight.clone())
    torch.manual_seed(3)
    assert torch.equal(default, oracle(weight.clone()))


@pytest.mark.parametrize(("ours", "oracle"), PAIRS)
def test_works_on_parameters_and_other_types(ours, oracle):
    parameter = nn.Linear(6, 4).weight
    assert ours(parameter, generator=generator()) is parameter
    assert parameter.requires_grad
    assert parameter.grad_fn is None
    assert torch.equal(parameter, oracle(torch.empty(4, 6), generator=generator()))
    double = ours(torch.empty(4, 6, dtype=torch.float64), generator=generator())
    assert double.dtype == torch.float64


@pytest.mark.parametrize("shape", [(), (5,)])
@pytest.mark.parametrize("function", [f for pair in PAIRS for f in pair])
def test_rejects_what_torch_rejects(function, shape):
    with pytest.raises(ValueError, match="2 dimensions"):
        function(torch.empty(shape))


@pytest.mark.parametrize("function", [f for pair in PAIRS for f in pair])
def test_an_empty_fan_divides_by_zero_as_in_torch(function):
    with pytest.raises(ZeroDivisionError):
        function(torch.empty(0, 0))


def test_a_negative_gain_fails_in_both():
    for function in (xavier.xavier_normal_, nn.init.xavier_normal_):
        with pytest.raises((RuntimeError, ValueError)):
            function(torch.empty(4, 6), gain=-1.0)


@pytest.mark.parametrize("function", [xavier.xavier_uniform, xavier.xavier_normal])
def test_numpy_rejects_vectors_and_names_what_it_received(function):
    with pytest.raises(ValueError, match=r"Received: shape=\(5,\)"):
        function((5,), np.random.default_rng(0))


@pytest.mark.parametrize("shape", SHAPES)
def test_fans_are_those_of_torch(shape):
    expected = nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))
    assert xavier.fans(shape) == expected


@pytest.mark.parametrize("gain", [1.0, 2.0])
@pytest.mark.parametrize("shape", [(300, 100), (40, 30, 3, 3)])
def test_numpy_draws_have_the_law(shape, gain):
    theory = gain**2 * 2 / sum(xavier.fans(shape))
    wrong = gain**2 / xavier.fans(shape)[0]
    rng = np.random.default_rng(5)
    for draw, kurtosis in ((xavier.xavier_uniform, 1.8), (xavier.xavier_normal, 3.0)):
        weight = draw(shape, rng, gain)
        assert weight.shape == shape
        assert weight.dtype == np.float64
        square = weight**2
        error = square.std() / math.sqrt(square.size)
        assert error < 0.05 * theory
        assert abs(square.mean() - theory) < 4 * error
        assert abs(square.mean() - wrong) > 4 * error
        assert abs(weight.mean()) < 4 * math.sqrt(theory / weight.size)
        assert abs((square**2).mean() / theory**2 - kurtosis) < 0.2
    bound = gain * math.sqrt(6 / sum(xavier.fans(shape)))
    uniform = xavier.xavier_uniform(shape, rng, gain)
    assert np.abs(uniform).max() <= bound
    assert np.abs(uniform).max() > 0.99 * bound


def test_numpy_follows_its_rng():
    for draw in (xavier.xavier_uniform, xavier.xavier_normal):
        first, second = (draw((4, 6), np.random.default_rng(2)) for _ in range(2))
        assert np.array_equal(first, second)


@pytest.mark.claim("A-26")
def test_xavier_is_not_the_fan_in_rule():
    weight = nn.init.xavier_uniform_(torch.empty(256, 768), generator=generator())
    variance = float(weight.var())
    assert variance == pytest.approx(2 / (768 + 256), rel=0.01)
    assert abs(variance - 1 / 768) > 0.3 * variance
    assert float(weight.abs().max()) == pytest.approx(math.sqrt(6 / 1024), rel=1e-3)


@pytest.mark.claim("A-42")
def test_xavier_uniform_is_uniform_and_wider_than_the_printed_formula():
    weight = nn.init.xavier_uniform_(nn.Linear(768, 256).weight.detach(), generator=generator())
    assert float(weight.std()) == pytest.approx(0.0442, abs=2e-4)
    assert float(weight.std()) > 1.2 / math.sqrt(768)
    kurtosis = float((weight**4).mean() / (weight**2).mean() ** 2)
    assert kurtosis == pytest.approx(1.8, abs=0.05)  # a Gaussian has 3


@pytest.mark.claim("A-22")
def test_variance_scaling_is_a_family():
    weight = torch.empty(256, 768)
    members = {
        2 / (768 + 256): nn.init.xavier_normal_(weight.clone(), generator=generator()),
        1 / 768: nn.init.kaiming_normal_(
            weight.clone(), nonlinearity="linear", generator=generator()
        ),
        2 / 768: nn.init.kaiming_normal_(weight.clone(), generator=generator()),
    }
    measured = {variance: float(w.var()) for variance, w in members.items()}
    for variance, value in measured.items():
        assert value == pytest.approx(variance, rel=0.01)
    values = sorted(measured.values())
    assert values[1] > 1.3 * values[0]
    assert values[2] > 1.3 * values[1]


@pytest.mark.claim("A-35")
@pytest.mark.claim("B-33")
def test_xavier_and_lecun_agree_only_on_square_layers():
    rng = np.random.default_rng(0)
    square = xavier.xavier_normal((500, 500), rng).var()
    wide = xavier.xavier_normal((100, 500), rng).var()
    assert square == pytest.approx(1 / 500, rel=0.02)
    assert wide == pytest.approx(1 / 300, rel=0.04)
    assert wide > 1.5 / 500


@pytest.mark.claim("B-34")
def test_the_average_of_the_fans_is_what_xavier_normal_uses():
    weight = nn.init.xavier_normal_(torch.empty(300, 100), generator=generator())
    assert float(weight.std()) == pytest.approx(math.sqrt(2 / 400), rel=0.02)
    assert abs(float(weight.std()) - math.sqrt(1 / 100)) > 0.02


def test_formula_and_measured_deviations(values, printed):
    left = values("xavier")
    assert left["std"] == pytest.approx(math.sqrt(2 / 1024))
    assert left["bound"] == pytest.approx(math.sqrt(3) * left["std"])
    for name in ("uniform_", "normal_", "uniform", "normal"):
        assert left["measured"][f"xavier_{name}"] == pytest.approx(left["std"], rel=0.01)
    assert "fan_in 768, fan_out 256" in printed("xavier")


@pytest.mark.proves(
    "xavier-attention", kind="call", range="kdim = vdim = embed_dim; kdim ≠ embed_dim", effect="½"
)
def test_attention_of_torch_packs_three_projections_before_xavier():
    """One packed weight with half the variance if kdim = vdim = embed_dim, else three Xaviers."""
    torch.manual_seed(0)  # the module draws from the default generator
    weight = nn.MultiheadAttention(64, 4).in_proj_weight.detach()
    assert weight.shape == (3 * 64, 64)
    assert float(weight.var()) == pytest.approx(0.5 / 64, rel=0.03)
    bound = math.sqrt(6 / (64 + 3 * 64))
    assert 0.99 * bound < float(weight.abs().max()) <= bound
    other = nn.MultiheadAttention(64, 4, kdim=32, vdim=48)
    assert other.in_proj_weight is None
    for name, fan_in in (("q", 64), ("k", 32), ("v", 48)):
        single = getattr(other, f"{name}_proj_weight").detach()
        bound = math.sqrt(6 / (64 + fan_in))
        assert single.shape == (64, fan_in)
        assert 0.98 * bound < float(single.abs().max()) <= bound


@pytest.mark.proves("xavier-default", kind="call", range="nn.Linear, nn.Conv2d", effect="⅓")
def test_the_default_of_linear_is_not_xavier():
    """nn.Linear and nn.Conv2d draw another variance; gain multiplies the standard deviation."""
    torch.manual_seed(0)
    weight = nn.Linear(300, 300).weight.detach()
    assert float(weight.var()) == pytest.approx(1 / 3 / 300, rel=0.03)
    kernel = nn.Conv2d(64, 64, 3).weight.detach()
    assert float(kernel.var()) == pytest.approx(1 / 3 / (64 * 9), rel=0.03)
    plain, double = (
        nn.init.xavier_normal_(torch.empty(9, 9), gain, generator=generator()) for gain in (1, 2)
    )
    assert torch.allclose(double, 2 * plain)
