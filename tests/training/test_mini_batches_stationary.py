"""Figure mini-batches-stationary-level: the noise level of constant SGD."""

import math

import matplotlib.pyplot as plt
import pytest
import torch

from x0.training import mini_batches_stationary as stationary


@pytest.mark.parametrize("batch", stationary.BATCHES)
@pytest.mark.parametrize("rate", stationary.RATES)
def test_the_level(rate, batch):
    mean, error = stationary.excess(rate, batch, True)
    theory = rate / batch / (2 - rate) / 2
    assert error < 0.05 * theory
    assert abs(mean - theory) < 4 * error
    if rate >= 0.6:  # the limit of small steps is rejected
        assert abs(mean - rate / batch / 4) > 4 * error


def shuffled(rate: float, batch: int) -> float:
    """Return the excess loss at the end of an epoch, from the covariance of the batches."""
    steps, q = stationary.ROWS // batch, 1 - rate
    w = (stationary.ROWS - batch) / (stationary.ROWS - 1) / batch
    weights = [q**j for j in range(steps)]
    squares, total = sum(x * x for x in weights), sum(weights)
    spread = w * (steps * squares - total**2) / (steps - 1)
    return rate**2 * spread / (1 - q ** (2 * steps)) / 2


def test_shuffling_is_quieter_at_the_end_of_an_epoch():
    mean, error = stationary.excess(0.05, 16, False)
    assert error < 0.05 * mean
    assert abs(mean - shuffled(0.05, 16)) < 4 * error
    assert mean < stationary.excess(0.05, 16, True)[0] / 10


def test_rejects_a_batch_that_does_not_divide():
    with pytest.raises(ValueError, match="Received: batch=3"):
        stationary.sgd_chains(torch.zeros(256), 0.1, 3, 1, True, torch.Generator())


def test_figure_and_values():
    figure = stationary.plot_level()
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    for batch in stationary.BATCHES:
        assert len(lines[f"B = {batch}"].get_xdata()) == len(stationary.RATES)
    values = stationary.demo()
    assert values["theory_005_4"] == pytest.approx(0.05 / 4 / 1.95 / 2)
    assert math.isclose(values["excess_005_4"][0], values["excess_02_16"][0], rel_tol=0.2)
    plt.close(figure)
