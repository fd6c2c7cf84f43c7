"""Figure mini-batches-stationary-level: the noise level of constant SGD."""

import math

import matplotlib.pyplot as plt
import pytest
import torch

from x0.training import mini_batches_stationary as stationary


@pytest.mark.parametrize("batch", stationary.BATCHES)
@pytest.mark.parametrize("rate", stationary.RATES)
def test_the_level(rate, batch):
    mean, error = stationary.excess(rate, batch, True)
    theory = rate / batch / (2 - rate) / 2
    assert error < 0.05 * theory
    assert abs(mean - theory) < 4 * error
    if rate >= 0.6:  # the limit of small steps is rejected
        assert abs(mean - rate / batch / 4) > 4 * error


def shuffled(rate: float, batch: int) -> float:
    """Return the excess loss at the end of an epoch, from the covariance of the batches."""
    steps, q = stationary.ROWS // batch, 1 - rate
    w = (stationary.ROWS - batch) / (stationary.ROWS - 1) / batch
    weights = [q**j for j in range(steps)]
    squares, total = sum(x * x for x in weights), sum(weights)
    spread = w * (steps * squares - total**2) / (steps - 1)
    return rate**2 * spread / (1 - q ** (2 * steps)) / 2


def test_shuffling_is_quieter_at_the_end_of_an_epoch():
    mean, error = stationary.excess(0.05, 16, False)
    assert error < 0.05 * mean
    assert abs(mean - shuffled(0.05, 16)) < 4 * error
    assert mean < stationary.excess(0.05, 16, True)[0] / 10


def after(rate: float, batch: int, batches: int) -> float:
    """Return the exact variance after some batches of a shuffled epoch."""
    steps, omega = stationary.ROWS // batch, 1 - rate
    noise = (stationary.ROWS - batch) / (stationary.ROWS - 1) / batch
    start = 2 * shuffled(rate, batch)
    weights = [omega**j for j in range(batches)]
    squares, total = sum(x * x for x in weights), sum(weights)
    spread = noise * (steps * squares - total**2) / (steps - 1)
    return omega ** (2 * batches) * start + rate**2 * spread


@pytest.mark.proves("mini-batches-middle", kind="fact", range="T = 16, η λ = 0.05", n="2000")
def test_the_middle_of_an_epoch_is_higher_than_its_end():
    """In the middle of a shuffled epoch the variance is higher than at its end."""
    end, middle = after(0.05, 16, 16), after(0.05, 16, 8)
    assert end == pytest.approx(2 * shuffled(0.05, 16))
    assert middle > 3 * end
    generator = torch.Generator().manual_seed(1)
    targets = torch.randn(stationary.ROWS, generator=generator)
    targets = (targets - targets.mean()) / targets.std(correction=0)
    theta = stationary.sgd_chains(targets, 0.05, 16, 6, False, generator)
    order = torch.rand(stationary.CHAINS, stationary.ROWS, generator=generator).argsort(1)
    for mean in targets[order].view(stationary.CHAINS, -1, 16).mean(2).T[:8]:
        theta = theta - 0.05 * (theta - mean)
    measured = theta.square().mean().item()
    assert abs(measured / middle - 1) < 4 * math.sqrt(2 / stationary.CHAINS)


@pytest.mark.proves("mini-batches-independent", kind="fact", tolerance="relative 1e-9")
def test_the_bracket_of_independent_steps():
    """With independent steps the brackets of the shuffled variance hold (T - 1) Σ ω^(2j)."""
    for rate, steps in ((0.3, 2), (0.3, 5), (0.05, 16)):
        omega = 1 - rate
        bracket = (steps - 1) * sum(omega ** (2 * j) for j in range(steps))
        s = rate**2 / ((steps - 1) * (1 - omega ** (2 * steps))) * bracket
        variance = 0.0  # of independent steps, from the recursion
        for _ in range(3000):
            variance = omega**2 * variance + rate**2
        assert s == pytest.approx(variance, rel=1e-9)


@pytest.mark.proves("mini-batches-interpolation", kind="cause", seeds=20, effect="> 10⁻² → < 10⁻¹⁰")
def test_without_noise_at_the_minimum_sgd_comes_to_rest():
    """Rows that a line fits exactly let SGD come to rest; noise in the targets does not."""
    for noisy in (True, False):
        for seed in range(20):
            generator = torch.Generator().manual_seed(seed)
            x = torch.randn(40, 3, generator=generator, dtype=torch.float64)
            y = x.sum(1)
            if noisy:
                y = y + torch.randn(40, generator=generator, dtype=torch.float64)
            best = torch.linalg.lstsq(x, y[:, None]).solution[:, 0]
            theta = torch.zeros(3, dtype=torch.float64)
            for _ in range(1000):
                rows = torch.randint(40, (4,), generator=generator)
                theta -= 0.1 * x[rows].T @ (x[rows] @ theta - y[rows]) / 4
            distance = (theta - best).norm().item()
            assert distance > 1e-2 if noisy else distance < 1e-10


def test_rejects_a_batch_that_does_not_divide():
    with pytest.raises(ValueError, match="Received: batch=3"):
        stationary.sgd_chains(torch.zeros(256), 0.1, 3, 1, True, torch.Generator())


@pytest.mark.proves("mini-batches-level", kind="caption", n="2000")
def test_figure_and_values(values):
    """At low rates all batch sizes lie on one line; near a rate of 2 each of them is above it."""
    figure = stationary.plot_level()
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    for batch in stationary.BATCHES:
        ratio, level = lines[f"B = {batch}"].get_data()
        assert len(ratio) == len(stationary.RATES)
        above = level / (ratio / 4)  # over the line of low rates
        assert above[0] == pytest.approx(1, abs=0.15)
        assert above[-1] > 5
    shown = values("mini_batches_stationary")
    assert shown["predicted"][0.05, 4] == pytest.approx(0.05 / 4 / 1.95 / 2)
    measured = shown["measured"]
    assert math.isclose(measured[0.05, 4][0], measured[0.2, 16][0], rel_tol=0.2)
    plt.close(figure)
