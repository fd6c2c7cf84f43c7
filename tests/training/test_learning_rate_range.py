"""Figure learning-rate-range-test: the test finds a rate below the cliff, near the best one."""

import itertools
import math

import matplotlib.pyplot as plt
import pytest
import torch

from x0.training import learning_rate_range as ranges


@pytest.fixture(scope="module")
def study():
    return ranges.fixed_rates()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_suggestion_trains_almost_as_well_as_the_best_fixed_rate(seed, study):
    rate = ranges.suggest_rate(*ranges.digits_range(seed))
    assert 0.05 < rate < 0.5
    assert ranges.loss_at_rate(rate, seed) < 3 * study[1].min()
    assert ranges.loss_at_rate(10 * rate, seed) > 1


def test_final_loss_has_a_valley_and_a_cliff(study):
    rates, losses = study
    mean = losses.mean(0)
    assert 0.15 <= rates[mean.argmin()] <= 0.7
    assert mean[0] > 1.5  # too slow
    assert mean[-1] > 2.2  # too fast: it guesses


@pytest.mark.proves("learning-rate-copy", kind="call", range="SGD, AdamW")
def test_the_model_is_left_as_it_was():
    """`range_test` trains a copy with the optimizer that is named; the model stays as it is."""
    made = []

    def adamw(parameters, lr):
        made.append(torch.optim.AdamW(parameters, lr=lr))
        return made[-1]

    generator = torch.Generator().manual_seed(1)
    model = ranges.he_classifier(generator)
    before = [p.detach().clone() for p in model.parameters()]
    batches = ranges.random_batches(generator, 30)
    ranges.range_test(model, ranges.cross_entropy, batches, 1e-4, 0.1, 30, adamw)
    trained = made[0].param_groups[0]
    assert trained["lr"] == pytest.approx(0.1)
    assert not set(trained["params"]) & set(model.parameters())
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))

    generator = torch.Generator().manual_seed(1)
    model = ranges.he_classifier(generator)
    before = [p.detach().clone() for p in model.parameters()]
    batches = ranges.random_batches(generator, 30)
    rates, losses = ranges.range_test(model, ranges.cross_entropy, batches, 1e-3, 0.1, 30)
    assert len(rates) == len(losses) == 30
    assert rates[0] == 1e-3
    assert rates[-1] == pytest.approx(0.1)
    ratios = [b / a for a, b in itertools.pairwise(rates)]
    assert ratios == pytest.approx([ratios[0]] * 29)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert all(p.grad is None for p in model.parameters())


def test_it_stops_before_the_loss_is_useless():
    rates, losses = ranges.digits_range()
    assert len(rates) < 100
    assert all(math.isfinite(x) for x in losses)
    assert losses[-1] <= 4 * min(losses)


def test_it_stops_at_a_loss_that_is_not_finite():
    model = torch.nn.Linear(1, 1)
    losses = iter([1.0, 0.9, math.nan, 0.1])

    def loss_of(model, batch):
        return next(losses) + 0 * model(batch[0]).sum()

    batches = [(torch.ones(1),)] * 4
    assert ranges.range_test(model, loss_of, batches)[1] == pytest.approx([1.0, 0.9])


def test_errors():
    model, batches = torch.nn.Linear(1, 1), [(torch.ones(1),)]
    for low, high, steps in ((0.0, 1.0, 5), (1.0, 1.0, 5), (0.1, 1.0, 1)):
        with pytest.raises(ValueError, match=f"Received: low={low}"):
            ranges.range_test(model, lambda m, b: m(b[0]).sum(), batches, low, high, steps)
    with pytest.raises(ValueError, match="not finite"):
        ranges.range_test(model, lambda m, b: m(b[0]).sum() * math.nan, batches)
    with pytest.raises(ValueError, match="no batch"):
        ranges.range_test(model, lambda m, b: m(b[0]).sum(), [])
    with pytest.raises(ValueError, match="Received: 3 rates, 3 losses"):
        ranges.suggest_rate([1, 2, 3], [3, 2, 1])


@pytest.mark.proves("learning-rate-range-caption", kind="caption")
def test_figure_and_values(values):
    """The suggestion is left of the lowest squares, a quarter of the rate that leaves the valley."""
    shown = values("learning_rate_range")
    assert shown["loss"] < 0.3
    figure = ranges.plot_test()
    curve = figure.axes[0].lines[0]
    assert len(curve.get_xdata()) == len(shown["rates"])
    suggested = figure.axes[0].lines[1].get_xdata()[0]
    squares = [line for line in figure.axes[0].lines if line.get_marker() == "s"]
    assert len(squares) == 2
    for line in squares:
        rates, losses = line.get_xdata(), line.get_ydata()
        assert suggested < rates[losses.argmin()]
    mean = sum(line.get_ydata() for line in squares) / 2
    high = rates[(rates > suggested) & (mean > 5 * mean.min())].min()
    assert suggested / high == pytest.approx(0.25, abs=0.02)
    assert shown["far"] == pytest.approx(math.log(10), abs=0.2)
    plt.close(figure)
