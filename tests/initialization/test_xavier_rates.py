import math

import numpy as np
import pytest
import sympy as sp

from x0.initialization.xavier_decay import decay_map
from x0.initialization.xavier_rates import moment_after, softsign


def test_agrees_with_the_tanh_map():
    assert moment_after(np.tanh, 50) == pytest.approx(decay_map(50)[0][-1], rel=1e-6)


@pytest.mark.parametrize(
    ("phi", "cubic"), [(np.tanh, -1 / 3), (np.arctan, -1 / 3), (np.sin, -1 / 6)]
)
def test_the_cubic_coefficient_decides_the_rate(phi, cubic):
    depth = 4000
    assert moment_after(phi, depth) * 6 * abs(cubic) * depth == pytest.approx(1, abs=0.005)
    z = 1e-2
    assert (float(phi(np.array(z))) - z) / z**3 == pytest.approx(cubic, rel=1e-3)


def test_softsign_decays_like_the_square():
    for depth in (2000, 4000):
        scaled = moment_after(softsign, depth) * 8 * depth**2 / math.pi
        assert scaled == pytest.approx(1, abs=0.01)
    ratio = moment_after(softsign, 2000) / moment_after(softsign, 4000)
    assert ratio == pytest.approx(4, abs=0.05)


def test_softsign_moment_series():
    z, q = sp.symbols("z q", positive=True)
    density = sp.exp(-(z**2) / (2 * q)) / sp.sqrt(2 * sp.pi * q)
    third = 2 * sp.integrate(z**3 * density, (z, 0, sp.oo))
    assert sp.simplify(2 * third - 4 * sp.sqrt(2 / sp.pi) * q ** sp.Rational(3, 2)) == 0


def test_depth_is_checked():
    with pytest.raises(ValueError, match="Received: depth=0"):
        moment_after(np.tanh, 0)


def test_decay_at_layer_2000():
    for phi, predicted in (
        (np.tanh, 1 / 4000),
        (np.arctan, 1 / 4000),
        (np.sin, 1 / 2000),
        (softsign, math.pi / (8 * 2000**2)),
    ):
        assert moment_after(phi, 2000) / predicted == pytest.approx(1, abs=0.005)
