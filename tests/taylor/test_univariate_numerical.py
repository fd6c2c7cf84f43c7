"""Difference quotients, their best step, and the complex step."""

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import mpmath
import numpy as np
import pytest

from x0.taylor.univariate_numerical import (
    best_step,
    central_quotient,
    complex_step,
    forward_quotient,
    plot_error,
)

FUNCTIONS = {"exp": np.exp, "sin": np.sin, "tanh": np.tanh, "log1p": np.log1p}


def exact(name: str, x: float, order: int) -> float:
    with mpmath.workdps(40):
        f = (lambda z: mpmath.log(1 + z)) if name == "log1p" else getattr(mpmath, name)
        return float(mpmath.diff(f, mpmath.mpf(x), order))


@pytest.mark.proves(
    "univariate-best-step", kind="best", range="h = 1e-15…0.1, 57 points; 40 functions and points"
)
def test_the_best_step_is_close_to_the_predicted_one() -> None:
    """The predicted step is within a factor of 10 of the accuracy of the best step of a grid."""
    rng = np.random.default_rng(0)
    ratios = []
    for _ in range(40):
        name = str(rng.choice(list(FUNCTIONS)))
        x = float(rng.uniform(0.2, 1.5))
        f, truth = FUNCTIONS[name], exact(name, x, 1)
        size, third = abs(float(f(x))), abs(exact(name, x, 3))
        if third < 1e-2:
            continue
        h, promised = best_step(size, third)
        near = [abs(central_quotient(f, x, h * s) - truth) for s in np.geomspace(0.8, 1.25, 31)]
        grid = np.geomspace(1e-15, 0.1, 57)
        errors = [
            np.median(
                [abs(central_quotient(f, x, g * s) - truth) for s in np.geomspace(0.8, 1.25, 31)]
            )
            for g in grid
        ]
        best = int(np.argmin(errors))
        assert 0 < best < 56
        assert 0.05 < grid[best] / h < 20
        assert np.median(near) < 3 * promised
        ratios.append(np.median(near) / errors[best])
    assert len(ratios) > 25
    assert max(ratios) < 10


@pytest.mark.proves(
    "univariate-no-cancellation", kind="search", range="h = 1e-8…1e-200; exp, sin, tanh"
)
def test_the_complex_step_does_not_lose_digits_however_small_it_is() -> None:
    """From 1e-8 down to 1e-200 the complex step is exact up to rounding."""
    for name in ("exp", "sin", "tanh"):
        for x in (0.2, 0.7, 1.5):
            for h in 10.0 ** -np.arange(8, 201, 8):
                got = complex_step(FUNCTIONS[name], x, float(h))
                assert got == pytest.approx(exact(name, x, 1), rel=1e-14)


@pytest.mark.proves("univariate-analytic-only", kind="call")
def test_the_complex_step_is_silently_wrong_for_what_is_not_analytic() -> None:
    """What abs or a real part contributes to the derivative is lost without an error."""
    assert complex_step(abs, 0.7) == 0
    assert complex_step(lambda x: np.real(x) ** 2 + 0j, 0.7) == 0
    assert complex_step(lambda x: 3 * x + abs(x), 0.7) == pytest.approx(3)  # and not 4
    assert complex_step(lambda x: 3 * x * np.real(x), 0.7) == pytest.approx(2.1)  # and not 4.2


@pytest.mark.proves("univariate-quotients", kind="caption")
def test_the_figure_shows_two_valleys_and_a_floor() -> None:
    """Forward is best near 1e-8, central near 1e-5; the complex step stays at rounding below 1e-8."""
    figure = plot_error()
    one, two, three, bound = (np.asarray(line.get_ydata()) for line in figure.axes[0].lines[:4])
    steps = np.asarray(figure.axes[0].lines[0].get_xdata())
    assert 1e-10 < steps[one.argmin()] < 1e-6
    assert 1e-7 < steps[two.argmin()] < 1e-4
    assert (three[steps < 1e-8] < 1e-15).all()
    assert (two <= 1.2 * bound)[two > 1e-16].all()
    plt.close(figure)


def test_forward_has_order_one() -> None:
    errors = [abs(forward_quotient(np.exp, 0.7, h) - np.exp(0.7)) for h in (1e-3, 5e-4)]
    assert errors[0] / errors[1] == pytest.approx(2, abs=0.01)


def test_the_demo(values: Callable[[str], Any]) -> None:
    shown = values("univariate_numerical")
    assert 1e-11 < shown["promised"] < 5e-11
    assert shown["least"]["complex"] < 1e-15
