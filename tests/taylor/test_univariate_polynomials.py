"""Convergence inside the radius only; the gallery."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.taylor.univariate import taylor_coefficients
from x0.taylor.univariate_polynomials import (
    ORDERS,
    closed_form,
    function_values,
    maximum_error,
    plot_gallery,
)

TORCH = {"sin": torch.sin, "log1p": torch.log1p, "runge": lambda x: 1 / (1 + x**2)}


@pytest.mark.parametrize("name", TORCH)
def test_closed_forms_are_what_autograd_finds(name: str) -> None:
    found = taylor_coefficients(TORCH[name], 0.0, 8).numpy()
    np.testing.assert_allclose(closed_form(name, 8), found, rtol=1e-12, atol=1e-15)


@pytest.mark.claim("C-47")
def test_the_first_order_is_affine_and_higher_orders_fit_sin() -> None:
    expected = {1: 3.1, 3: 2.0, 5: 0.52, 7: 0.075, 9: 0.0069, 11: 0.00045, 13: 0.000021}
    errors = [maximum_error("sin", order, math.pi) for order in expected]
    for error, number in zip(errors, expected.values(), strict=True):
        assert error == pytest.approx(number, rel=0.025)
    assert all(later < earlier for earlier, later in pairwise(errors))
    # an affine function has second differences zero; the polynomial of order 3 has not
    x = np.linspace(-1, 1, 5)
    tangent, cubic = (np.polynomial.polynomial.polyval(x, closed_form("sin", k)) for k in (1, 3))
    assert np.abs(np.diff(tangent, 2)).max() < 1e-15
    assert np.abs(np.diff(cubic, 2)).max() > 0.1


def test_the_rational_function_has_its_exact_error(values: Callable[[str], Any]) -> None:
    # order 2 j - 1 leaves x^(2j) / (1 + x²)
    for order in (1, 3, 7, 13):
        for width in (0.5, 1.5):
            exact = width ** (order + 1) / (1 + width**2)
            assert maximum_error("runge", order, width) == pytest.approx(exact, rel=1e-9)
    shown = values("univariate_polynomials")
    assert shown["near"][13] < shown["near"][1]
    assert shown["far"][13] > shown["far"][1]


def test_functions_have_their_domain() -> None:
    assert np.isnan(function_values("log1p", np.array([-1.0, -2.0]))).all()
    assert function_values("flat", np.array([0.0]))[0] == 0.0
    np.testing.assert_allclose(function_values("flat", np.array([0.5])), math.exp(-4), rtol=1e-15)


@pytest.mark.parametrize(("name", "order"), [("sin", -1), ("cosine", 2)])
def test_bad_input_is_refused(name: str, order: int) -> None:
    with pytest.raises(ValueError, match=f"Received: name='{name}', order={order}"):
        closed_form(name, order)


@pytest.mark.proves("convergence-gallery", kind="caption", range="orders 1…13")
def test_in_the_gallery_order_13_is_the_worst_outside() -> None:
    """sin: wider with the order; outside order 13 is worst, everywhere or from 1.2 on; flat: zero."""
    figure = plot_gallery()
    fits = []
    cases = (("sin", None), ("log1p", 1.2), ("runge", 1.0), ("flat", None))
    for axis, (name, border) in zip(figure.axes, cases, strict=True):
        x = np.asarray(axis.lines[0].get_xdata(), dtype=float)
        f = np.asarray(axis.lines[0].get_ydata(), dtype=float)
        models = [np.polynomial.polynomial.polyval(x, closed_form(name, k)) for k in ORDERS]
        for line, model in zip(axis.lines[1:], models, strict=True):
            drawn = np.asarray(line.get_ydata(), dtype=float)  # nan beyond the axis
            np.testing.assert_allclose(drawn, np.where(np.isnan(drawn), np.nan, model))
        errors = np.abs(np.array(models) - f)
        if border:
            outside = (np.abs(x) > border) & np.isfinite(f)
            assert outside.sum() > 10
            assert (errors[-1] > errors[:-1].max(0))[outside].all()
        fits.append([np.abs(x)[error < 0.1].max() for error in errors])
        if name == "flat":
            assert not np.array(models).any()
    assert fits[0] == sorted(fits[0])
    plt.close(figure)


def test_the_gallery_shows_convergence_inside_and_failure_outside() -> None:
    figure = plot_gallery()
    assert len(figure.axes) == 4

    def errors(panel: int, x: float) -> list[float]:
        """Return the distance of each drawn polynomial from the drawn function at x."""
        function, *polynomials = figure.axes[panel].lines
        at = int(np.argmin(np.abs(function.get_xdata() - x)))
        return [abs(line.get_ydata()[at] - function.get_ydata()[at]) for line in polynomials]

    assert [line.get_label() for line in figure.axes[0].lines[1:]] == [f"order {k}" for k in ORDERS]
    for panel, inside, outside in [(1, 0.6, 1.2), (2, 0.6, 1.1)]:
        near, far = errors(panel, inside), errors(panel, outside)
        assert near == sorted(near, reverse=True)
        assert far[-1] > far[1]
    near = errors(0, 3.0)
    assert near == sorted(near, reverse=True)
    # the last panel: all polynomials are zero, the function is not
    assert all(not line.get_ydata().any() for line in figure.axes[3].lines[1:])
    assert figure.axes[3].lines[0].get_ydata().max() > 0.7
    plt.close(figure)
