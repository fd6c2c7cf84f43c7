"""The factor one half needs a symmetric row, and E[h²] is what propagates."""

import math

import numpy as np
import pytest
import torch

from x0.initialization import he_moments


@pytest.mark.proves(
    "he-half-symmetric",
    kind="search",
    range="1, 2, 5 inputs; signs, normal, uniform, dependent rows",
    tolerance="1e-12",
)
@pytest.mark.parametrize("n", [1, 2, 5])
def test_symmetric_rows_keep_exactly_half_for_every_input(n):
    """Rows whose negatives are equally likely keep exactly one half, dependent or not."""
    h = np.random.default_rng(n).standard_normal(n)
    assert he_moments.relu_share(he_moments.sign_rows(n), h) == pytest.approx(0.5, abs=1e-14)
    rng = np.random.default_rng(10 + n)
    for rows in (
        rng.standard_normal((40, n)),
        rng.uniform(-1, 1, (40, n)),
        rng.standard_exponential((40, 1)) * np.arange(1, n + 1),  # one number per row
        rng.standard_cauchy((40, n)) ** 3,
    ):
        both = np.concatenate([rows, -rows])
        assert he_moments.relu_share(both, h) == pytest.approx(0.5, abs=1e-12)


def test_a_jointly_symmetric_row_with_dependent_entries_keeps_half():
    rng = np.random.default_rng(0)
    rows = rng.standard_exponential((50, 4)) - 0.3
    rows = np.concatenate([rows, -rows])
    assert he_moments.relu_share(rows, np.array([1.0, 2.0, 0.5, 3.0])) == pytest.approx(0.5)


def test_tied_rows_meet_a1_with_symmetric_entries_yet_keep_three_quarters():
    rows = he_moments.tied_rows()
    assert np.array_equal(rows.mean(axis=0), np.zeros(3))
    assert np.array_equal(rows.T @ rows / len(rows), np.eye(3))
    for column in rows.T:
        assert np.array_equal(np.sort(column), np.sort(-column))
    assert he_moments.relu_share(rows, np.ones(3)) == 0.75


def test_asymmetric_independent_rows_come_back_to_half_when_wide():
    def share(n):
        k = np.arange(n + 1)
        log = [math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) for i in k]
        p = np.exp(np.array(log) + k * math.log(1 / 3) + (n - k) * math.log(2 / 3))
        z = 2.0 * k - (n - k)
        return (p * np.maximum(z, 0) ** 2).sum() / (p * z**2).sum()

    assert share(1) == pytest.approx(2 / 3)
    assert abs(share(1000) - 0.5) < 0.02
    assert abs(share(10) - 0.5) > abs(share(1000) - 0.5)


def test_errors():
    with pytest.raises(ValueError, match=r"Received: rows=\(3,\)"):
        he_moments.relu_share(np.ones(3), np.ones(3))
    with pytest.raises(ValueError, match=r"h=\(2,\)"):
        he_moments.relu_share(np.ones((4, 3)), np.ones(2))
    with pytest.raises(ValueError, match="Received: n_v=0"):
        he_moments.relu_growth(0, 4, 1, 1, np.random.default_rng(0))


@pytest.mark.claim("A-32")
def test_second_moment_is_kept_and_the_variance_of_h_is_not_the_law(values):
    mean, error = values("he_moments")["right"]
    assert abs(mean - 1) < 4 * error < 0.05
    mean, error = values("he_moments")["wrong"]
    theory = (math.pi / (math.pi - 1)) ** 10
    assert abs(mean - theory) < 4 * error < 0.05 * theory
    # If Var(h) were what propagates, tuning it would keep q at 1.
    assert mean - 1 > 4 * error


def test_variance_of_relu_is_the_closed_form(values):
    node, weight = np.polynomial.legendre.leggauss(200)
    z, w = 5 * (node + 1), 5 * weight
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    first, second = (w * z * density).sum(), (w * z**2 * density).sum()
    variance = 0.5 - 1 / (2 * math.pi)
    assert second - first**2 == pytest.approx(variance, abs=1e-10)
    assert variance * values("he_moments")["tuned"] == pytest.approx(1)


@pytest.mark.proves("he-chain", kind="fact", tolerance="4 SE")
def test_the_chain_has_the_law_of_dense_networks():
    """Draws from N(0, q) have the moments of networks with real weight matrices."""
    generator = torch.Generator().manual_seed(1)
    n, networks = 32, 3000
    h = torch.ones(networks, n, 1)
    z = h
    for _ in range(3):
        w = torch.randn(networks, n, n, generator=generator) * math.sqrt(2.5 / n)
        z = w @ h
        h = z.relu()
    dense = z.square().mean((1, 2))
    error = float(dense.std()) / math.sqrt(networks)
    # The first layer of this network sees h = 1, not relu(z): no factor 1/2.
    theory = 2.5 * 1.25**2
    assert abs(float(dense.mean()) - theory) < 4 * error < 0.2 * theory
    chain, chain_error = he_moments.relu_growth(2.5, n, 2, 20_000, np.random.default_rng(1))
    joint = math.hypot(error / 2.5, chain_error)
    assert abs(float(dense.mean()) / 2.5 - chain) < 4 * joint
