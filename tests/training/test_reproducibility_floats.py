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


def test_more_chunks_are_more_exact(values):
    error = values("reproducibility_floats")["error"]
    assert error[512] < 0.1 * error[1]
    assert 0 < error[1] < 1e-3


def test_channel_order_changes_the_last_digits_only():
    single, double = (floats.channel_difference(d) for d in (torch.float32, torch.float64))
    assert 1e-9 < single < 2e-6
    assert 1e-18 < double < 1e-14


@pytest.mark.proves("reproducibility-absorbed", kind="fact", n="10⁶")
def test_a_million_small_numbers_are_absorbed():
    """In float32, 1 plus 2^-24 a million times is 1; the small ones first give 1.06."""
    small = np.full(1_000_001, 2.0**-24, np.float32)
    first, last = small.copy(), small.copy()
    first[0] = last[-1] = 1.0
    assert first.cumsum(dtype=np.float32)[-1] == 1.0
    assert last.cumsum(dtype=np.float32)[-1] == pytest.approx(1.06, abs=0.005)


def test_errors():
    with pytest.raises(ValueError, match="Received: 5 numbers, chunks=2"):
        floats.chunked_sum(np.ones(5, np.float32), 2)
