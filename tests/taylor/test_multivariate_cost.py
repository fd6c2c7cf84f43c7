"""What H v and H cost, counted."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.taylor.multivariate_cost import WIDTHS, cost_ratios, demo, plot_ratios


@pytest.mark.claim("C-46")
def test_a_product_costs_at_most_three_gradients_and_the_matrix_about_two_n() -> None:
    found = [cost_ratios(width) for width in WIDTHS]
    n = np.array([ratios["n"] for ratios in found])
    product = np.array([ratios["product"] for ratios in found])
    full = np.array([ratios["full"] for ratios in found])
    assert n[-1] / n[0] > 50
    assert (product > 2).all()
    assert (product <= 3).all()
    assert (full <= 2 * n + 1).all()
    assert (full / n > 1.3).all()
    # the matrix grows with n, the product does not: a constant cost for H would be rejected
    assert np.polyfit(np.log(n), np.log(full), 1)[0] == pytest.approx(1, abs=0.1)
    assert np.polyfit(np.log(n), np.log(product), 1)[0] < 0.1


def test_the_demo_gives_the_ends_of_the_figure() -> None:
    values = demo()
    assert values["small_n"] == cost_ratios(WIDTHS[0])["n"] == 22
    assert values["large_share"] == pytest.approx(2, abs=0.2)


def test_the_figure_shows_a_rising_and_a_flat_series_below_their_bounds() -> None:
    figure = plot_ratios()
    (axis,) = figure.axes
    full, bound, product, three = (np.asarray(line.get_ydata()) for line in axis.lines)
    assert (full <= bound).all()
    assert (product <= three).all()
    assert full[-1] > 50 * full[0]
    plt.close(figure)
