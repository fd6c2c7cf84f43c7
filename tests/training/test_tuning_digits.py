"""64 trials on digits: shares of the variance, the winner's excess, successive halving."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.training import tuning_digits as digits


def test_settings_lie_in_the_space():
    settings = digits.sobol_settings(3).numpy()
    for column, (low, high) in zip(settings.T, digits.SPACE.values(), strict=True):
        assert low * 0.999 <= column.min() < 1.2 * low
        assert high / 1.2 < column.max() <= high * 1.001


@pytest.mark.proves(
    "tuning-share",
    kind="ratio",
    seeds=20,
    effect='{val:tuning_digits.share["learning rate"]:.0f}, {val:tuning_digits.share["1 - momentum"]:.1f}',
)
def test_the_learning_rate_explains_most(values):
    """The learning rate explains more than a third of the variance, each other axis at most a fifteenth."""
    share = values("tuning_digits")["share"]
    mean, error = share["learning rate"]
    assert mean - 2 * error > 100 / 3
    for axis in list(digits.SPACE)[1:]:
        mean, error = share[axis]
        assert mean + 2 * error < 100 / 15


@pytest.mark.proves("tuning-null", kind="cause", seeds=20, effect="3 / 63 → 0")
def test_sobol_points_give_an_axis_without_effect_a_share_near_zero(monkeypatch):
    """If one axis alone decides, smoothly, one without effect explains 0% with Sobol points, 3 / 63 with independent ones."""
    sobol = {run: digits.sobol_settings(run) for run in range(20)}
    low, high = torch.tensor(list(digits.SPACE.values())).log().T
    generator = torch.Generator().manual_seed(0)
    points = {r: torch.rand(digits.TRIALS, 4, generator=generator) for r in sobol}
    random = {run: (low + u * (high - low)).exp() for run, u in points.items()}
    null = {}
    for name, settings in (("sobol", sobol), ("random", random)):

        def right(run, settings=settings):  # the learning rate alone decides
            accuracy = (-((settings[run][:, 0] / 0.3).log() ** 2) / 4).exp()
            return accuracy.numpy()[None, :, None]

        monkeypatch.setattr(digits, "trained_trials", right)
        monkeypatch.setattr(digits, "sobol_settings", settings.__getitem__)
        null[name] = np.array([digits.explained(run)[1:4] for run in sobol])
    assert np.abs(null["sobol"]).max() < 0.01
    error = null["random"].std(ddof=1) / null["random"].size ** 0.5
    assert abs(null["random"].mean() - 3 / 63) < 4 * error < 3 / 63


@pytest.mark.proves("tuning-curse", kind="caption", seeds=20)
def test_the_winner_is_overrated(values):
    """The gap is 0 for one trial, grows with their number, and is smaller with more images."""
    curse = values("tuning_digits")["curse"]
    for m in (50, 200):
        mean, error = curse[1, m]
        assert abs(mean) < 4 * error
        gaps = [curse[n, m][0] for n in (1, 4, 16, 64)]
        assert gaps == sorted(gaps)
    for n in (4, 16, 64):
        assert curse[n, 50][0] > 2 * curse[n, 200][0]
    figure = digits.plot_curse()
    few, many = (line.get_ydata() for line in figure.axes[0].lines[:2])
    assert few[-1] == pytest.approx(curse[64, 50][0], rel=0.05)
    assert many[-1] == pytest.approx(curse[64, 200][0], rel=0.05)
    for gaps in (few, many):
        assert (np.diff(gaps) > 0).all()
    plt.close(figure)


@pytest.mark.proves("tuning-halving", kind="ratio", seeds=20, power="0.4 points at 2 SE")
def test_halving_loses_nothing_that_can_be_measured(values):
    """With 640 of 4096 steps halving ends within two errors of training everything."""
    shown = values("tuning_digits")
    assert shown["steps"] == {"everything": 4096, "halving": 640, "fewer trials": 640}
    mean, error = shown["behind"]
    assert abs(mean) < 2 * error < 0.5
    mean, error = shown["lead"]
    assert abs(mean) < 2 * error < 0.5


@pytest.mark.proves("tuning-joint", kind="cause", seeds=200, effect="0 → 1.6")
def test_jumps_and_joint_effects_add_to_an_axis_without_effect(monkeypatch):
    """A jump, or two axes together, add a little to the share of an axis without effect; one axis, smoothly, does not."""
    settings = {run: digits.sobol_settings(run) for run in range(200)}
    monkeypatch.setattr(digits, "sobol_settings", settings.__getitem__)

    def null(accuracy_of):
        monkeypatch.setattr(
            digits,
            "trained_trials",
            lambda run: accuracy_of(settings[run]).double().numpy()[None, :, None],
        )
        found = 100 * np.array([digits.explained(run)[2] for run in settings])
        return found.mean(), found.std(ddof=1) / len(found) ** 0.5

    def bump(z):
        return (-(z.log() ** 2) / 4).exp()

    smooth, _ = null(lambda s: bump(s[:, 0] / 0.3))
    assert abs(smooth) < 0.2
    for accuracy_of in (
        lambda s: (s[:, 0] > 0.05) & (s[:, 0] < 1),
        lambda s: bump(s[:, 0] / s[:, 1] / 0.5),
        lambda s: (s[:, 0] / s[:, 1] > 0.05) & (s[:, 0] / s[:, 1] < 3),
    ):
        mean, error = null(accuracy_of)
        assert 0.3 < mean - 4 * error < mean + 4 * error < 3
