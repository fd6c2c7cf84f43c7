"""Warm-up lets the curvature fall before the learning rate is high.

stable: rate < 2 / sharpness, the largest eigenvalue of the loss's Hessian

Gilmer et al. (2022) find the same in larger networks.
"""

# --8<-- [start:imports]
import functools
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from torch import Tensor

SEED = 0
NETWORKS, IMAGES, WIDTH, STEPS, WARMUP = 6, 128, 48, 120, 50
MULTIPLES = (1, 4, 16)  # of 2 / (sharpness at the start)
# --8<-- [end:imports]


# --8<-- [start:networks]
@functools.cache
def digits_one_hot() -> tuple[Tensor, Tensor]:
    """Return images in [0, 1] and one-hot labels, shape (128, 64 or 10)."""
    images, labels = load_digits(return_X_y=True)
    x = torch.tensor(images[:IMAGES] / 16, dtype=torch.float32)
    return x, torch.eye(10)[torch.tensor(labels[:IMAGES])]


def he_regressors() -> list[Tensor]:
    """Return weights and biases of 64-48-48-10 ReLU networks, drawn by He."""
    generator = torch.Generator().manual_seed(SEED)
    parameters = []
    for m, n in ((64, WIDTH), (WIDTH, WIDTH), (WIDTH, 10)):
        weight = torch.randn(NETWORKS, m, n, generator=generator)
        parameters += [weight * math.sqrt(2 / m), torch.zeros(NETWORKS, 1, n)]
    return parameters


def one_hot_losses(parameters: list[Tensor]) -> Tensor:
    """Return the mean squared error / 2 of each network on the digits."""
    x, target = digits_one_hot()
    h = x.expand(len(parameters[0]), -1, -1)
    for i in range(0, len(parameters), 2):
        h = torch.baddbmm(parameters[i + 1], h.relu(), parameters[i])
    return (h - target).square().sum(-1).mean(-1) / 2


def sharpness(parameters: list[Tensor], iterations: int = 15) -> Tensor:
    """Return the largest Hessian eigenvalue of each network (power method).

    Args:
        parameters: stacked weights and biases, first axis the networks.
        iterations: Hessian-vector products, each two gradients.
    """
    at = [p.detach().requires_grad_() for p in parameters]
    loss = one_hot_losses(at).sum()
    gradient = torch.autograd.grad(loss, at, create_graph=True)
    generator = torch.Generator().manual_seed(SEED)
    v = [torch.randn(p.shape, generator=generator) for p in at]
    eigenvalue = torch.zeros(len(at[0]))
    for _ in range(iterations):
        norm = torch.stack([u.square().sum((1, 2)) for u in v]).sum(0).sqrt()
        v = [u / norm[:, None, None] for u in v]
        dot = torch.stack(
            [(g * u).sum() for g, u in zip(gradient, v, strict=True)]
        ).sum()
        product = torch.autograd.grad(dot, at, retain_graph=True)
        eigenvalue = torch.stack(
            [(p * u).sum((1, 2)) for p, u in zip(product, v, strict=True)]
        ).sum(0)
        v = list(product)
    return eigenvalue


# --8<-- [end:networks]


# --8<-- [start:train]
def descend_with_warmup(
    rates: Tensor, warmup: int, parameters: list[Tensor]
) -> tuple[NDArray[np.float64], list[Tensor]]:
    """Run gradient descent; return losses (networks, steps) and weights.

    Args:
        rates: final rate of each network, shape (networks,).
        warmup: steps of the linear rise; 0 for none.
        parameters: where to start; not changed.
    """
    weights = [p.clone().requires_grad_() for p in parameters]
    history = []
    for step in range(STEPS):
        losses = one_hot_losses(weights)
        history.append(losses.detach())
        gradient = torch.autograd.grad(losses.sum(), weights)
        rate = rates * min(1.0, (step + 1) / max(warmup, 1))
        with torch.no_grad():
            for w, g in zip(weights, gradient, strict=True):
                w -= rate[:, None, None] * g
    return torch.stack(history, 1).double().numpy(), weights


@functools.cache
def warmup_study() -> tuple[
    Tensor, dict[tuple[int, int], tuple[NDArray[np.float64], Tensor]]
]:
    """Return the sharpness at the start, then losses and sharpness of runs.

    A run has the key (multiple, warm-up); its sharpness is that at the end.
    """
    start = he_regressors()
    first = sharpness(start)
    runs = {}
    for multiple in MULTIPLES:
        for warmup in (0, WARMUP):
            rates = multiple * 2 / first
            losses, weights = descend_with_warmup(rates, warmup, start)
            runs[multiple, warmup] = (losses, sharpness(weights))
    return first, runs


# --8<-- [end:train]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print how many networks train, and the sharpness that is left."""
    first, runs = warmup_study()
    values: dict[str, float | tuple[float, float]] = {
        "first": float(first.mean())
    }
    print(" rate  warm-up  trained  sharpness, end / start")
    for (multiple, warmup), (losses, last) in runs.items():
        end = losses[:, -1]
        trained = int((np.nan_to_num(end, nan=9.0) < 0.3).sum())
        ratio = (last / first).double().numpy()
        name = f"{multiple}_{'with' if warmup else 'none'}"
        values[f"trained_{name}"] = float(trained)
        left = "-"
        if trained == NETWORKS:
            error = ratio.std(ddof=1) / math.sqrt(NETWORKS)
            values[f"ratio_{name}"] = (float(ratio.mean()), float(error))
            left = f"{ratio.mean():.1f}"
            error = end.std(ddof=1) / math.sqrt(NETWORKS)
            values[f"loss_{name}"] = (float(end.mean()), float(error))
        print(f"{multiple:4d}x {warmup:8d} {trained:6d} of 6  {left:>6}")
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]


# --8<-- [start:plot_runs]
def plot_runs() -> Figure:
    """Draw the loss of each network at 16 times the limit, and at 1 time."""
    fig, ax = plt.subplots(figsize=(5.2, 3.4), layout="constrained")
    runs = warmup_study()[1]
    curves = (
        (16, 0, "C1", "s", "16 × limit"),
        (16, WARMUP, "C0", "o", "16 × limit, warm-up"),
        (1, 0, "C2", "^", "1 × limit"),
    )
    for multiple, warmup, color, marker, label in curves:
        losses = runs[multiple, warmup][0]
        for k, loss in enumerate(losses[:3]):
            shown = np.where(loss < 100, loss, np.nan)
            (line,) = ax.plot(np.arange(STEPS), shown, color=color, lw=1)
            line.set(marker=marker, ms=4, markevery=(2 + 5 * k, 15))
            if k == 0:
                line.set(label=label, markevery=(2, 15))
    ax.axvline(WARMUP, ls=":", lw=1, color="black", label="end of warm-up")
    ax.set(yscale="log", ylim=(0.02, 30))
    ax.set(xlabel="training step", ylabel="training loss")
    ax.legend(loc="upper right")
    return fig


if __name__ == "__main__":
    plot_runs()
    plt.show()
# --8<-- [end:plot_runs]
