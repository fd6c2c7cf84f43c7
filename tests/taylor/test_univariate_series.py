"""The series of deep learning: coefficients, and degrees for an error of 0.001."""

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from x0.taylor.univariate_series import chebyshev_degree, function_named, series, taylor_degree

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "exp": mpmath.exp,
    "log1p": lambda x: mpmath.log(1 + x),
    "rsqrt": lambda x: 1 / mpmath.sqrt(1 + x),
    "logistic": lambda x: 1 / (1 + mpmath.exp(-x)),
    "tanh": mpmath.tanh,
    "softplus": lambda x: mpmath.log(1 + mpmath.exp(x)),
    "SiLU": lambda x: x / (1 + mpmath.exp(-x)),
    "erf": mpmath.erf,
    "GELU": lambda x: x * mpmath.ncdf(x),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_coefficients_are_those_of_mpmath(name: str) -> None:
    with mpmath.workdps(40):
        known = [float(c) for c in mpmath.taylor(FUNCTIONS[name], 0, 20)]
    np.testing.assert_allclose(series(name)[:21], known, rtol=1e-9, atol=1e-18)
    x = np.linspace(-0.5, 2, 7)
    np.testing.assert_allclose(
        function_named(name)(x), [float(FUNCTIONS[name](t)) for t in x], rtol=1e-12
    )


@pytest.mark.proves(
    "univariate-fewer", kind="search", range="9 functions, ranges 0.1…4, errors 1e-1…1e-6"
)
def test_chebyshev_never_needs_a_higher_degree() -> None:
    """On each interval and for each error tried, Chebyshev needs no higher degree than Taylor."""
    tried = 0
    for name in FUNCTIONS:
        for high in (0.1, 0.3, 0.5, 0.9, 2.0, 4.0):
            low = -min(high, 0.9) if name in {"log1p", "rsqrt"} else -high
            for allowed in (1e-1, 1e-2, 1e-3, 1e-6):
                taylor = taylor_degree(name, low, high, allowed)
                chebyshev = chebyshev_degree(name, low, high, allowed)
                if taylor >= 0:
                    assert 0 <= chebyshev <= taylor
                    tried += 1
    assert tried > 100


@pytest.mark.proves("univariate-beyond-radius", kind="fact")
def test_taylor_fails_beyond_the_radius_and_chebyshev_does_not(
    values: Callable[[str], Any],
) -> None:
    """On the wide ranges Taylor fails exactly for the functions of finite radius, Chebyshev for none."""
    shown = values("univariate_series")
    finite = {"logistic", "tanh", "softplus", "SiLU", "log1p", "rsqrt"}
    for name in FUNCTIONS:
        assert (shown["taylor"][name, "wide"] < 0) == (name in finite)
        assert shown["chebyshev"][name, "wide"] > 0
        assert shown["taylor"][name, "short"] > 0


def test_two_rows() -> None:
    x = np.linspace(-1, 1, 501)
    errors = [
        np.abs(np.polyval(series("tanh", k + 1)[::-1], x) - np.tanh(x)).max() for k in (13, 15)
    ]
    assert errors[0] > 1e-3 > errors[1]
    assert taylor_degree("tanh", -1, 1) == 15
