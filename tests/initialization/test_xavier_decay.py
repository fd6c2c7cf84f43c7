import itertools
import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import sympy as sp
import torch
from sklearn.datasets import load_digits

from x0.initialization import xavier_decay
from x0.initialization.xavier_decay import decay_map, tanh_moments, tanh_network


def agrees(samples: np.ndarray, theory: float, wrong: float) -> None:
    """Assert the mean of independent samples, with power."""
    error = samples.std(ddof=1) / math.sqrt(len(samples))
    assert error < 0.05 * abs(theory)
    assert abs(samples.mean() - theory) < 4 * error
    assert abs(samples.mean() - wrong) > 4 * error


@pytest.fixture(scope="module")
def network():
    return tanh_network(20, 256, 20, 32)


def gaussian_moment(f: sp.Expr, z: sp.Symbol, q: sp.Symbol, order: int) -> sp.Expr:
    series = sp.series(f, z, 0, 2 * order + 2).removeO()
    poly = sp.Poly(series, z)
    return sum(c * sp.factorial2(k - 1) * q ** (k // 2) for (k,), c in poly.terms() if k % 2 == 0)


def test_series_of_the_moments():
    z, q = sp.symbols("z q")
    second = sp.expand(gaussian_moment(sp.tanh(z) ** 2, z, q, 3))
    slope = sp.expand(gaussian_moment((1 - sp.tanh(z) ** 2) ** 2, z, q, 3))
    assert [second.coeff(q, k) for k in range(4)] == [0, 1, -2, sp.Rational(17, 3)]
    assert [slope.coeff(q, k) for k in range(4)] == [1, -2, 7, -sp.Rational(94, 3)]


@pytest.mark.parametrize("q", [1e-3, 0.3, 1.0, 4.0, 25.0])
def test_quadrature_is_exact_to_ten_digits(q):
    z = np.linspace(-12, 12, 20_001)
    weight = np.exp(-(z**2) / 2)
    weight /= weight.sum()
    squared = np.tanh(math.sqrt(q) * z) ** 2
    expected = float(weight @ squared), float(weight @ (1 - squared) ** 2)
    assert tanh_moments(q) == pytest.approx(expected, rel=1e-10)


def test_a_negative_variance_is_named():
    with pytest.raises(ValueError, match="Received: q=-1"):
        tanh_moments(-1)


@pytest.mark.claim("B-15")
@pytest.mark.claim("B-18")
def test_the_variance_is_unchanged_to_first_order_only():
    relative = {q: 1 - tanh_moments(q)[0] / q for q in (0.001, 0.01, 0.1, 1.0)}
    assert relative[0.01] == pytest.approx(0.02, abs=0.001)
    assert relative[0.1] == pytest.approx(0.16, abs=0.01)
    assert 1 / (1 - relative[1.0]) == pytest.approx(2.536, abs=0.001)
    slope = math.log10(relative[0.01] / relative[0.001])
    assert slope == pytest.approx(1, abs=0.02)  # the absolute error is of order q²


@pytest.mark.claim("B-16")
@pytest.mark.claim("B-18")
def test_the_expansion_needs_mean_zero():
    rng = np.random.default_rng(0)
    h = np.tanh(1 + 0.1 * rng.standard_normal(100_000))
    error = h.std() / math.sqrt(h.size)
    assert abs(h.mean() - 1) > 4 * error  # the printed identity predicts 1
    slope = 1 - math.tanh(1) ** 2
    assert h.var() == pytest.approx(slope**2 * 0.01, rel=0.05)
    assert h.var() < 0.2 * 0.01
    z = np.array([1e-2, 1e-3])
    error = np.abs(np.tanh(z) - z)
    assert math.log10(error[0] / error[1]) == pytest.approx(3, abs=0.01)


@pytest.mark.claim("B-13")
def test_tanh_meets_the_hypothesis_and_relu_and_logistic_do_not():
    z = np.linspace(-10, 10, 401)
    weight = np.exp(-(z**2) / 2)
    weight /= weight.sum()
    small = math.sqrt(1e-4) * z

    def ratio(h: np.ndarray) -> float:
        return float(weight @ h**2) / 1e-4

    assert ratio(np.tanh(small)) == pytest.approx(1, abs=1e-3)
    assert ratio(np.maximum(small, 0)) == pytest.approx(0.5, abs=1e-3)
    assert ratio(1 / (1 + np.exp(-small))) > 1000


def test_the_map_decays_like_one_over_two_l():
    q, chi = decay_map(20_000)
    layer = np.arange(1, 20_001)
    u = 1 / q
    constant = u - 2 * layer + 5 / 6 * np.log(layer)
    assert abs(constant[-1] - constant[1999]) < 0.01  # the logarithm is right
    assert abs(constant[-1] - constant[1999] + 5 / 6 * math.log(10)) > 1  # and needed
    assert 2 * layer[-1] * q[-1] == pytest.approx(1, abs=1e-3)
    product = np.cumprod(chi)
    assert product[-1] * 20_000 == pytest.approx(product[1999] * 2000, rel=2e-3)
    assert product[-1] * 20_000 == pytest.approx(0.71, abs=0.005)  # two digits have converged


def test_networks_follow_the_map(network):
    q, chi = decay_map(20)
    for layer in (5, 20):
        agrees(network["q"][:, layer - 1], q[layer - 1], wrong=1.0)
    factor = float(np.prod(chi[:19]))
    agrees(network["delta"][:, 0], factor, wrong=1.0)
    agrees(network["delta"][:, 9], float(np.prod(chi[9:19])), wrong=1.0)


def test_the_weight_gradient_is_flat_even_with_tanh(network):
    q, chi = decay_map(20)
    for layer in (5, 10, 20):
        theory = float(np.prod(chi[layer - 1 : 19]) * q[layer - 1])
        agrees(network["weight"][:, layer - 1], theory, wrong=2 * theory)
        assert theory == pytest.approx(1 / 40, rel=0.2)


@pytest.mark.proves("xavier-depth-decay", kind="caption", n=6)
def test_figure_signal_meets_one_over_two_l_and_weight_gradients_stay():
    """q falls onto 1/(2l); the z gradient is about proportional to l; W changes by 1.5."""
    figure = xavier_decay.plot_depth()
    top, bottom = figure.axes
    lines = {line.get_label(): line for line in top.get_lines()}
    predicted, asymptote = (lines[n].get_ydata() for n in ("predicted", "1 / (2 l)"))
    assert predicted[-1] == pytest.approx(asymptote[-1], rel=0.01)
    layer, measured = lines["measured"].get_data()
    assert np.allclose(measured, predicted[layer - 1], rtol=0.15)
    z, w = (line.get_ydata() for line in bottom.get_lines()[2:])
    assert [text.get_text() for text in bottom.texts] == ["gradient in z", "gradient in W"]
    assert z[-1] / z[0] > 50
    slope = np.polyfit(np.log(np.arange(5, 51)), np.log(z[4:]), 1)[0]
    assert slope == pytest.approx(1, abs=0.15)
    assert w.max() / w.min() == pytest.approx(1.5, abs=0.15)
    late = w[4:]
    assert late.max() / late.min() < 1.3
    plt.close(figure)


@pytest.mark.proves(
    "xavier-depth-trains",
    kind="cause",
    seeds=4,
    range="30 tanh layers, width 48, learning rates 0.01 and 0.03, 400 steps",
    effect="> 0.7 → < 0.2",
)
def test_thirty_tanh_layers_train_from_xavier_and_not_from_half_of_it():
    """Xavier: every seed learns the digits; half its standard deviation: none does."""
    generator = torch.Generator().manual_seed(0)
    images, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(images, dtype=torch.float32), torch.tensor(labels)
    x = (x - x[:-360].mean(0)) / x[:-360].std(0).clamp(min=1e-6)
    seeds, rates = 4, torch.tensor([0.01, 0.03]).view(-1, 1, 1, 1)
    parameters = []
    widths = [64] + [48] * 29 + [10]
    for m, n in itertools.pairwise(widths):
        draw = torch.randn(seeds, m, n, generator=generator) * math.sqrt(2 / (m + n))
        both = torch.stack([draw, draw / 2]).flatten(0, 1)
        parameters.append(both.repeat(2, 1, 1).requires_grad_())
    scale = rates.expand(-1, 2 * seeds, 1, 1).reshape(-1, 1, 1)

    def log_p(h):
        for layer, w in enumerate(parameters):
            h = torch.bmm(h.tanh() if layer else h, w)
        return h.log_softmax(-1)

    for _ in range(400):
        rows = torch.randint(len(x) - 360, (32,), generator=generator)
        guess = log_p(x[rows].expand(len(scale), -1, -1))
        loss = -guess[:, range(32), y[rows]].mean()
        gradients = torch.autograd.grad(loss * len(scale), parameters)
        with torch.no_grad():
            for p, g in zip(parameters, gradients, strict=True):
                p -= scale * g
    with torch.no_grad():
        right = (log_p(x[-360:].expand(len(scale), -1, -1)).argmax(-1) == y[-360:]).double()
    accuracy = right.mean(1).view(2, 2, seeds)
    assert float(accuracy[:, 0].amax(0).min()) > 0.7
    assert float(accuracy[:, 1].max()) < 0.2


def test_map_and_networks_agree(values):
    left = values("xavier_decay")
    assert left["scaled"][1000] == pytest.approx(1, abs=0.01)
    assert left["constant"] == pytest.approx(0.708, abs=0.001)
    for name in ("q", "delta"):
        mean, error = left["measured"][name]
        assert abs(mean - left["theory"][name]) < 4 * error
