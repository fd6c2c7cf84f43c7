from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
import torch

Define = Callable[[str], SimpleNamespace]
Values = Callable[[str], Mapping[str, Any]]


@pytest.fixture(scope="module")
def lab(define: Define) -> SimpleNamespace:
    return define("deep_relu")


def test_the_three_initializations_have_their_standard_deviations(lab: SimpleNamespace) -> None:
    weights = lab.initialize(5, torch.Generator().manual_seed(1))
    assert [tuple(w.shape) for w in weights] == [
        (9, 64, 100), (9, 100, 100), (9, 100, 100), (9, 100, 100), (9, 100, 10),
    ]  # fmt: skip
    for weight, fan_in, fan_out in ((weights[0], 64, 100), (weights[4], 100, 10)):
        he, xavier, fixed = (float(weight[i : i + 3].std()) for i in (0, 3, 6))
        assert he == pytest.approx(math.sqrt(2 / fan_in), rel=0.05)
        assert xavier == pytest.approx(math.sqrt(2 / (fan_in + fan_out)), rel=0.05)
        assert fixed == pytest.approx(0.01, rel=0.05)
    # The three differ in scale only, so that a comparison compares nothing else.
    assert torch.allclose(weights[1][0] / weights[1][6], weights[1][0, 0, 0] / weights[1][6, 0, 0])


def test_the_batched_product_is_that_of_each_network(lab: SimpleNamespace) -> None:
    weights = lab.initialize(4, torch.Generator().manual_seed(1))
    biases = [b + 0.1 for b in lab.zero_biases(weights)]
    x = torch.randn(7, 64, generator=torch.Generator().manual_seed(2))
    found = lab.forward(x, weights, biases)
    for net in (0, 4, 8):
        h = x
        for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            z = h @ weight[net] + bias[net]
            assert torch.allclose(found[layer][net], z, atol=1e-5)
            h = z.relu()


def test_the_finding(values: Values) -> None:
    found = values("deep_relu")
    assert found["xavier_factor"] == pytest.approx(0.5, abs=0.05)
    assert found["xavier_factor"] != pytest.approx(1.0, abs=0.05)
    assert found["he_start"] < found["xavier_start"]
    assert found["he_30"] < 2 < 2.2 < found["xavier_30"]
    assert found["fixed_10"] == pytest.approx(math.log(10), abs=0.05)
