"""Figure orthogonal-spectrum-eigenvalues: they fill the Marchenko-Pastur interval."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.initialization import orthogonal_spectrum as module


@pytest.mark.parametrize("ratio", [0.1, 0.25, 0.9])
def test_the_law_has_total_one_mean_one_and_variance_ratio(ratio):
    low, high = (1 - math.sqrt(ratio)) ** 2, (1 + math.sqrt(ratio)) ** 2
    x = np.linspace(low, high, 400_001)
    f = module.marchenko_pastur(x, ratio)
    for power, moment in ((0, 1), (1, 1), (2, 1 + ratio)):
        assert np.trapezoid(f * x**power, x) == pytest.approx(moment, rel=1e-3)


def test_distance_of_square_wide_and_tall():
    for rows, columns in ((300, 300), (100, 400), (400, 100)):
        theory = math.sqrt((rows + 1) / columns)
        assert module.distance(rows, columns) == pytest.approx(theory, rel=0.02)
        wrong = math.sqrt((columns + 1) / rows)
        if rows != columns:
            assert abs(module.distance(rows, columns) - wrong) > 0.2
    # A tall W has rank at most its columns: W W^T = I is impossible.
    assert np.sum(module.eigenvalues(400, 100) > 1e-9) == 100


def test_figure_points_follow_the_law():
    fig = module.plot_eigenvalues()
    for ax, rows in zip(fig.axes, module.ROWS, strict=True):
        measured = next(line for line in ax.lines if line.get_marker() == "o")
        x, y = measured.get_data()
        keep = (x > 0.5) & (x < 2)
        law = module.marchenko_pastur(np.asarray(x), rows / module.COLUMNS)
        assert np.abs(y - law)[keep].max() < 0.25
        assert np.abs(y - law)[keep].mean() < 0.05
    plt.close(fig)


def test_errors():
    with pytest.raises(ValueError, match="Received: ratio=2"):
        module.marchenko_pastur(np.ones(1), 2)


def test_the_eigenvalues_reach_the_edges():
    for rows in module.ROWS:
        found, root = module.eigenvalues(rows, module.COLUMNS), math.sqrt(rows / module.COLUMNS)
        assert abs(found[0] - (1 - root) ** 2) < 0.05
        assert abs(found[-1] - (1 + root) ** 2) < 0.1
