"""A range test raises the learning rate until the loss rises: one short run.

rate(t) = low * (high / low)^(t / (steps - 1))

Smith (2017) raised the rate linearly; a geometric rise needs no good guess.
"""

# --8<-- [start:imports]
import copy
import functools
import itertools
import math
from collections.abc import Callable, Iterable

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from torch import Tensor, nn

SEED = 0
BATCH, LOW, HIGH = 64, 1e-3, 10.0
# --8<-- [end:imports]


# --8<-- [start:range]
def range_test(
    model: nn.Module,
    loss_of: Callable[[nn.Module, tuple[Tensor, ...]], Tensor],
    batches: Iterable[tuple[Tensor, ...]],
    low: float = 1e-5,
    high: float = 10.0,
    steps: int = 100,
    make_optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.SGD,
) -> tuple[list[float], list[float]]:
    """Train a copy of the model while the rate rises; return rates, losses.

    Args:
        model: left as it is.
        loss_of: maps a model and a batch to a loss of shape ().
        batches: at least `steps` of them, or the test ends with them.
        low: first rate.
        high: last rate.
        steps: number of rates.
        make_optimizer: called with the parameters and `lr`; the rates found
            are those of this optimizer, for example `torch.optim.AdamW`; not
            `LBFGS`, whose step takes several losses.

    Returns:
        Rates and losses up to where the loss is not finite or has risen by 3
        times the size of the first loss above its minimum; a loss may be
        negative. The loss at index i comes before the step with rate i.

    Raises:
        ValueError: unless 0 < low < high < 1e30 and steps > 1; if the first
            loss is not finite, no scalar or without gradient; if the model
            cannot be copied or has no parameter to train (lazy, meta); LBFGS.
    """
    if not 0 < low < high < 1e30 or steps < 2:
        raise ValueError(f"Received: {low=}, {high=}, {steps=}")
    trained = [p for p in model.parameters() if p.requires_grad]
    empty = [nn.parameter.is_lazy(p) or p.is_meta for p in trained]
    if not trained or any(empty):
        raise ValueError(f"Nothing to train. Received: {type(model)}")
    try:
        model = copy.deepcopy(model)
    except RuntimeError as error:  # the old weight_norm
        raise ValueError(f"No copy. Received: {type(model)}") from error
    optimizer = make_optimizer(model.parameters(), lr=low)
    if isinstance(optimizer, torch.optim.LBFGS):
        raise ValueError(f"One loss per step. Received: {type(optimizer)}")
    rates: list[float] = []
    losses: list[float] = []
    for step, batch in zip(range(steps), batches, strict=False):
        loss = loss_of(model, batch)
        scalar = isinstance(loss, Tensor) and loss.numel() == 1
        if not scalar or not loss.requires_grad:
            raise ValueError(f"Expected a loss to minimize. Received: {loss}")
        value = loss.item()
        if not math.isfinite(value):
            break
        if losses and value > min(losses) + 3 * abs(losses[0]):
            break
        rate = low * (high / low) ** (step / (steps - 1))
        for group in optimizer.param_groups:
            group["lr"] = rate
        rates.append(rate)
        losses.append(value)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if not losses:
        raise ValueError("Its loss is not finite. Received: NaN or no batch")
    return rates, losses


def suggest_rate(rates: list[float], losses: list[float]) -> float:
    """Return half of the rate at which the smoothed loss is least.

    Smoothed over 5 neighbors. Half leaves a margin.

    Raises:
        ValueError: fewer than 5 losses, a NaN, or lists of different lengths.

    >>> suggest_rate([1.0, 2.0, 4.0, 8.0, 16.0, 32.0], [9, 7, 5, 3, 4, 8])
    4.0
    """
    if len(rates) != len(losses) or len(losses) < 5:
        raise ValueError(f"Received: {len(rates)} rates, {len(losses)} losses")
    smooth = np.convolve(losses, np.ones(5) / 5, mode="valid")
    if np.isnan(smooth).any():
        raise ValueError(f"A loss is NaN. Received: {losses}")
    return rates[int(smooth.argmin()) + 2] / 2


# --8<-- [end:range]


# --8<-- [start:digits]
def he_classifier(generator: torch.Generator) -> nn.Sequential:
    """Return a 64-64-64-10 ReLU network with He's weights, zero biases."""
    widths, layers = (64, 64, 64, 10), []
    for fan_in, fan_out in itertools.pairwise(widths):
        linear = nn.Linear(fan_in, fan_out)
        with torch.no_grad():
            std = math.sqrt(2 / fan_in)
            linear.weight.normal_(0, std, generator=generator)
            linear.bias.zero_()
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def random_batches(
    generator: torch.Generator, count: int
) -> Iterable[tuple[Tensor, ...]]:
    """Yield batches of digits, drawn with replacement."""
    images, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(images / 16).float(), torch.tensor(labels)
    for _ in range(count):
        rows = torch.randint(len(x), (BATCH,), generator=generator)
        yield x[rows], y[rows]


def cross_entropy(model: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    """Return the loss of a batch (images, labels)."""
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def loss_at_rate(rate: float, seed: int, steps: int = 120) -> float:
    """Train at a fixed rate; return the mean loss of the last 20 steps."""
    model = he_classifier(torch.Generator().manual_seed(seed))
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    losses = []
    order = torch.Generator().manual_seed(100 + seed)
    for batch in random_batches(order, steps):
        loss = cross_entropy(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return float(np.mean(losses[-20:]))


@functools.cache
def digits_range(seed: int = SEED) -> tuple[list[float], list[float]]:
    """Return the rates and losses of a range test on the digits."""
    generator = torch.Generator().manual_seed(seed)
    model = he_classifier(generator)
    batches = random_batches(generator, 100)
    return range_test(model, cross_entropy, batches, LOW, HIGH)


@functools.cache
def fixed_rates() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return rates, and final losses of two seeds at each, shape (2, 9)."""
    rates = np.array([0.005, 0.02, 0.06, 0.15, 0.3, 0.5, 0.7, 1.0, 2.0])
    losses = [[loss_at_rate(r, seed) for r in rates] for seed in (0, 1)]
    return rates, np.array(losses)


# --8<-- [end:digits]


if __name__ == "__main__":
    # --8<-- [start:demo]
    rates, losses = digits_range()
    rate = suggest_rate(rates, losses)
    loss, far = loss_at_rate(rate, SEED), loss_at_rate(10 * rate, SEED)
    tried, final = fixed_rates()
    best = final.mean(0).argmin()
    best_rate, best_loss = tried[best], final[0, best]
    print(f"suggested rate: {rate:.2f}")
    print(f"loss at the suggested rate:  {loss:.2f}")
    print(f"loss at the best fixed rate: {best_loss:.2f}")
    print(f"loss at ten times the suggestion: {far:.1f}")
    others = [suggest_rate(*digits_range(seed)) for seed in range(20)]
    spread = max(others) / min(others)
    # --8<-- [end:demo]


# --8<-- [start:plot_test]
def plot_test() -> Figure:
    """Draw the range test, and the final loss of runs at fixed rates."""
    fig, ax = plt.subplots(figsize=(5.2, 3.4), layout="constrained")
    rates, losses = digits_range()
    ax.plot(rates, losses, color="C0", lw=1.5, label="range test")
    rate = suggest_rate(rates, losses)
    ax.axvline(rate, color="C0", ls="--", lw=1, label="suggested")
    tried, final = fixed_rates()
    for k in range(2):
        label = "fixed rate, 120 steps" if k == 0 else None
        ax.plot(tried, final[k], "sC1", ms=4, label=label)
    ax.axhline(math.log(10), color="black", ls=":", lw=1, label="ln 10")
    ax.set(xscale="log", xlabel="learning rate", ylabel="training loss")
    ax.set(ylim=(0, 4.5))
    ax.legend(loc="upper left")
    return fig


if __name__ == "__main__":
    plot_test()
    plt.show()
# --8<-- [end:plot_test]
