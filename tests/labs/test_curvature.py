from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from x0_build.worker import Value

Define = Callable[[str], SimpleNamespace]
Measured = Callable[[str], dict[str, Value]]


@pytest.fixture(scope="module")
def lab(define: Define) -> SimpleNamespace:
    """The lab's functions, on a smaller network and few samples."""
    lab = define("curvature")
    generator = torch.Generator().manual_seed(1)
    small = {
        "SHAPES": ((6, 4), (4,), (4, 4), (4,), (4, 3), (3,)),
        "inputs": torch.randn(20, 6, dtype=torch.float64, generator=generator),
        "wanted": torch.eye(3, dtype=torch.float64)[torch.arange(20) % 3],
    }
    small["SIZES"] = [torch.Size(shape).numel() for shape in small["SHAPES"]]
    lab.loss.__globals__.update(small)
    lab.theta = 0.7 * torch.randn(sum(small["SIZES"]), dtype=torch.float64, generator=generator)
    return lab


def test_the_product_is_that_of_the_whole_hessian(lab: SimpleNamespace) -> None:
    hessian = torch.autograd.functional.hessian(lab.loss, lab.theta)
    v = torch.randn(len(lab.theta), dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    assert torch.allclose(lab.hessian_product(lab.theta, v), hessian @ v, rtol=1e-10)


def test_power_iteration_finds_the_eigenvalue_of_largest_modulus(lab: SimpleNamespace) -> None:
    hessian = torch.autograd.functional.hessian(lab.loss, lab.theta).numpy()
    values, vectors = np.linalg.eigh(hessian)
    wanted = values[np.abs(values).argmax()]
    found, vector = lab.largest(lab.theta, 400)
    assert found[-1] == pytest.approx(wanted, rel=1e-6)
    overlap = abs(vector.numpy() @ vectors[:, np.abs(values).argmax()])
    assert overlap == pytest.approx(1, abs=1e-4)
    assert found[0] != pytest.approx(wanted, rel=0.05)


def test_descent_follows_the_gradient(lab: SimpleNamespace) -> None:
    end, losses = lab.descend(lab.theta, 0.05, 20)
    by_hand = lab.theta
    for value in losses:
        assert float(lab.loss(by_hand)) == pytest.approx(float(value))
        by_hand = by_hand - 0.05 * lab.gradient(by_hand)
    assert torch.allclose(end, by_hand)
    assert (losses.diff() < 0).all()


def test_the_finding(measured: Measured) -> None:
    values = measured("curvature")
    assert values["limit"] == pytest.approx(2 / values["curvature"])
    assert 1 <= values["rises"] < 1.4
    assert values["diverges"] > 1.5 * values["rises"]
    assert 0.9 < values["lowest"] < values["highest"] < 1.1
    assert values["diverges_start"] > 2
