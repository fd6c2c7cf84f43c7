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
    return define("edge_of_chaos")


@pytest.mark.parametrize("weight", [0.8, 1.3, 2.5, 3.6])
def test_the_fixed_point_is_one_and_the_slope_is_its_slope(
    lab: SimpleNamespace, weight: float
) -> None:
    q, c, slope = lab.fixed_point(weight, 0.05)
    rng = np.random.default_rng(0)
    u, t = np.sqrt(q) * rng.standard_normal((2, 1_000_000))

    def after(c: float) -> float:
        v = c * u + np.sqrt(1 - c * c) * t
        return float((weight * (np.tanh(u) * np.tanh(v)).mean() + 0.05) / q)

    assert weight * (np.tanh(u) ** 2).mean() + 0.05 == pytest.approx(q, rel=0.01)
    assert after(c) == pytest.approx(c, abs=0.01)
    low = c - 0.05
    assert (after(c) - after(low)) / 0.05 == pytest.approx(slope, abs=0.05)
    assert (c > 0.999) == (weight < 1.7)  # ordered below the edge, chaotic above


def test_the_scale_diverges_between_order_and_chaos(lab: SimpleNamespace) -> None:
    slopes = [lab.fixed_point(w, 0.05)[2] for w in (1.0, 1.5, 1.76, 2.2, 3.5)]
    assert np.argmax(slopes) == 2
    assert slopes[2] > 0.99
    assert max(slopes[0], slopes[-1]) < 0.9


def test_the_batched_product_is_that_of_each_network(lab: SimpleNamespace) -> None:
    lab.forward.__globals__["NETS"] = 3
    generator = torch.Generator().manual_seed(1)
    weights = [torch.randn(3, 5, 5, generator=generator) for _ in range(3)]
    biases = [torch.randn(3, 1, 5, generator=generator) for _ in range(3)]
    x = torch.randn(4, 5, generator=generator)
    found = lab.forward(x, weights, biases)
    for net in range(3):
        h = x
        for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
            h = torch.tanh(h @ weight[net] + bias[net])
        assert torch.allclose(found[net], h @ weights[-1][net] + biases[-1][net], atol=1e-5)


def test_the_finding(values: Values) -> None:
    found = values("edge_of_chaos")
    assert 3 < found["multiple"] < 9
    assert found["highest"] < 3 * found["lowest"]
    assert 1.5 < found["best"] < 2.3
