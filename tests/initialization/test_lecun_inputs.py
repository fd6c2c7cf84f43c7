"""q_1 is the second moment of the inputs, standardized or not."""

import numpy as np
import pytest

from x0.initialization import lecun_inputs as module


def test_standardized_features_have_mean_0_and_variance_1_or_0():
    x = np.random.default_rng(0).normal(3, 2, size=(50, 4))
    x[:, 2] = 7
    result = module.standardize(x)
    assert np.allclose(result.mean(axis=0), 0)
    assert np.allclose(result.var(axis=0), [1, 1, 0, 1])


def test_q1_is_p0_for_raw_and_for_standardized_inputs(values):
    found = values("lecun_inputs")
    p, measured = found["p"], found["measured"]
    for name in ("raw", "standardized"):
        mean, error = measured[name]["q"]
        assert abs(mean - p[name]) < 4 * error < 0.2 * mean
    mean, error = measured["raw"]["q"]
    assert abs(mean - 1) > 4 * error
    assert p["standardized"] == pytest.approx(1 - found["constant"] / 64)


def test_raw_inputs_saturate_the_first_layer(values):
    measured = values("lecun_inputs")["measured"]
    assert measured["raw"]["slope"][0] < 0.2
    assert measured["standardized"]["slope"][0] > 0.75


def test_the_first_layer_is_as_integrals_say():
    """q_1 is the mean square of the inputs; the mean squared slope is an integral over N(0, q)."""
    inputs = np.full((1, 64), 1.5)
    q, slope = module.first_layer(inputs, 40, 400, np.random.default_rng(1))
    assert q.mean() == pytest.approx(2.25, rel=0.03)
    z, weight = np.polynomial.hermite_e.hermegauss(80)
    at = 1.5 * z
    exact = 1.7159 * 2 / 3 / np.cosh(2 / 3 * at) ** 2
    assert slope.mean() == pytest.approx((weight * exact**2).sum() / weight.sum(), rel=0.03)


def test_errors():
    with pytest.raises(ValueError, match=r"Received: shape=\(3,\)"):
        module.standardize(np.ones(3))
