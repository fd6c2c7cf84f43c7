"""The search of the page: its space, its order, its number of trials."""

import math

import numpy as np
import pytest
import torch

from x0.training import tuning

SPACE = {"rate": (1e-3, 1.0), "decay": (0.1, 10.0)}


@pytest.mark.proves("tuning-even", kind="search", range="n = 2…256, 50 seeds, 2…5 axes")
def test_each_axis_is_covered_evenly():
    """Of a power of two of Sobol trials, one lies in each of n equal parts of each axis."""
    for axes in (2, 5):
        space = {str(i): (1e-3, 10.0) for i in range(axes)}
        for n in (2, 16, 256):
            for seed in range(50):
                rows = tuning.sobol_trials(space, n, seed)
                for name, (low, high) in space.items():
                    place = [math.log(r[name] / low) / math.log(high / low) for r in rows]
                    cells = np.clip(np.floor(np.array(place) * n + 1e-6), 0, n - 1)
                    assert len(set(cells.tolist())) == n
    random = np.floor(np.random.default_rng(0).random(16) * 16)
    assert len(set(random.tolist())) < 16  # independent draws are not even


def test_trials_lie_in_the_space_and_repeat_with_the_seed():
    rows = tuning.sobol_trials(SPACE, 33, 1)
    for name, (low, high) in SPACE.items():
        values = [r[name] for r in rows]
        assert low <= min(values) <= max(values) <= high
    assert rows == tuning.sobol_trials(SPACE, 33, 1) != tuning.sobol_trials(SPACE, 33, 2)


def test_the_best_comes_first_and_nan_last():
    def loss(settings):
        return math.nan if settings["rate"] > 0.5 else settings["rate"]

    tried = tuning.search(loss, SPACE, 16)
    finite = [loss for loss, _ in tried if math.isfinite(loss)]
    assert finite == sorted(finite)
    assert len(finite) < 16
    assert all(not math.isfinite(loss) for loss, _ in tried[len(finite) :])


def test_trials_needed():
    for top, miss in ((0.05, 0.05), (0.1, 0.05), (0.01, 0.2)):
        n = tuning.trials_needed(top, miss)
        assert (1 - top) ** n <= miss < (1 - top) ** (n - 1)


@pytest.mark.parametrize(
    "call",
    [
        lambda: tuning.trials_needed(0.0),
        lambda: tuning.trials_needed(0.5, 1.0),
        lambda: tuning.sobol_trials({}, 4),
        lambda: tuning.sobol_trials({"rate": (0.0, 1.0)}, 4),
        lambda: tuning.sobol_trials({"rate": (2.0, 1.0)}, 4),
        lambda: tuning.sobol_trials(SPACE, 0),
    ],
)
def test_errors(call):
    with pytest.raises(ValueError, match="Received"):
        call()


def test_demo(values):
    shown = values("tuning")
    assert shown["needed"] == 59
    losses = [loss for loss, _ in shown["tried"]]
    assert losses[0] < 0.2
    assert losses[-1] > 2


@pytest.mark.proves("tuning-line", kind="call", tolerance="4 SE")
def test_the_line_of_exercise_four():
    """low * (high / low) ** torch.rand(n) is uniform in the logarithm between low and high."""
    low, high, n = 1e-4, 1.0, 40_000
    draws = low * (high / low) ** torch.rand(n)
    assert low <= draws.min() < 2e-4
    assert 0.9 < draws.max() <= high
    for k in range(4):  # a quarter of the draws in each decade
        share = ((draws >= 10.0 ** (k - 4)) & (draws < 10.0 ** (k - 3))).double().mean().item()
        assert abs(share - 0.25) < 4 * (0.25 * 0.75 / n) ** 0.5
