"""Figure optimizers-gain-scale: He's scale trains under every optimizer, the best rate follows it."""

import math
from itertools import pairwise

import matplotlib.pyplot as plt
import pytest
import torch
from sklearn.datasets import load_digits

from x0.initialization import optimizers_gain as gain


@pytest.fixture(scope="module")
def best():
    """Return the smallest median loss and its rate, by optimizer and gain."""
    return {
        name: {
            g: (float(loss), float(rate))
            for g, loss, rate in zip(gain.GAINS, *gain.best_rates(name), strict=True)
        }
        for name in gain.NAMES
    }


@pytest.mark.claim("A-36")
@pytest.mark.proves(
    "optimizers-rate",
    kind="best",
    range="11 rates, 4…4·10⁻⁶; no optimum on the border",
    seeds=8,
    effect="≤ 1/16",
)
def test_the_best_rate_follows_the_scale(best):
    """From He's scale to twice it, the best rates of SGD and momentum fall to 1/16 or less, Adam's stays."""
    for name in gain.NAMES:
        for g in (1.0, 2.0):
            loss, rate = best[name][g]
            assert loss < 0.5 < math.log(10), (name, g)
            assert gain.RATES[-1] < rate < gain.RATES[0]
    fall = {name: best[name][1.0][1] / best[name][2.0][1] for name in gain.NAMES}
    assert min(fall["SGD"], fall["momentum"]) > 15.9
    assert 0.24 < fall["Adam"] < 4.1
    # Each seed by itself: a rate that is best at one scale fails at the other.
    for name in ("SGD", "momentum"):
        losses = gain.final_losses(name)
        at = {g: gain.RATES.index(pytest.approx(best[name][g][1])) for g in (1.0, 2.0)}
        for own, other in ((1.0, 2.0), (2.0, 1.0)):
            difference = losses[gain.GAINS.index(own)]
            assert (difference[at[own]] < difference[at[other]]).sum() >= 7


@pytest.mark.claim("A-36")
@pytest.mark.proves(
    "optimizers-small", kind="search", range="11 rates, 4…4·10⁻⁶; std 1/4 of He's", seeds=8
)
def test_at_a_quarter_of_he_only_adam_moves(best):
    """At a quarter of He's, no rate moves SGD or momentum within 50 steps; Adam gets down."""
    for name in ("SGD", "momentum"):
        assert best[name][0.25][0] > math.log(10) - 0.02
    assert best["Adam"][0.25][0] < math.log(10) - 0.5


@pytest.mark.proves("optimizers-grid", kind="search", range="rates 4⁻³…4", seeds=8)
def test_a_short_grid_hides_that_twice_he_trains(best):
    """At twice He's scale SGD stays at the loss of equal probabilities for each rate from 4^-3 up."""
    losses = gain.final_losses("SGD")[gain.GAINS.index(2.0)].median(1).values
    high = [float(loss) for loss, rate in zip(losses, gain.RATES, strict=True) if rate > 0.0156]
    assert len(high) == 5
    assert min(high) > math.log(10) - 0.02
    assert best["SGD"][2.0][0] < 0.5  # it does train, at a smaller rate


def test_rejects_an_unknown_optimizer():
    with pytest.raises(ValueError, match="Received: optimizer='Lion'"):
        gain.final_losses("Lion")


def test_figure_and_values(values):
    """All three train at He's scale and at twice it; at half of it Adam does."""
    figure = gain.plot_scale()
    curves = [
        dict(zip(line.get_xdata(), line.get_ydata(), strict=True))
        for line in figure.axes[0].lines[:3]
    ]
    for curve in curves:
        assert max(curve[1.0], curve[2.0]) < 0.5
    assert [curve[0.5] < 0.5 for curve in curves] == [False, False, True]
    left = values("optimizers_gain")
    assert left["best"]["SGD"][0.25] == pytest.approx(math.log(10), abs=0.02)
    assert left["rate"]["SGD"][2.0] < 0.01
    plt.close(figure)


@pytest.mark.parametrize("name", gain.NAMES)
def test_the_steps_are_those_of_torch_optim(name, monkeypatch):
    """One cell of the grid, trained again network by network with the optimizer of PyTorch.

    For ten steps: after fifty, Adam's losses differ by rounding between machines.
    """
    monkeypatch.setattr(gain, "STEPS", 10)
    factor, rate = (2.0, 4.0**-5) if name != "Adam" else (1.0, 4.0**-3)
    data = load_digits()
    x = torch.tensor(data.data[: gain.SAMPLES], dtype=torch.float32) / 8 - 1
    y = torch.tensor(data.target[: gain.SAMPLES])
    generator = torch.Generator().manual_seed(gain.SEED)
    sizes = [64] + [gain.WIDTH] * (gain.DEPTH - 1) + [10]
    draws = [torch.randn(gain.SEEDS, *pair, generator=generator) for pair in pairwise(sizes)]
    expected = []
    for seed in range(gain.SEEDS):
        weights = [(factor * w[seed] * math.sqrt(2 / len(w[seed]))).requires_grad_() for w in draws]
        make = torch.optim.Adam if name == "Adam" else torch.optim.SGD
        optimizer = make(weights, lr=rate, **({"momentum": 0.9} if name == "momentum" else {}))

        def loss(weights=weights):
            h = x
            for w in weights[:-1]:
                h = (h @ w).relu()
            return torch.nn.functional.cross_entropy(h @ weights[-1], y)

        for _ in range(gain.STEPS):
            optimizer.zero_grad()
            loss().backward()
            optimizer.step()
        expected.append(loss().item())
    cell = gain.final_losses.__wrapped__(name)[gain.GAINS.index(factor), gain.RATES.index(rate)]
    assert cell.tolist() == pytest.approx(expected, rel=1e-3)
