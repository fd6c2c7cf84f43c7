import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import sympy as sp

from x0.initialization import xavier_gains
from x0.initialization.xavier_decay import decay_map


def test_rules_meet_their_own_condition():
    rules = xavier_gains.variance_by_rule(512, 64)
    assert 512 * rules["fan_in"] == pytest.approx(1)
    assert 64 * rules["fan_out"] == pytest.approx(1)
    assert (512 + 64) * rules["Xavier"] / 2 == pytest.approx(1)
    assert 512 * 64 * rules["geometric mean"] ** 2 == pytest.approx(1)


@pytest.mark.parametrize("fans", [(0, 3), (3, -1)])
def test_fans_must_be_positive(fans):
    with pytest.raises(ValueError, match=r"Received: fan_in="):
        xavier_gains.variance_by_rule(*fans)


@pytest.mark.parametrize(("fan_in", "fan_out"), [(200, 50), (50, 200)])
def test_measured_gains_are_f_and_b(fan_in, fan_out):
    variance = xavier_gains.variance_by_rule(fan_in, fan_out)["Xavier"]
    gains = xavier_gains.measured_gains(fan_in, fan_out, variance, 300)
    error = gains.std(axis=0, ddof=1) / math.sqrt(len(gains))
    theory = np.array([fan_in * variance, fan_out * variance])
    assert np.all(error < 0.05 * theory)
    assert np.all(np.abs(gains.mean(axis=0) - theory) < 4 * error)
    assert np.all(np.abs(gains.mean(axis=0) - theory[::-1]) > 4 * error)


@pytest.mark.claim("B-35")
def test_xavier_is_the_only_variance_of_mean_gain_one():
    m, n, v = sp.symbols("m n v", positive=True)
    assert sp.solve((m * v + n * v) / 2 - 1, v) == [2 / (m + n)]
    xavier = 2 / (m + n)
    assert sp.simplify(2 / (1 / (1 / m) + 1 / (1 / n)) - xavier) == 0
    product = m * n * xavier**2
    assert sp.simplify(1 - ((m - n) / (m + n)) ** 2 - product) == 0


def test_the_geometric_mean_minimises_the_squared_log_gains():
    rules = xavier_gains.variance_by_rule(512, 64)

    def cost(v: float) -> float:
        return math.log(512 * v) ** 2 + math.log(64 * v) ** 2

    best = cost(rules["geometric mean"])
    for v in np.geomspace(1 / 512, 1 / 64, 41):
        assert cost(v) >= best - 1e-12
    assert cost(rules["Xavier"]) > best + 0.1


@pytest.mark.claim("A-23")
@pytest.mark.claim("B-36")
def test_forward_and_backward_conditions_conflict_unless_the_fans_agree():
    for fan_in, fan_out in ((512, 64), (64, 512)):
        rules = xavier_gains.variance_by_rule(fan_in, fan_out)
        assert fan_out * rules["fan_in"] != pytest.approx(1, rel=0.5)
        assert fan_in * rules["fan_out"] != pytest.approx(1, rel=0.5)
    rules = xavier_gains.variance_by_rule(64, 64)
    assert len({round(v, 12) for v in rules.values()}) == 1
    q, _ = decay_map(100)  # and even then only for the linear part of tanh
    assert q[-1] < 0.01 * q[0]


@pytest.mark.proves("xavier-ratio", kind="caption", range="fan_out / fan_in 1/16…16")
def test_figure_gains_cross_at_one_and_the_product_is_largest_there():
    """The factors cross at 1 for equal fans only; the product is at most 1, geometric: 1."""
    figure = xavier_gains.plot_ratio()
    lines = {line.get_label(): line for axis in figure.axes for line in axis.get_lines()}
    ratio, forward = lines["forward factor F"].get_data()
    backward = lines["backward factor B"].get_ydata()
    crossing = np.argmin(np.abs(np.log(forward / backward)))
    assert ratio[crossing] == pytest.approx(1)
    assert forward[crossing] == pytest.approx(1)
    assert np.allclose(lines["mean of F and B"].get_ydata(), 1)
    product = lines["Xavier"].get_ydata()
    assert np.all(product <= 1 + 1e-12)
    assert np.argmax(product) == crossing
    assert product[-1] == pytest.approx(4 * 16 / 17**2)
    assert np.allclose(lines["geometric mean"].get_ydata(), 1)
    plt.close(figure)


def test_gains_of_512_to_64():
    variance = xavier_gains.variance_by_rule(512, 64)["Xavier"]
    theory = np.array([512 * variance, 64 * variance])
    assert theory.prod() == pytest.approx(4 * 512 * 64 / 576**2)
    gains = xavier_gains.measured_gains(512, 64, variance, 300)
    error = gains.std(axis=0, ddof=1) / math.sqrt(len(gains))
    assert np.all(np.abs(gains.mean(axis=0) - theory) < 4 * error)
    assert np.all(4 * error < 0.2 * theory)
