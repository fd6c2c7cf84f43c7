"""F25: the error orders of a network's loss along lines."""

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.taylor.multivariate_slice import plot_models, slice_errors, sliced_network


def test_errors_have_slopes_two_and_three_and_the_model_of_the_gradient_two(
    values: Callable[[str], Any],
) -> None:
    slopes = values("multivariate_slice")["slopes"]
    for direction in ("random", "gradient"):
        assert slopes[direction][0] == pytest.approx(2, abs=0.05)
        assert slopes[direction][1] == pytest.approx(3, abs=0.05)
        assert slopes[direction][2] == pytest.approx(2, abs=0.05)


def test_far_away_the_higher_order_is_worse(values: Callable[[str], Any]) -> None:
    shown = values("multivariate_slice")
    assert shown["second"][0] < 0.1 * shown["first"][0]
    assert shown["second"][1] > 1.2 * shown["first"][1]


def test_the_loss_is_that_of_a_network_with_21_parameters() -> None:
    loss, point, direction = sliced_network()
    assert point.shape == direction.shape == (21,)
    assert direction.norm().item() == pytest.approx(1, abs=1e-12)
    batch = torch.stack([point, point + direction])
    assert torch.allclose(loss(batch), torch.stack([loss(point), loss(point + direction)]))
    model = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1))
    assert sum(p.numel() for p in model.parameters()) == 21


@pytest.mark.proves(
    "multivariate-models",
    kind="caption",
    effect="{val:multivariate_slice.second[0]:.1e} : {val:multivariate_slice.first[0]:.1e}",
)
def test_the_figure_shows_the_slice_and_both_orders_on_lines_of_slope_two_and_three() -> None:
    """At 0.1 the second-order error is below a tenth of the first; larger at 3, not at -3."""
    found = slice_errors(np.array([0.1, 3.0, -3.0]), along_gradient=False)
    first, second = (np.abs(found["loss"] - found[name]) for name in ("first", "second"))
    assert second[0] < first[0] / 10
    assert second[1] > first[1]
    assert second[2] < first[2]
    figure = plot_models()
    top, bottom = figure.axes
    assert [line.get_label() for line in top.lines] == ["loss", "order 1", "order 2"]
    steps = np.asarray(bottom.lines[0].get_xdata())
    for line, order in zip(bottom.lines[::2], (1, 2, 1, 2), strict=True):
        errors = np.asarray(line.get_ydata())
        assert np.polyfit(np.log(steps[:6]), np.log(errors[:6]), 1)[0] == pytest.approx(
            order + 1, abs=0.06
        )
    plt.close(figure)


def test_the_models_agree_with_the_loss_at_the_point() -> None:
    found = slice_errors(np.array([0.0]), along_gradient=True)
    assert found["loss"] == found["first"] == found["second"]
    assert found["gradient"] == 0
