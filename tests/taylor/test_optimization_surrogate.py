"""Training loss and risk."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from x0.taylor import optimization_surrogate as surrogate
from x0.taylor.optimization_surrogate import train_and_test


@pytest.mark.claim("C-18")
@pytest.mark.proves("optimization-surrogate", kind="fact", range="3000 steps")
def test_the_training_loss_falls_while_the_loss_on_new_data_rises(
    values: Callable[[str], Any],
) -> None:
    """The training loss falls on every step."""
    train, test = train_and_test(3000)
    assert (np.diff(train) < 0).all()
    best = int(test.argmin())
    assert 10 < best < 300
    assert test[-1] > 2 * test[best]
    shown = values("optimization_surrogate")
    assert shown["train"][-1] < shown["train"][best]
    assert shown["last"] > 2 * shown["lowest"]


def test_descent_starts_at_zero() -> None:
    """The first losses are the mean squares of the targets, on old and on new data."""
    rng = np.random.default_rng(surrogate.SEED)
    expected = [(surrogate.noisy_waves(count, rng)[1] ** 2).mean() for count in (20, 5000)]
    assert [losses[0] for losses in surrogate.train_and_test(1)] == pytest.approx(expected)
