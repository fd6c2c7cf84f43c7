"""Figure tasks-regression-start: an output bias at the mean of the targets."""

import matplotlib.pyplot as plt
import pytest
import torch

from x0.foundations import tasks_regression as regression


@pytest.mark.claim("A-19")
def test_the_first_loss_and_the_detour(values):
    names = values("tasks_regression")
    assert names["first"]["zero"] / names["ratio"] == pytest.approx(1, rel=0.05)
    assert names["first"]["mean"] == pytest.approx(1, rel=0.05)
    zero, mean = names["steps"]["zero"], names["steps"]["mean"]
    assert zero[0] - mean[0] > 3 * (zero[1] + mean[1])


@pytest.mark.proves("tasks-centering", kind="fact", tolerance="relative 1e-4", n="50")
def test_centered_targets_are_a_bias_at_the_mean():
    """Subtracting the mean of the targets gives the same losses as a bias at the mean."""
    x, y = regression.half_digits()
    found = []
    for shift, bias in ((0.0, y.mean()), (y.mean(), 0.0)):
        generator = torch.Generator().manual_seed(0)
        w = (torch.randn(32, 32, generator=generator) / 4).requires_grad_()
        u = (torch.randn(32, 1, generator=generator) / 40).requires_grad_()
        c = (torch.zeros(1) + bias).requires_grad_()
        optimizer = torch.optim.SGD([w, u, c], lr=0.01)
        path = []
        for _ in range(50):
            loss = (torch.relu(x @ w) @ u + c - (y - shift)).square().mean()
            path.append(loss.item())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        found.append(path)
    assert found[0] == pytest.approx(found[1], rel=1e-4)


def test_all_networks_learn():
    for start in regression.STARTS:
        assert float(regression.regression_losses(start)[-1].max()) < 0.7
    with pytest.raises(ValueError, match="Received: median"):
        regression.regression_losses("median")


def test_figure():
    figure = regression.plot_start()
    assert len(figure.axes[0].get_legend_handles_labels()[1]) == 3
    plt.close(figure)
