"""Figure optimizers-width-change: how one step scales with the width."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.initialization import optimizers_width as width


@pytest.fixture(scope="module")
def slopes():
    return {key: slope for key, (_, slope) in width.slopes().items()}


def test_a_constant_rate_moves_wide_layers_too_far(slopes):
    assert slopes["SGD", False] == pytest.approx(0.5, abs=0.12)
    assert slopes["Adam", False] == pytest.approx(1.0, abs=0.12)


def test_mup_moves_all_widths_equally(slopes):
    assert slopes["SGD", True] == pytest.approx(0, abs=0.12)
    assert slopes["Adam", True] == pytest.approx(0, abs=0.12)


def test_rejects_an_unknown_optimizer():
    with pytest.raises(ValueError, match="Received: optimizer='Lion'"):
        width.first_change("Lion", 64, False, torch.Generator())


def test_figure():
    figure = width.plot_change()
    dots = [line for line in figure.axes[0].lines if line.get_linestyle() == "None"]
    assert len(dots) == 4
    adam, adam_mup = dots[2], dots[3]
    assert adam.get_ydata()[-1] > 8 * adam.get_ydata()[0]
    assert adam_mup.get_ydata()[-1] < 1.5 * adam_mup.get_ydata()[0]
    plt.close(figure)


def mean(f, variance=1.0):
    """E f(x) for x ~ N(0, variance)."""
    t = np.linspace(-8, 8, 4001)
    weight = np.exp(-(t**2) / 2)
    return float((weight * f(math.sqrt(variance) * t)).sum() / weight.sum())


@pytest.mark.parametrize("mup", [False, True])
def test_the_change_of_wide_networks_is_that_of_the_limit(mup):
    """SGD: rate |h|² times a tanh'(z); Adam: rate times the sum of |h|, for inputs of variance 1."""
    n, ratio = 512, width.WIDTHS[0] / 512
    q = mean(lambda x: np.tanh(x) ** 2)
    slope = mean(lambda z: (1 - np.tanh(z) ** 2) ** 2, q)
    output = (ratio if mup else 1) / n
    sgd = width.RATES["SGD"] * n * q * math.sqrt(output * slope)
    adam = width.RATES["Adam"] * (ratio if mup else 1) * n * mean(lambda x: abs(np.tanh(x)))
    for name, expected in (("SGD", sgd), ("Adam", adam)):
        generator = torch.Generator().manual_seed(4)
        seen = torch.cat([width.first_change(name, n, mup, generator) for _ in range(4)])
        error = float(seen.std()) / math.sqrt(len(seen))
        assert abs(float(seen.mean()) - expected) < 4 * error < 0.2 * expected
