"""Checks of snippets/equations/xavier-*.tex."""

from __future__ import annotations

from x0_equations.check import Equation, equation
from x0_equations.networks import network


@equation("xavier-forward", kind="numerical")
def test_forward(eq: Equation) -> None:
    net = network((3, 1, 4, 2), "skew", inputs=2)
    for layer in (1, 2, 3):
        eq.holds(l=layer, **net.bind("q", "n", "v", "p"))


@equation("xavier-chain", kind="numerical")
def test_chain(eq: Equation) -> None:
    net = network((3, 1, 4, 2), "skew")
    for j in (1, 2, 3, 4):
        eq.holds(l=3, j=j, delta=net.delta, z=net.z, n=net.n, phi=net.phi, w=net.weights(3))
