"""A schedule multiplies the learning rate by a factor that depends on the step.

cosine: factor(t) = floor + (1 - floor) * (1 + cos(pi * t / total)) / 2

Cosine decay is that of Loshchilov and Hutter (2017) without restarts, the
1-cycle schedule that of Smith and Topin (2019) as PyTorch implements it.
"""

# --8<-- [start:imports]
import math

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import nn

# --8<-- [end:imports]


# --8<-- [start:schedules]
def step_decay(step: int, period: int, factor: float = 0.1) -> float:
    """Multiply by `factor` once every `period` steps.

    Raises:
        ValueError: step < 0, period < 1, or a factor outside (0, 1].

    >>> [round(step_decay(t, 3, 0.5), 3) for t in (0, 2, 3, 6)]
    [1.0, 1.0, 0.5, 0.25]
    """
    if step < 0 or period < 1 or not 0 < factor <= 1:
        raise ValueError(f"Received: {step=}, {period=}, {factor=}")
    return factor ** (step // period)


def cosine(step: int, total: int, floor: float = 0.0) -> float:
    """Go from 1 at step 0 to `floor` at step `total` on half a cosine.

    Raises:
        ValueError: a step outside 0, ..., total, or a floor outside [0, 1].

    >>> [round(cosine(t, 4), 3) for t in range(5)]
    [1.0, 0.854, 0.5, 0.146, 0.0]
    """
    if not 0 <= step <= total or total < 1 or not 0 <= floor <= 1:
        raise ValueError(f"Received: {step=}, {total=}, {floor=}")
    return floor + (1 - floor) * (1 + math.cos(math.pi * step / total)) / 2


def warmup_cosine(
    step: int, total: int, warmup: int, floor: float = 0.0
) -> float:
    """Rise linearly for `warmup` steps, then follow the cosine.

    Raises:
        ValueError: warmup is not in 0, ..., total - 1; also see cosine.

    >>> [round(warmup_cosine(t, 6, 2), 3) for t in range(7)]
    [0.5, 1.0, 1.0, 0.854, 0.5, 0.146, 0.0]
    """
    if not 0 <= warmup < total or not 0 <= step <= total:
        raise ValueError(f"Received: {warmup=}, {total=}, {step=}")
    if 0 <= step < warmup:
        return (step + 1) / warmup
    return cosine(step - warmup, total - warmup, floor)


def one_cycle(
    step: int,
    total: int,
    rise: float = 0.3,
    start: float = 1 / 25,
    end: float = 1 / 250_000,
) -> float:
    """Rise from `start` to 1 and fall to `end`, each on half a cosine.

    Args:
        step: 0, ..., total; the last step that trains is total - 1.
        total: number of steps of the cycle.
        rise: share of the steps before the maximum.
        start: factor at step 0.
        end: factor at step total - 1.

    Raises:
        ValueError: a step outside 0, ..., total, or rise * total is not
            between 1 and total.

    >>> [round(one_cycle(t, 10), 2) for t in range(10)]
    [0.04, 0.52, 1.0, 0.95, 0.81, 0.61, 0.39, 0.19, 0.05, 0.0]
    """
    peak = rise * total - 1
    if not 0 <= step <= total or not 0 < peak < total - 1:
        raise ValueError(f"Received: {step=}, {total=}, {rise=}")
    if step <= peak:
        return start + (1 - start) * (1 - math.cos(math.pi * step / peak)) / 2
    share = min((step - peak) / (total - 1 - peak), 1.0)
    return end + (1 - end) * (1 + math.cos(math.pi * share)) / 2


# --8<-- [end:schedules]


if __name__ == "__main__":
    # --8<-- [start:demo]
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.4)
    total, rates = 20, []
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda t: warmup_cosine(t, total, warmup=4)
    )
    for _ in range(total):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()  # first the weights,
        scheduler.step()  # then the rate of the next step
    print("rise:", " ".join(f"{r:.2f}" for r in rates[:5]))
    print("fall:", " ".join(f"{r:.2f}" for r in rates[5::3]))
    print(f"mean factor: {sum(rates) / total / 0.4:.3f}")
    print(f"step_decay after 90 of 100: {step_decay(90, 30):.3f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_schedules]
def plot_schedules() -> Figure:
    """Draw the four factors over 100 steps."""
    fig, ax = plt.subplots(figsize=(5.2, 3.2))
    fig.set_layout_engine("constrained", rect=(0, 0, 0.99, 1))
    steps = range(100)
    curves = {
        "step decay": [step_decay(t, 34, 0.3) for t in steps],
        "cosine": [cosine(t, 100) for t in steps],
        "warm-up + cosine": [warmup_cosine(t, 100, 10) for t in steps],
        "1-cycle": [one_cycle(t, 100) for t in steps],
    }
    for i, (name, factors) in enumerate(curves.items()):
        style = ("-", "--", "-.", ":")[i]
        (line,) = ax.plot(steps, factors, style, color=f"C{i}", label=name)
        line.set(marker="o^sD"[i], ms=4, markevery=(3 * i, 16))
    ax.set(xlabel="training step", ylabel="rate / largest rate")
    ax.legend()
    return fig


if __name__ == "__main__":
    plot_schedules()
    plt.show()
# --8<-- [end:plot_schedules]
