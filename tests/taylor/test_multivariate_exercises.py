"""The trace by random signs."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from x0.taylor.multivariate_exercises import trace_estimate


def test_the_estimate_is_unbiased_and_another_law_is_rejected() -> None:
    generator = torch.Generator().manual_seed(1)
    a = torch.randn(8, 8, generator=generator, dtype=torch.float64)
    matrix = a + a.T + 6 * torch.eye(8, dtype=torch.float64)
    point = torch.zeros(8, dtype=torch.float64)
    mean, error = trace_estimate(lambda x: x @ matrix @ x / 2, point, 2000, generator)
    trace = torch.trace(matrix).item()
    assert abs(mean - trace) < 4 * error
    assert error < 0.05 * trace
    assert abs(mean - matrix.sum().item()) > 8 * error  # the sum of all entries
    off = (matrix.square().sum() - matrix.diag().square().sum()).item()
    assert 2000 * error**2 == pytest.approx(2 * off, rel=0.15)


def test_the_demo_is_within_four_errors(values: Callable[[str], Any]) -> None:
    shown = values("multivariate_exercises")
    mean, error = shown["estimate"]
    assert abs(mean - shown["exact"]) < 4 * error


def test_one_probe_has_no_error() -> None:
    with pytest.raises(ValueError, match="Received: probes=1"):
        trace_estimate(torch.sum, torch.ones(2), 1, torch.Generator())
