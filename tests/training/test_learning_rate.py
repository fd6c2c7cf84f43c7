"""Schedules: PyTorch's schedulers as the oracle, step by step, and the documented errors."""

import itertools

import matplotlib.pyplot as plt
import pytest
import torch

from x0.training import learning_rate

schedulers = torch.optim.lr_scheduler


def make_optimizer(lr=1.0, **options):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr, **options)


def torch_rates(make, steps, lr=1.0):
    optimizer = make_optimizer(lr)
    scheduler = make(optimizer)
    rates = []
    for t in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if t < steps - 1:
            scheduler.step()
    return rates


def torch_warmup_cosine(optimizer, warmup, total, floor):
    rise = schedulers.LinearLR(optimizer, 1 / warmup, 1.0, warmup - 1)
    fall = schedulers.CosineAnnealingLR(optimizer, total - warmup, eta_min=floor)
    return schedulers.SequentialLR(optimizer, [rise, fall], [warmup])


@pytest.mark.proves(
    "learning-rate-torch", kind="call", range="T = 20…200", tolerance="relative 1e-9"
)
def test_the_four_functions_are_torchs_step_by_step():
    """Times lr, the four functions equal StepLR, CosineAnnealingLR, SequentialLR, OneCycleLR step by step."""
    lr = 0.4
    for total in (20, 50, 200):
        pairs = (
            (lambda o: schedulers.StepLR(o, 7, 0.3), lambda t: learning_rate.step_decay(t, 7, 0.3)),
            (
                lambda o, n=total: schedulers.CosineAnnealingLR(o, n, eta_min=0.1 * lr),
                lambda t, n=total: learning_rate.cosine(t, n, 0.1),
            ),
            (
                lambda o, n=total: torch_warmup_cosine(o, 8, n, 0.05 * lr),
                lambda t, n=total: learning_rate.warmup_cosine(t, n, 8, 0.05),
            ),
            (
                lambda o, n=total: schedulers.OneCycleLR(o, lr, n),
                lambda t, n=total: learning_rate.one_cycle(t, n),
            ),
        )
        for make, ours in pairs:
            assert [lr * ours(t) for t in range(total)] == pytest.approx(
                torch_rates(make, total, lr), rel=1e-9, abs=1e-12
            )


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
    oracle = torch_rates(lambda o: torch_warmup_cosine(o, warmup, 50, 0.05), 50)
    ours = [learning_rate.warmup_cosine(t, 50, warmup, 0.05) for t in range(50)]
    assert ours == pytest.approx(oracle, rel=1e-9)
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


@pytest.mark.proves("learning-rate-periodic", kind="call")
def test_the_cosine_of_torch_rises_again():
    """CosineAnnealingLR is back at the start after 2 T_max calls; `cosine` raises an error."""
    late = torch_rates(lambda o: schedulers.CosineAnnealingLR(o, 10), 21)
    assert late[10] == pytest.approx(0, abs=1e-12)
    assert late[20] == pytest.approx(1)
    with pytest.raises(ValueError, match="Received: step=11, total=10"):
        learning_rate.cosine(11, 10)


@pytest.mark.proves("learning-rate-onecycle", kind="call")
def test_one_cycle_replaces_the_momentum():
    """By default OneCycleLR replaces the momentum by 0.95 to 0.85; cycle_momentum=False does not."""
    optimizer = make_optimizer(momentum=0.9)
    scheduler = schedulers.OneCycleLR(optimizer, 1.0, 10)
    momenta = [optimizer.param_groups[0]["momentum"]]
    for _ in range(9):
        optimizer.step()
        scheduler.step()
        momenta.append(optimizer.param_groups[0]["momentum"])
    assert momenta[0] == pytest.approx(0.95)
    assert min(momenta) == pytest.approx(0.85)
    assert max(momenta) == pytest.approx(0.95)
    optimizer = make_optimizer(momentum=0.9)
    schedulers.OneCycleLR(optimizer, 1.0, 10, cycle_momentum=False)
    assert optimizer.param_groups[0]["momentum"] == 0.9


@pytest.mark.proves("learning-rate-linear", kind="call")
def test_linear_starts_at_a_third_and_takes_five_steps():
    """LinearLR starts at one third and takes 5 steps by default."""
    assert torch_rates(schedulers.LinearLR, 6) == pytest.approx(
        [1 / 3 + t * 2 / 15 for t in range(6)]
    )


@pytest.mark.proves("learning-rate-units", kind="call")
def test_steps_given_and_epochs_counted():
    """T_max = 1000 called once in each of 10 epochs ends at 0.9998 of the rate."""
    rates = torch_rates(lambda o: schedulers.CosineAnnealingLR(o, 1000), 11)
    assert rates[10] == pytest.approx(0.9998, abs=5e-5)


@pytest.mark.proves("learning-rate-lambda", kind="call")
def test_a_lambda_is_not_saved():
    """state_dict of LambdaLR does not hold the lambda; rebuilt with it and loaded, it goes on."""

    def factor(t):
        return 1 / (1 + t)

    optimizer = make_optimizer()
    scheduler = schedulers.LambdaLR(optimizer, factor)
    for _ in range(3):
        optimizer.step()
        scheduler.step()
    saved, state = optimizer.state_dict(), scheduler.state_dict()
    assert state["lr_lambdas"] == [None]
    other = make_optimizer()
    resumed = schedulers.LambdaLR(other, factor)
    other.load_state_dict(saved)
    resumed.load_state_dict(state)
    other.step()
    resumed.step()
    assert other.param_groups[0]["lr"] == factor(4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: learning_rate.step_decay(-1, 3), "Received: step=-1, period=3"),
        (lambda: learning_rate.step_decay(1, 0), "period=0"),
        (lambda: learning_rate.step_decay(1, 3, 1.5), "factor=1.5"),
        (lambda: learning_rate.cosine(0, 0), "total=0"),
        (lambda: learning_rate.cosine(1, 5, 2.0), r"floor=2\.0"),
        (lambda: learning_rate.warmup_cosine(0, 5, 5), "Received: warmup=5, total=5"),
        (lambda: learning_rate.warmup_cosine(-1, 5, 2), "step=-1"),
        (lambda: learning_rate.one_cycle(11, 10), "Received: step=11, total=10"),
        (lambda: learning_rate.one_cycle(0, 3), r"rise=0\.3"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_scheduler_drives_the_optimizer(values):
    rates = values("learning_rate")["rates"]
    assert rates[0] == pytest.approx(0.1)
    assert 0 < rates[-1] < 0.01


@pytest.mark.proves("learning-rate-schedules", kind="caption")
def test_figure_shows_four_schedules_that_peak_at_one():
    """Steps drop, the cosine falls to zero, warm-up and 1-cycle begin low, 1-cycle rises for 3/10."""
    figure = learning_rate.plot_schedules()
    lines = figure.axes[0].lines
    assert [max(line.get_ydata()) for line in lines] == pytest.approx([1] * 4, abs=1e-3)
    assert all(line.get_ydata()[-1] < 0.1 for line in lines)
    steps, cosine, warm, one_cycle = (list(line.get_ydata()) for line in lines)
    assert len(set(steps)) == 3  # two drops
    assert all(0 < a - b < 0.02 for a, b in itertools.pairwise(cosine))
    assert cosine[-1] < 0.001
    assert warm[0] == pytest.approx(0.1)
    assert one_cycle[0] == pytest.approx(0.04)
    assert one_cycle.index(max(one_cycle)) + 1 == 30
    plt.close(figure)
