import numpy as np
import pytest

from x0.initialization import why_training
from x0.initialization.why_training import SEEDS, steps_to, train_both


@pytest.mark.claim("A-05")
def test_he_gets_there_sooner_with_every_seed():
    losses, _ = train_both()
    he, xavier = steps_to(losses, 1.0)
    assert np.all(np.isfinite(xavier))
    assert np.all(xavier > 1.2 * he)


@pytest.mark.claim("A-07")
def test_final_accuracies_cannot_be_told_apart():
    losses, accuracy = train_both()
    assert losses[..., -50:].mean(-1).max() < 0.3  # both have converged
    gap = accuracy[0] - accuracy[1]
    assert abs(gap.mean()) < 3 * gap.std(ddof=1) / SEEDS**0.5
    assert accuracy.mean(1).min() > 0.85


def test_steps_to():
    losses = np.array([[3.0] * 10 + [0.5] * 10, [3.0] * 20])
    assert steps_to(losses, 1.0).tolist() == [20.0, np.inf]


def test_demo_values():
    values = why_training.demo()
    assert values["ratio"][0] > 1.5
    assert abs(values["gap"][0]) < 0.05
