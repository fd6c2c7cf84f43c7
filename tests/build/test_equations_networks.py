"""The ensembles that the initialization laws are checked against, by hand on small cases."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from equations.networks import ACTIVATIONS, network
from x0_equations.values import GROUPS, REPLICATES, jackknife


def test_every_pattern_of_signs_occurs_once() -> None:
    net = network((1, 2), variances=(0.25,))
    patterns = {(a, b) for a, b in zip(net.w[1, 1, 1][0], net.w[1, 2, 1][0], strict=True)}
    assert patterns == {(a, b) for a in (-0.5, 0.5) for b in (-0.5, 0.5)}
    assert net.z[1, 1].shape == (1, 2**4)  # two weights, two coefficients of the read-out


def test_a_layer_by_hand() -> None:
    net = network((2, 1), "linear", (0.7,), scale=3.0)
    assert net.p[0].item() == pytest.approx(9.0)
    x = net.h[0, 1][0, 0], net.h[0, 2][0, 0]
    assert net.q[1].item() == pytest.approx(0.7 * (x[0] ** 2 + x[1] ** 2))
    assert net.d[1].item() == pytest.approx(1.3**2)
    assert net.d[0].item() == pytest.approx(0.7 * 1.3**2)
    assert net.G[1].item() == pytest.approx(1.3**2 * 9.0)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_torch_and_the_bound_function_agree(name: str) -> None:
    layer, phi = ACTIVATIONS[name]
    z = torch.linspace(-2.1, 2.0, 12, dtype=torch.float64, requires_grad=True)
    h = layer(z)
    (slope,) = torch.autograd.grad(h.sum(), z)
    x = z.detach().numpy()
    np.testing.assert_allclose(phi(x), h.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(phi.derivative(1)(x), slope.numpy(), rtol=1e-12, atol=1e-14)


def test_sampled_networks_carry_their_error() -> None:
    net = network((4, 8), "linear", (0.5,), samples=100 * GROUPS)
    assert net.q[1].shape == (REPLICATES, 1)
    mean, error = jackknife(net.q[1])
    assert 0.0 < error < 0.05 * mean
    assert abs(mean - 4 * 0.5) < 4 * error


def test_units_are_counted_from_one() -> None:
    net = network((2, 1))
    with pytest.raises(IndexError, match="counted from 1"):
        net.z[1, 0]
