"""What H v and H cost, counted."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.taylor.multivariate_cost import (
    WIDTHS,
    cost_ratios,
    operations,
    plot_ratios,
    saved_bytes,
)


@pytest.mark.claim("C-23")
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


def test_the_demo_gives_the_ends_of_the_figure(values: Callable[[str], Any]) -> None:
    shown = values("multivariate_cost")
    assert shown["small"]["n"] == cost_ratios(WIDTHS[0])["n"] == 22
    assert shown["share"] == pytest.approx(2, abs=0.2)


@pytest.mark.proves(
    "multivariate-three", kind="search", range="depth 1…8, width 1…128, 1…300 samples"
)
def test_no_shape_costs_more_than_three_gradients() -> None:
    """A Hessian-vector product costs at most 3 gradients at any depth, width, sample count."""
    for depth in (1, 2, 4, 8):
        for width in (1, 2, 16, 128):
            for samples, inputs in ((1, 1), (300, 1), (1, 500), (32, 8)):
                sizes = [inputs, *[width] * depth, 1]
                shapes = list(pairwise(sizes))
                counts = [a * b for a, b in shapes]
                x = torch.ones(samples, inputs)

                def loss(p: torch.Tensor) -> torch.Tensor:
                    h = x  # noqa: B023
                    for part, shape in zip(p.split(counts), shapes, strict=True):  # noqa: B023
                        h = torch.tanh(h @ part.view(shape))
                    return h.square().mean()

                def twice(p: torch.Tensor) -> None:
                    p = p.clone().requires_grad_()
                    (g,) = torch.autograd.grad(loss(p), p, create_graph=True)
                    torch.autograd.grad(g.sum(), p)

                p = torch.ones(sum(counts))
                one = operations(lambda: torch.func.grad(loss)(p))  # noqa: B023
                assert 2 <= operations(lambda: twice(p)) / one <= 3  # noqa: B023


def test_the_graph_of_the_gradient_takes_memory(values: Callable[[str], Any]) -> None:
    assert values("multivariate_cost")["memory"] == pytest.approx(2.2, abs=0.1)
    for width in (8, 64, 256):
        once, twice = saved_bytes(width)
        assert 1.9 < twice / once < 2.4


@pytest.mark.proves("multivariate-cost", kind="caption", range="n = 22…1312")
def test_the_figure_shows_a_rising_and_a_flat_series_below_their_bounds() -> None:
    """H v costs between 2 and 3 gradients; H stays below 2n + 1, and the ratio rises towards 1."""
    figure = plot_ratios()
    (axis,) = figure.axes
    full, bound, product, three = (np.asarray(line.get_ydata()) for line in axis.lines)
    assert (full <= bound).all()
    assert (product <= three).all()
    assert (product > 2).all()
    assert (np.diff(full / bound) > 0).all()
    assert full[-1] / bound[-1] > 0.9
    assert full[-1] > 50 * full[0]
    plt.close(figure)
