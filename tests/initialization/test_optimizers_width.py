"""Figure optimizers-width-change: how one step scales with the width."""

import matplotlib.pyplot as plt
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
    assert width.demo()["adam_constant"] == pytest.approx(1, abs=0.12)
    plt.close(figure)
