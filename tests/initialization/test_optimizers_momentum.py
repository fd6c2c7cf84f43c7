"""Figure optimizers-momentum-biases: the size of a bias does not decide about convergence."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.initialization import optimizers_momentum as momentum

CURVATURE = torch.tensor([0.1, 1.0, 10.0], dtype=torch.float64)


@pytest.mark.claim("A-37")
def test_the_trajectory_is_linear_in_the_start():
    start = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    for rate in (0.3, 0.39):
        small = momentum.heavy_ball(start, CURVATURE, rate, 0.9, 300)
        large = momentum.heavy_ball(1000 * start, CURVATURE, rate, 0.9, 300)
        gap = (large / 1000 - small).abs().max() / small.abs().max()
        assert float(gap) < 1e-12


@pytest.mark.claim("A-37")
def test_the_start_of_the_biases_changes_nothing_on_digits():
    losses, accuracy = momentum.train_biases()
    assert float(losses[-1].max()) < 0.1  # every one of them converges
    assert float(accuracy.mean(1).max() - accuracy.mean(1).min()) < 0.03


@pytest.mark.claim("A-37")
@pytest.mark.proves("optimizers-large", kind="cause", seeds=3, effect="0.9, 0")
def test_large_biases_hurt_with_momentum_and_without(monkeypatch):
    """With biases of 100 the loss stays at ln 10, at 0.05 with momentum 0.9 and at 0.5 without; with 0 it falls."""
    monkeypatch.setattr(momentum, "BIASES", (0.0, 100.0))
    for beta, rate in ((0.9, 0.05), (0.0, 0.5)):
        monkeypatch.setattr(momentum, "BETA", beta)
        monkeypatch.setattr(momentum, "RATE", rate)
        small, large = momentum.train_biases.__wrapped__()[0][-1]
        assert float(small.max()) < 0.1
        assert float((large - math.log(10)).abs().max()) < 0.05


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
def test_stability_is_a_matter_of_rate_curvature_and_momentum(beta):
    bound = 2 * (1 + beta)
    one = torch.ones(1, dtype=torch.float64)
    for start in (1e-6, 1.0, 1e6):
        inside = momentum.heavy_ball(start * one, one, 0.98 * bound, beta, 2000)
        outside = momentum.heavy_ball(start * one, one, 1.02 * bound, beta, 2000)
        assert float(inside[-1].abs()) < 1e-3 * start
        assert float(outside[-1].abs()) > 1e3 * start


def test_torch_does_the_same():
    weight = torch.nn.Parameter(torch.ones(3, dtype=torch.float64))
    optimizer = torch.optim.SGD([weight], lr=0.1, momentum=0.9)
    expected = momentum.heavy_ball(weight.detach().clone(), CURVATURE, 0.1, 0.9, 20)
    for k in range(20):
        optimizer.zero_grad()
        (CURVATURE * weight**2 / 2).sum().backward()
        optimizer.step()
        assert np.allclose(weight.detach(), expected[k + 1])


def test_rejects_a_momentum_of_one():
    with pytest.raises(ValueError, match=r"Received: beta=1\.0"):
        momentum.heavy_ball(torch.ones(1), torch.ones(1), 0.1, 1.0, 1)


def test_figure_and_values(values):
    figure = momentum.plot_biases()
    lines = figure.axes[0].lines
    assert len(lines) == 4
    for line in lines:
        assert line.get_ydata()[-1] < 0.1 < line.get_ydata()[0]
    ratios = values("optimizers_momentum")["ratios"]
    assert ratios[0.3][0] < 1e-3
    assert math.log10(ratios[0.39][0]) > 10
    plt.close(figure)
