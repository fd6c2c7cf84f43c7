"""Schedules: PyTorch's schedulers as the oracle, step by step, and the documented errors."""

import matplotlib.pyplot as plt
import pytest
import torch

from x0.training import learning_rate

schedulers = torch.optim.lr_scheduler


def make_optimizer(**options):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0, **options)


def torch_rates(make, steps):
    optimizer = make_optimizer()
    scheduler = make(optimizer)
    rates = []
    for t in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if t < steps - 1:
            scheduler.step()
    return rates


@pytest.mark.parametrize(("period", "factor"), [(7, 0.3), (1, 0.9), (50, 0.1)])
def test_step_decay_is_torchs(period, factor):
    oracle = torch_rates(lambda o: schedulers.StepLR(o, period, factor), 50)
    ours = [learning_rate.step_decay(t, period, factor) for t in range(50)]
    assert ours == pytest.approx(oracle, rel=1e-12)


@pytest.mark.parametrize("floor", [0.0, 0.1])
def test_cosine_is_torchs(floor):
    oracle = torch_rates(lambda o: schedulers.CosineAnnealingLR(o, 49, eta_min=floor), 50)
    ours = [learning_rate.cosine(t, 49, floor) for t in range(50)]
    assert ours == pytest.approx(oracle, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("warmup", [2, 8, 30])
def test_warmup_and_cosine_are_torchs(warmup):
    def make(optimizer):
        rise = schedulers.LinearLR(optimizer, 1 / warmup, 1.0, warmup - 1)
        fall = schedulers.CosineAnnealingLR(optimizer, 50 - warmup, eta_min=0.05)
        return schedulers.SequentialLR(optimizer, [rise, fall], [warmup])

    ours = [learning_rate.warmup_cosine(t, 50, warmup, 0.05) for t in range(50)]
    assert ours == pytest.approx(torch_rates(make, 50), rel=1e-9)
    assert learning_rate.warmup_cosine(3, 50, 0) == learning_rate.cosine(3, 50)


@pytest.mark.parametrize("total", [10, 37, 50])
@pytest.mark.parametrize("rise", [0.3, 0.5])
def test_one_cycle_is_torchs(total, rise):
    oracle = torch_rates(lambda o: schedulers.OneCycleLR(o, 1.0, total, pct_start=rise), total)
    ours = [learning_rate.one_cycle(t, total, rise) for t in range(total)]
    assert ours == pytest.approx(oracle, rel=1e-9, abs=1e-12)
    assert learning_rate.one_cycle(total, total, rise) == learning_rate.one_cycle(
        total - 1, total, rise
    )


def test_traps_of_the_schedulers():
    # CosineAnnealingLR is periodic: past T_max the rate rises to the start again.
    late = torch_rates(lambda o: schedulers.CosineAnnealingLR(o, 10), 21)
    assert late[10] == pytest.approx(0, abs=1e-12)
    assert late[20] == pytest.approx(1)
    with pytest.raises(ValueError, match="Received: step=11, total=10"):
        learning_rate.cosine(11, 10)
    # OneCycleLR overwrites the momentum, unless it is told not to.
    optimizer = make_optimizer(momentum=0.9)
    schedulers.OneCycleLR(optimizer, 1.0, 10)
    assert optimizer.param_groups[0]["momentum"] == 0.95
    optimizer = make_optimizer(momentum=0.9)
    schedulers.OneCycleLR(optimizer, 1.0, 10, cycle_momentum=False)
    assert optimizer.param_groups[0]["momentum"] == 0.9
    # LinearLR starts at a third and takes 5 steps.
    assert torch_rates(schedulers.LinearLR, 6) == pytest.approx(
        [1 / 3 + t * 2 / 15 for t in range(6)]
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: learning_rate.step_decay(-1, 3), "Received: step=-1, period=3"),
        (lambda: learning_rate.step_decay(1, 0), "period=0"),
        (lambda: learning_rate.step_decay(1, 3, 1.5), "factor=1.5"),
        (lambda: learning_rate.cosine(0, 0), "total=0"),
        (lambda: learning_rate.cosine(1, 5, 2.0), r"floor=2\.0"),
        (lambda: learning_rate.warmup_cosine(0, 5, 5), "Received: warmup=5, total=5"),
        (lambda: learning_rate.warmup_cosine(-1, 5, 2), "step=-3"),
        (lambda: learning_rate.one_cycle(11, 10), "Received: step=11, total=10"),
        (lambda: learning_rate.one_cycle(0, 3), r"rise=0\.3"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_scheduler_drives_the_optimizer():
    values = learning_rate.demo()
    assert values["first"] == pytest.approx(0.1)
    assert 0 < values["last"] < 0.01


def test_figure_shows_four_schedules_that_peak_at_one():
    figure = learning_rate.plot_schedules()
    lines = figure.axes[0].lines
    assert [max(line.get_ydata()) for line in lines] == pytest.approx([1] * 4, abs=1e-3)
    assert all(line.get_ydata()[-1] < 0.1 for line in lines)
    plt.close(figure)
