"""Figure tasks-regression-start: an output bias at the mean of the targets."""

import matplotlib.pyplot as plt
import pytest

from x0.foundations import tasks_regression as regression


@pytest.mark.claim("A-19")
def test_the_first_loss_and_the_detour():
    values = regression.demo()
    assert values["first_zero"] == pytest.approx(values["ratio"], rel=0.05)
    assert values["first_mean"] == pytest.approx(1, rel=0.05)
    zero, mean = values["steps_zero"], values["steps_mean"]
    assert zero[0] - mean[0] > 3 * (zero[1] + mean[1])


def test_all_networks_learn():
    for start in regression.STARTS:
        assert float(regression.regression_losses(start)[-1].max()) < 0.7
    with pytest.raises(ValueError, match="Received: median"):
        regression.regression_losses("median")


def test_figure():
    figure = regression.plot_start()
    assert len(figure.axes[0].get_legend_handles_labels()[1]) == 3
    plt.close(figure)
