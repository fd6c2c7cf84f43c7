import itertools
import math

import numpy as np
import pytest

from x0.initialization.xavier_decay import decay_map
from x0.initialization.xavier_moments import (
    correlated_inputs,
    draw_weights,
    output_moments,
    tanh_moments_by_law,
)

LAWS = ["normal", "uniform", "rademacher"]


def agrees(samples: np.ndarray, theory: float, wrong: float) -> None:
    """Assert the mean of independent samples, with power."""
    error = samples.std(ddof=1) / math.sqrt(len(samples))
    assert error < 0.05 * abs(theory)
    assert abs(samples.mean() - theory) < 4 * error
    assert abs(samples.mean() - wrong) > 4 * error


@pytest.mark.parametrize("law", LAWS)
def test_laws_have_mean_zero_and_the_variance(law):
    w = draw_weights(law, 0.25, (200_000,), np.random.default_rng(1))
    assert abs(w.mean()) < 4 * 0.5 / math.sqrt(w.size)
    if law == "rademacher":
        assert np.all(w**2 == 0.25)
    else:
        agrees(w**2, 0.25, 0.5)
    kurtosis = {"normal": 3, "uniform": 1.8, "rademacher": 1}[law]
    assert (w**4).mean() / (w**2).mean() ** 2 == pytest.approx(kurtosis, abs=0.05)


def test_an_unknown_law_is_named():
    with pytest.raises(ValueError, match="Received: law='cauchy'"):
        draw_weights("cauchy", 1.0, (2,), np.random.default_rng(0))


@pytest.mark.claim("B-14")
@pytest.mark.claim("B-26")
@pytest.mark.parametrize("law", LAWS)
def test_inputs_may_be_correlated_and_have_a_mean(law):
    h = correlated_inputs(100, 50)
    many = correlated_inputs(20_000, 50)
    assert many.mean() == pytest.approx(3, abs=0.05)
    assert many.var(0) == pytest.approx(1, rel=0.06)
    assert np.corrcoef(many[:, 0], many[:, 1])[0, 1] == pytest.approx(0.5, abs=0.03)
    moments = output_moments(law, h, 0.01, 2000)
    second = float(np.mean(h**2))
    agrees(moments, 50 * 0.01 * second, wrong=50 * 0.01 * float(h.var()))


@pytest.mark.proves(
    "xavier-shape", kind="search", range="normal, uniform, ±1; 10 layers", tolerance="4 SE"
)
@pytest.mark.claim("A-24")
def test_after_ten_tanh_layers_the_law_of_the_weights_does_not_matter():
    """Three distributions of one variance give one second moment after ten layers of tanh."""
    theory = decay_map(10)[0][-1]
    for law in LAWS:
        agrees(tanh_moments_by_law(law, 10, 256, 20), theory, wrong=1.0)


@pytest.mark.claim("B-09")
@pytest.mark.claim("B-10")
def test_the_fan_in_times_the_second_moment_of_w_decides_not_its_mean():
    rng = np.random.default_rng(2)
    n, draws = 256, 400
    x = rng.standard_normal((draws, n, 1))
    for gain in (2.0, 0.5):  # mean 0: growth and decay without any mean
        w = draw_weights("normal", gain / n, (draws, n, n), rng)
        agrees(np.mean((w @ x) ** 2, axis=(1, 2)), gain, wrong=1.0)
    # mean 1/2 < 1 and no variance: the mean grows 128-fold
    one = 1 + rng.standard_normal((draws, n, 1))
    w = np.full((1, n, n), 0.5)
    agrees(np.mean(w @ one, axis=(1, 2)), 0.5 * n, wrong=0.5)
    # Var z = n (Var(w) E x² + mean² Var x): far more than a little
    w = 0.5 + draw_weights("normal", 1 / n, (1, 40, n), rng)
    z = w @ rng.standard_normal((4000, n, 1))
    agrees(np.mean(z**2, axis=(1, 2)), 1 + n / 4, wrong=1 + 0.25)
    # Its outputs are correlated: the layers above multiply by n² mean², not by n E w².
    h = rng.standard_normal((n, 200))
    moments = []
    for _ in range(4):
        h = (0.5 + rng.standard_normal((n, n)) / math.sqrt(n)) @ h
        moments.append(np.mean(h**2))
    for below, above in itertools.pairwise(moments):
        assert above / below == pytest.approx((n / 2) ** 2, rel=0.1)


@pytest.mark.claim("B-21")
@pytest.mark.claim("B-32")
def test_shapes_of_the_column_convention():
    rng = np.random.default_rng(0)
    fan_in, fan_out, samples = 5, 3, 7
    x, w = rng.standard_normal((fan_in, samples)), rng.standard_normal((fan_out, fan_in))
    assert (w @ x).shape == (fan_out, samples)
    # each output sums fan_in = M terms: with unit inputs and weights it is M
    assert np.all(np.ones((fan_out, fan_in)) @ np.ones((fan_in, samples)) == fan_in)


@pytest.mark.claim("B-23")
def test_the_sample_mean_of_z_is_w_times_the_sample_mean_of_x():
    rng = np.random.default_rng(3)
    x = 2 + rng.standard_normal((6, 1000))
    w = rng.standard_normal((4, 6)) / 6**0.5
    z, samples = w @ x, 1000
    true = np.cov(z, bias=True)
    right = z - w @ x.mean(axis=1, keepdims=True)
    printed = z - w.mean() * x.mean()
    assert np.allclose(right @ right.T / samples, true)
    error = np.linalg.norm(printed @ printed.T / samples - true) / np.linalg.norm(true)
    assert error > 0.5
    assert np.allclose(w @ np.cov(x, bias=True) @ w.T, true)


@pytest.mark.claim("B-24")
def test_only_the_sample_mean_of_x_has_to_vanish():
    rng = np.random.default_rng(4)
    x = rng.standard_normal((6, 500))
    x -= x.mean(axis=1, keepdims=True)
    w = 3 + rng.standard_normal((4, 6))  # its mean is not zero
    z = w @ x
    assert np.allclose(z @ z.T / 500, np.cov(z, bias=True))


@pytest.mark.claim("B-25")
@pytest.mark.claim("B-28")
def test_one_factor_of_the_sample_size_is_too_many():
    rng = np.random.default_rng(5)
    samples, sigma = 400, 0.7
    basis = np.linalg.qr(rng.standard_normal((samples, 6)))[0].T
    x = basis * sigma * math.sqrt(samples)  # X Xᵀ = E σ² I exactly
    second = x @ x.T / samples
    assert np.allclose(second, sigma**2 * np.eye(6))
    w = rng.standard_normal((4, 6))
    true = (w @ x) @ (w @ x).T / samples
    assert np.allclose(w @ second @ w.T, true)  # no factor 1/E
    assert np.allclose(w @ (samples * sigma**2 * np.eye(6)) @ w.T / samples, true)
    printed = w @ second @ w.T / samples
    assert np.linalg.norm(printed) == pytest.approx(np.linalg.norm(true) / samples)


@pytest.mark.claim("B-27")
@pytest.mark.claim("B-29")
def test_w_wt_is_not_the_identity():
    rng = np.random.default_rng(6)
    for rows, columns in ((200, 200), (50, 200), (200, 50)):
        w = draw_weights("normal", 1 / columns, (rows, columns), rng)
        gram = w @ w.T
        distance = np.linalg.norm(gram - np.eye(rows)) / math.sqrt(rows)
        assert distance == pytest.approx(math.sqrt((rows + 1) / columns), rel=0.1)
        c = rows / columns
        eigenvalues = np.linalg.eigvalsh(gram)
        edge = (1 + math.sqrt(c)) ** 2
        assert eigenvalues[-1] == pytest.approx(edge, rel=0.1)
        assert np.linalg.matrix_rank(gram) == min(rows, columns)
        if rows == columns:
            assert abs(eigenvalues[0]) < 0.01
        if rows < columns:
            assert eigenvalues[0] == pytest.approx((1 - math.sqrt(c)) ** 2, rel=0.2)


@pytest.mark.claim("B-30")
@pytest.mark.claim("B-31")
def test_w_wt_is_the_identity_on_average():
    w = draw_weights("uniform", 1 / 64, (2000, 8, 64), np.random.default_rng(7))
    gram = w @ w.mT
    error = gram.std(axis=0, ddof=1) / math.sqrt(len(gram))
    assert np.all(np.abs(gram.mean(axis=0) - np.eye(8)) < 4 * error)
    assert np.all(error < 0.05)
    assert abs(gram[:, 0, 0].mean() - 1 / 64) > 4 * error[0, 0]


@pytest.mark.claim("B-36")
def test_a_bias_adds_its_own_second_moment():
    rng = np.random.default_rng(8)
    x = rng.standard_normal((400, 100, 1))
    w = draw_weights("normal", 0.01, (400, 100, 100), rng)
    b = 0.5 * rng.standard_normal((400, 100, 1))
    agrees(np.mean((w @ x + b) ** 2, axis=(1, 2)), 1.25, wrong=1.0)


def test_one_layer_and_ten_of_each_law(values):
    left = values("xavier_moments")
    theory = decay_map(10)[0][-1]
    for law in LAWS:
        mean, error = left["one_layer"][law]
        assert abs(mean - left["theory"]) < 4 * error
        mean, error = left["ten_layers"][law]
        assert abs(mean - theory) < 4 * error
