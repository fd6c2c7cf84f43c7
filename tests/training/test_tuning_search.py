"""The distance of a search to the best value of one axis, against exact means."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.training import tuning_search as search


def test_distances_are_the_predicted_ones(values):
    shown = values("tuning_search")
    for n in search.BUDGETS:
        mean, error = shown["distance"]["random", n]
        assert abs(mean - shown["predicted"][n]) < 4 * error
        grid, error = shown["distance"]["grid", n]
        assert abs(grid - 250 / n**0.5) < 4 * error
        assert abs(grid - shown["predicted"][n]) > 4 * error


@pytest.mark.proves("tuning-distance", kind="caption", n="400")
def test_figure():
    """Grid and random lie on their lines, Sobol points closest to 1/(4n), above it."""
    figure = search.plot_distance()
    grid, random, sobol, *lines = figure.axes[0].lines
    assert (sobol.get_ydata() < random.get_ydata())[1:].all()
    assert (random.get_ydata() < grid.get_ydata())[1:].all()
    for found, line in zip((grid, random), lines, strict=False):
        assert found.get_ydata() == pytest.approx(np.asarray(line.get_ydata()), rel=0.15)
    assert (sobol.get_ydata() > lines[2].get_ydata()).all()
    plt.close(figure)


def test_designs():
    points = search.grid_points(16, 2)
    assert len(np.unique(points[:, 0])) == 4
    assert len(np.unique(search.random_points(16, 2, 0)[:, 0])) == 16
    assert len(np.unique(search.sobol_points(16, 2, 0)[:, 0])) == 16
    with pytest.raises(ValueError, match="trials=15"):
        search.grid_points(15, 2)
