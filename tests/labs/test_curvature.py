from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

Define = Callable[[str], SimpleNamespace]
Values = Callable[[str], Mapping[str, Any]]


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


def test_lanczos_finds_both_ends_and_power_iteration_the_larger(lab: SimpleNamespace) -> None:
    hessian = torch.autograd.functional.hessian(lab.loss, lab.theta).numpy()
    values, vectors = np.linalg.eigh(hessian)
    ends = lab.ends(lab.theta)
    assert ends.converged
    assert ends[:2] == pytest.approx(tuple(values[[0, -1]]), rel=1e-6)
    overlaps = np.abs((ends.vectors.numpy() * vectors[:, [0, -1]]).sum(0))
    assert overlaps == pytest.approx(1, abs=1e-6)
    wanted = values[np.abs(values).argmax()]
    assert lab.power(lab.theta, 400)[0][-1] == pytest.approx(wanted, rel=1e-6)


def test_a_plateau_is_no_convergence(lab: SimpleNamespace) -> None:
    # two eigenvalues 1% apart; the start lies almost along the second
    diagonal = torch.tensor([1.0, 0.99, *torch.linspace(0, 0.5, 20)], dtype=torch.float64)
    start = torch.ones(22, dtype=torch.float64)
    start[0] = 1e-4
    v, quotients = start, []
    for _ in range(100):
        v = v / v.norm()
        quotients.append(float(v @ (diagonal * v)))
        v = diagonal * v
    assert quotients[99] == pytest.approx(quotients[39], abs=1e-4)
    assert quotients[99] < 0.9901
    ends = lab.lanczos(lambda u: diagonal * u, start)
    assert ends.largest == pytest.approx(1, abs=1e-9)
    assert ends.converged


def test_descent_follows_the_gradient(lab: SimpleNamespace) -> None:
    end, losses = lab.descend(lab.theta, 0.05, 20)
    by_hand = lab.theta
    for value in losses:
        assert float(lab.loss(by_hand)) == pytest.approx(float(value))
        by_hand = by_hand - 0.05 * lab.gradient(by_hand)
    assert torch.allclose(end, by_hand)
    assert (losses.diff() < 0).all()


@pytest.mark.proves("curvature-factor", kind="caption", n="15", tolerance="0.01")
def test_close_by_the_deviation_has_the_predicted_factor(values: Values) -> None:
    """The measured factors are within 0.01 of |1 − ηλ|; beyond 1 the deviation grows."""
    found = values("curvature")
    for multiple, factor in zip(found["multiples"], found["factors"], strict=True):
        assert abs(factor - abs(1 - 2 * multiple)) < 0.01
        assert (factor > 1) == (multiple > 1.001)


@pytest.mark.proves("curvature-surge", kind="caption", range="0.9, 1.4, 2, 3 × 2/λ")
def test_above_the_limit_the_loss_surges_and_ends_lower(values: Values) -> None:
    """0.9: steady fall; 1.4 and 2: surge, return, lower end than at 0.9; 3: no return."""
    ends, tops = values("curvature")["ends_of_runs"], values("curvature")["tops_of_runs"]
    assert values("curvature")["rises_of_runs"][0] < 0
    assert ends[0] < 1
    for i in (1, 2):
        assert tops[i] > 1.001
        assert ends[i] < ends[0]
    assert tops[3] > 100


def test_the_finding(values: Values) -> None:
    found = values("curvature")
    assert found["curvature"] > 1.005 * found["plateau"]
    assert found["limit"] == pytest.approx(2 / found["curvature"])
    assert 1 <= found["rises"] < 1.4
    assert found["diverges"] > 1.5 * found["rises"]
    assert found["last"] > found["diverges"]  # the border is ragged
    assert found["last_start"] < found["diverges_start"]
    assert 0.99 < found["lowest"] < found["highest"] < 1.03
    assert found["diverges_start"] > 2
