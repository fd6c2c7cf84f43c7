import math

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.initialization import xavier_widths
from x0.initialization.xavier_decay import decay_map
from x0.initialization.xavier_widths import layer_variances, products, width_chain

BOTTLE = [512, 64, 512, 64, 512]


def agrees(samples: np.ndarray, theory: float, wrong: float) -> None:
    """Assert the mean of independent samples, with power."""
    error = samples.std(ddof=1) / math.sqrt(len(samples))
    assert error < 0.05 * abs(theory)
    assert abs(samples.mean() - theory) < 4 * error
    assert abs(samples.mean() - wrong) > 4 * error


def test_fan_rules_telescope_for_any_widths():
    rng = np.random.default_rng(0)
    for _ in range(20):
        widths = rng.integers(1, 900, 12).tolist()
        ratio = widths[-1] / widths[0]
        assert products(widths, "fan_in") == pytest.approx((1, ratio))
        assert products(widths, "fan_out") == pytest.approx((1 / ratio, 1))
        geometric = products(widths, "geometric")
        assert geometric == pytest.approx((ratio**-0.5, ratio**0.5))
        forward, backward = products(widths, "xavier")
        assert forward * backward <= 1 + 1e-12


def test_an_unknown_rule_is_named():
    with pytest.raises(ValueError, match="Received: rule='lecun'"):
        layer_variances([2, 3], "lecun")


@pytest.mark.parametrize("backward", [False, True])
def test_the_chain_has_the_law_of_weight_matrices(backward):
    widths, draws = [40, 10, 40], 3000
    rng = np.random.default_rng(1)
    variance = layer_variances(widths, "xavier")
    w1 = math.sqrt(variance[0]) * rng.standard_normal((draws, 10, 40))
    w2 = math.sqrt(variance[1]) * rng.standard_normal((draws, 40, 10))
    x = np.ones((draws, 40, 1))
    real = np.mean(((w2 @ w1).mT if backward else w2 @ w1) @ x, axis=2)
    real = np.mean(real**2, axis=1)
    chain = width_chain(widths, "xavier", draws, rng, backward)[:, 0 if backward else -1]
    pooled = math.sqrt((real.var() + chain.var()) / draws)
    assert abs(real.mean() - chain.mean()) < 4 * pooled
    spread = np.log(real).std() / np.log(chain).std()
    assert spread == pytest.approx(1, abs=0.1)


def test_gains_of_the_bottleneck_network():
    rng = np.random.default_rng(2)
    for backward, end in ((False, -1), (True, 0)):
        xavier = width_chain(BOTTLE, "xavier", 5000, rng, backward)[:, end]
        fan_in = width_chain(BOTTLE, "fan_in", 5000, rng, backward)[:, end]
        agrees(xavier, (4 * 512 * 64 / 576**2) ** 2, wrong=1.0)
        agrees(fan_in, 1.0, wrong=0.1561)


@pytest.mark.claim("B-12")
def test_extremes_occur_all_the_same():
    # tanh: the second moment tends to zero with depth
    q, _ = decay_map(400)
    assert q[-1] < 0.002
    # alternating widths: exponential decay in both directions
    forward, backward = products([512, 64] * 10 + [512], "xavier")
    assert max(forward, backward) < 1e-3
    # finite width: the logarithm spreads like 2 depth / n, here 40 layers of 64
    log = np.log(width_chain([64] * 41, "xavier", 4000, np.random.default_rng(3))[:, -1])
    assert log.var() == pytest.approx(2 * 40 / 64, rel=0.1)


@pytest.mark.claim("B-11")
def test_the_law_of_z_changes_with_depth():
    width, draws = 16, 400_000
    rng = np.random.default_rng(4)
    for depth in (1, 4):
        square = width_chain([width] * depth, "xavier", draws, rng)[:, -1]
        z = np.sqrt(square) * rng.standard_normal(draws)  # z of the last layer
        theory = 3 * (1 + 2 / width) ** (depth - 1)
        fourth, second = z**4, z**2
        assert second.mean() == pytest.approx(1, abs=0.02)
        agrees(fourth, theory, wrong=2.0 if depth == 1 else 3.0)


@pytest.mark.proves("xavier-depth-widths", kind="caption", n=20000)
def test_figure_xavier_decays_both_ways_and_the_others_do_not():
    """Xavier decays in both directions; fan_in and the geometric mean do not."""
    figure = xavier_widths.plot_products()
    pair = 4 * 512 * 64 / 576**2
    for axis, order in zip(figure.axes, (1, -1), strict=True):
        lines = {line.get_label(): line.get_ydata()[::order] for line in axis.get_lines()}
        assert lines["Xavier"][20] == pytest.approx(pair**10, rel=0.05)
        for name in ("fan_in", "geometric mean"):
            assert lines[name][20] == pytest.approx(1, rel=0.05)
            assert lines[name].max() < 9
    plt.close(figure)


def test_gains_of_bottleneck_and_pyramid(values):
    left = values("xavier_widths")
    for way in ("forward", "backward"):
        mean, error = left[way]["xavier"]
        assert abs(mean - left["predicted"]) < 4 * error
        assert left[way]["fan_in"][0] == pytest.approx(1, abs=0.01)
    assert left["pyramid"]["xavier"][0] == pytest.approx(4.96, abs=0.005)
    assert left["pyramid"]["fan_in"][1] == pytest.approx(10 / 784)


@pytest.mark.proves("xavier-depth-pairs", kind="call", range="16 and 17 pairs")
def test_seventeen_pairs_leave_less_than_a_hundredth():
    """products([300, 100] * 17 + [300], "xavier") is below 0.01 both ways, with 16 it is not."""
    assert max(products([300, 100] * 17 + [300], "xavier")) < 0.01
    assert min(products([300, 100] * 16 + [300], "xavier")) > 0.01
