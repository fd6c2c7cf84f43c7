"""Warm-up lets the curvature fall before the learning rate is high.

stable: rate < 2 / sharpness, the largest eigenvalue of the loss's Hessian

Gilmer et al. (2022) find the same in larger networks.
"""

# --8<-- [start:imports]
import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from torch import Tensor

SEED = 0
NETWORKS, IMAGES, WIDTH, STEPS, WARMUP = 20, 128, 48, 120, 50
MULTIPLES = (0.5, 1, 2, 4, 8, 16, 32)  # of 2 / (sharpness at the start)
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


class Ends(NamedTuple):
    """Both ends of the spectrum of a symmetric matrix H."""

    smallest: float
    largest: float
    residual: float  # |H v - value v| of the worse end, |v| = 1
    vectors: Tensor  # the two v, shape (n, 2)

    @property
    def converged(self) -> bool:
        """Tell whether the residual is a millionth of the larger end."""
        size = max(abs(self.smallest), abs(self.largest))
        return self.residual <= 1e-6 * size


def lanczos(
    product: Callable[[Tensor], Tensor], start: Tensor, iterations: int = 200
) -> Ends:
    """Find both ends of a spectrum from products with a symmetric matrix.

    Each new vector is made orthogonal to all before it, twice; without
    that, rounding lets found eigenvalues come back as copies. Within the
    residual of each end there is an eigenvalue.

    Args:
        product: Maps a vector v to H v.
        start: A random vector, shape (n,): an end to which it is
            orthogonal is not found.
        iterations: Products to spend at most; it stops when both ends
            have converged.

    Raises:
        ValueError: If a product is not finite, ``iterations`` < 1, or the
            start no real vector or zero, with "Received: ...".

    >>> d = torch.tensor([-10.0, 1.0, 10.0])
    >>> ends = lanczos(lambda v: d * v, torch.ones(3))
    >>> round(ends.smallest, 3), round(ends.largest, 3), ends.converged
    (-10.0, 10.0, True)
    """
    real = start.ndim == 1 and start.is_floating_point()
    if iterations < 1 or not real or not start.norm() > 0:
        raise ValueError(
            "iterations must be >= 1, start a real vector, not zero. "
            f"Received: iterations={iterations}, start={start}"
        )
    start = start.to(torch.promote_types(start.dtype, torch.float32))
    basis = (start / start.norm())[None]
    matrix = torch.zeros(0, 0, dtype=torch.float64)  # H in this basis
    while True:
        image = product(basis[-1].clone()).to(start.dtype)
        if not bool(image.isfinite().all()):
            raise ValueError(f"H v must be finite. Received: {image}")
        matrix = torch.nn.functional.pad(matrix, (0, 1, 0, 1))
        matrix[-1] = basis @ image
        for _ in range(2):
            image = image - basis.T @ (basis @ image)
        left = image.norm()
        values, vectors = torch.linalg.eigh(matrix)  # reads the lower half
        low, high = values[0].item(), values[-1].item()
        last = vectors[:, [0, -1]].to(basis)
        residual = (left * last[-1].abs()).max().item()
        ends = Ends(low, high, residual, basis.T @ last)
        if ends.converged or len(basis) >= min(iterations, len(start)):
            return ends
        basis = torch.cat([basis, image[None] / left])


def sharpness(parameters: list[Tensor], iterations: int = 15) -> Tensor:
    """Return the largest Hessian eigenvalue of each network, by Lanczos.

    It is nan for weights that are not finite.

    Args:
        parameters: stacked weights and biases, first axis the networks.
        iterations: Hessian-vector products, each two gradients.
    """
    found = []
    for k in range(len(parameters[0])):
        at = [p[k : k + 1].detach().requires_grad_() for p in parameters]
        if not all(bool(p.isfinite().all()) for p in at):
            found.append(math.nan)  # it has diverged
            continue
        loss = one_hot_losses(at).sum()
        slopes = torch.autograd.grad(loss, at, create_graph=True)
        gradient = torch.cat([g.flatten() for g in slopes])

        def product(
            v: Tensor, at: list[Tensor] = at, g: Tensor = gradient
        ) -> Tensor:
            parts = torch.autograd.grad(g @ v, at, retain_graph=True)
            return torch.cat([part.flatten() for part in parts])

        generator = torch.Generator().manual_seed(SEED)
        start = torch.randn(len(gradient), generator=generator)
        found.append(lanczos(product, start, iterations).largest)
    return torch.tensor(found)


# --8<-- [end:networks]


# --8<-- [start:train]
FACTORS = {
    "none": [1.0] * STEPS,
    "rise": [min(1.0, (t + 1) / WARMUP) for t in range(STEPS)],
}


def descend(
    rates: Tensor, factors: list[float], parameters: list[Tensor]
) -> tuple[NDArray[np.float64], list[Tensor]]:
    """Run gradient descent; return losses (networks, steps) and weights.

    Args:
        rates: highest rate of each network, shape (networks,).
        factors: of the rates, one for each step.
        parameters: where to start; not changed.
    """
    weights = [p.clone().requires_grad_() for p in parameters]
    history = []
    for factor in factors:
        losses = one_hot_losses(weights)
        history.append(losses.detach())
        gradient = torch.autograd.grad(losses.sum(), weights)
        with torch.no_grad():
            for w, g in zip(weights, gradient, strict=True):
                w -= factor * rates[:, None, None] * g
    return torch.stack(history, 1).double().numpy(), weights


@functools.cache
def warmup_study() -> tuple[
    Tensor,
    dict[tuple[float, str], NDArray[np.float64]],
    dict[float, Tensor],
]:
    """Train at all multiples of the limit, at once and with warm-up.

    Returns:
        The sharpness at the start; losses by (multiple, schedule); the
        sharpness after the runs with warm-up, by multiple.
    """
    start = he_regressors()
    first = sharpness(start)
    losses, last = {}, {}
    for multiple in MULTIPLES:
        rates = multiple * 2 / first
        losses[multiple, "none"], _ = descend(rates, FACTORS["none"], start)
        losses[multiple, "rise"], end = descend(rates, FACTORS["rise"], start)
        last[multiple] = sharpness(end)
    return first, losses, last


@functools.cache
def held_study(multiple: int = 16) -> tuple[NDArray[np.float64], Tensor]:
    """Hold the limit for as long as the warm-up lasts, then jump.

    Returns:
        Losses (networks, steps), and the sharpness before the jump.
    """
    start = he_regressors()
    limit = 2 / sharpness(start)
    hold = [1 / multiple] * WARMUP
    _, weights = descend(multiple * limit, hold, start)
    jump = hold + [1.0] * (STEPS - WARMUP)
    return descend(multiple * limit, jump, start)[0], sharpness(weights)


def alive(losses: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which networks end below 0.4; a constant output has 0.45.

    Args:
        losses: not empty, shape (networks, steps).
    """
    return np.nan_to_num(losses[:, -1], nan=9.0, posinf=9.0) < 0.4


def mean_and_error(x: NDArray[np.float64]) -> tuple[float, float]:
    """Return the mean and its standard error.

    Raises:
        ValueError: fewer than two numbers, or not all finite.
    """
    if x.ndim != 1 or len(x) < 2 or not np.isfinite(x).all():
        raise ValueError(f"Expected two or more numbers. Received: {x}")
    return float(x.mean()), float(x.std(ddof=1) / math.sqrt(len(x)))


# --8<-- [end:train]


if __name__ == "__main__":
    # --8<-- [start:demo]
    first, losses, last = warmup_study()
    first_mean = first.mean()
    survive = {run: alive(path).sum() for run, path in losses.items()}
    loss = {
        run: mean_and_error(path[:, -1])
        for run, path in losses.items()
        if survive[run] == NETWORKS
    }
    edge = {
        multiple: mean_and_error((multiple * end / first).double().numpy())
        for multiple, end in last.items()
        if survive[multiple, "rise"] == NETWORKS
    }
    print(f"of {NETWORKS} networks, how many survive; their mean loss")
    for run in losses:  # run: multiple, schedule
        end_loss = f"{loss[run][0]:.2f}" if run in loss else "-"
        name = f"{run[0]:g} x limit, {run[1]}:"
        print(f"{name:<18}{survive[run]:3d} {end_loss:>6}")
    held, before = held_study()
    jumped = alive(held).sum()
    held_ratio = mean_and_error((before / first).double().numpy())
    print(f"50 steps at the limit, then 16 x: {jumped}")
    # --8<-- [end:demo]


# --8<-- [start:plot_runs]
def plot_runs() -> Figure:
    """Draw the loss of each network at 16 times the limit, and at 1 time."""
    fig, ax = plt.subplots(figsize=(5.2, 3.4))
    fig.set_layout_engine("constrained", rect=(0, 0, 0.98, 1))
    losses = warmup_study()[1]
    curves = (
        (16, "none", "C1", "s", "16 × limit"),
        (16, "rise", "C0", "o", "16 × limit, warm-up"),
        (1, "none", "C2", "^", "1 × limit"),
    )
    for multiple, schedule, color, marker, label in curves:
        for k, loss in enumerate(losses[multiple, schedule][:3]):
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
