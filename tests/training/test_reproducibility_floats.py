"""Another order, another sum: within the bound, and in the convolution too."""

import math

import numpy as np
import pytest
import torch

from x0.training import reproducibility_floats as floats


def test_sums_differ_and_stay_within_the_bound():
    x = np.random.default_rng(1).random(2**14, dtype=np.float32)
    exact = math.fsum(x.tolist())
    sums = {c: float(floats.chunked_sum(x, c)) for c in (1, 2, 4, 8, 16)}
    assert len(set(sums.values())) > 1
    partial = np.cumsum(x, dtype=np.float64)
    assert abs(sums[1] - exact) <= 1.01 * 2**-24 * partial.sum()
    assert abs(sums[1] - exact) > 0


def test_more_chunks_are_more_exact():
    values = floats.demo()
    assert values["sum_512"] < 0.1 * values["sum_1"]
    assert 0 < values["sum_1"] < 1e-3


def test_channel_order_changes_the_last_digits_only():
    single, double = (floats.channel_difference(d) for d in (torch.float32, torch.float64))
    assert 1e-9 < single < 2e-6
    assert 1e-18 < double < 1e-14


def test_errors():
    with pytest.raises(ValueError, match="Received: 5 numbers, chunks=2"):
        floats.chunked_sum(np.ones(5, np.float32), 2)
