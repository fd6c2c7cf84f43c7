"""q_1 is the second moment of the inputs, standardized or not."""

import numpy as np
import pytest

from x0.initialization import lecun_inputs as module


@pytest.fixture(scope="module")
def values():
    return module.demo()


def test_standardized_features_have_mean_0_and_variance_1_or_0():
    x = np.random.default_rng(0).normal(3, 2, size=(50, 4))
    x[:, 2] = 7
    result = module.standardize(x)
    assert np.allclose(result.mean(axis=0), 0)
    assert np.allclose(result.var(axis=0), [1, 1, 0, 1])


def test_q1_is_p0_for_raw_and_for_standardized_inputs(values):
    for name in ("raw", "standardized"):
        mean, error = values[f"{name}_q"]
        assert abs(mean - values[f"{name}_p"]) < 4 * error < 0.2 * mean
    assert abs(values["raw_q"][0] - 1) > 4 * values["raw_q"][1]
    assert values["standardized_p"] == pytest.approx(1 - values["constant"] / 64)


def test_raw_inputs_saturate_the_first_layer(values):
    assert values["raw_chi"][0] < 0.2
    assert values["standardized_chi"][0] > 0.75


def test_errors():
    with pytest.raises(ValueError, match=r"Received: shape=\(3,\)"):
        module.standardize(np.ones(3))
