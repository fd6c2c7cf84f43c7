"""Rescaling a ReLU unit changes the size of its weights, not what they do.

(u / a) relu(a w . x) = u relu(w . x) for every a > 0

LeCun, Denker and Solla (1990), "Optimal Brain Damage"; Neyshabur,
Salakhutdinov and Srebro (2015), "Path-SGD".
"""

# --8<-- [start:imports]
import functools

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from torch import Tensor
from torch.nn import functional

SEED = 0
REMOVED = torch.linspace(0, 0.95, 20)
# --8<-- [end:imports]


# --8<-- [start:rescale]
def relu_output(w: Tensor, b: Tensor, u: Tensor, x: Tensor) -> Tensor:
    """Return real u relu(w x + b): x (m, n_0), w (n_1, n_0), u (n_2, n_1)."""
    return torch.relu(x @ w.T + b) @ u.T


def rescale_units(
    w: Tensor, b: Tensor, u: Tensor, a: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Multiply what enters each ReLU unit by a, divide what leaves it.

    Args:
        w: weights in, shape (n_1, n_0).
        b: biases, shape (n_1,).
        u: weights out, shape (n_2, n_1).
        a: one positive real factor per unit, shape (n_1,).

    Raises:
        ValueError: a factor is not positive, or the shapes do not fit.

    >>> one = torch.ones(1, 1)
    >>> w, b, u = rescale_units(one, torch.zeros(1), one, torch.tensor([4.0]))
    >>> w.item(), u.item()
    (4.0, 0.25)
    """
    shapes = [tuple(x.shape) for x in (w, b, u, a)]
    units = w.shape[:1]
    fit = w.ndim == u.ndim == 2 and u.shape[1:] == b.shape == a.shape == units
    if not fit or a.is_complex():
        raise ValueError(f"Shapes do not fit. Received: {shapes}, {a.dtype}")
    if not bool((a > 0).all()):
        raise ValueError(f"Factors must be positive. Received: {a.tolist()}")
    return a[:, None] * w, a * b, u / a


# --8<-- [end:rescale]


# --8<-- [start:train]
@functools.cache
def trained_digits() -> tuple[Tensor, ...]:
    """Train 64-32-10 on digits; return w, b, u and both halves of the data.

    Returns:
        w, b, u, x and y of the training half, x and y of the test half.
    """
    data = load_digits()
    x = torch.from_numpy(data.data) / 16
    y = torch.from_numpy(data.target)
    generator = torch.Generator().manual_seed(SEED)
    order = torch.randperm(len(x), generator=generator)
    x, y = x[order], y[order]
    kind = torch.float64
    w = torch.randn(32, 64, generator=generator, dtype=kind) * (2 / 64) ** 0.5
    u = torch.randn(10, 32, generator=generator, dtype=kind) * (1 / 32) ** 0.5
    parameters = [w, torch.zeros(32, dtype=kind), u]
    for p in parameters:
        p.requires_grad_()
    optimizer = torch.optim.SGD(parameters, lr=0.2, momentum=0.9)
    for _ in range(150):
        hidden = torch.relu(x[:900] @ w.T + parameters[1])
        loss = functional.cross_entropy(hidden @ u.T, y[:900])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    w, b, u = (p.detach() for p in parameters)
    return w, b, u, x[:900], y[:900], x[900:], y[900:]


def weight_scores(w: Tensor, b: Tensor, u: Tensor) -> dict[str, Tensor]:
    """Score each weight by its size and by (w dloss/dw)^2, summed over samples.

    Returns:
        For either score one tensor, first the entries of w, then those of u.
    """
    x, y = trained_digits()[3:5]
    hidden = torch.relu(x @ w.T + b)
    delta = torch.softmax(hidden @ u.T, 1)
    delta[torch.arange(len(y)), y] -= 1  # per sample, in the logits
    inner = (delta @ u) * (hidden > 0)
    fisher_u = (delta**2).T @ hidden**2
    fisher_w = (inner**2).T @ x**2
    size = torch.cat([w.flatten(), u.flatten()]).abs()
    fisher = torch.cat([fisher_w.flatten(), fisher_u.flatten()])
    return {"size": size, "sensitivity": size**2 * fisher}


def pruned_accuracy(
    w: Tensor, b: Tensor, u: Tensor, score: Tensor
) -> list[float]:
    """Return test accuracies without the lowest-scored weights, in float64."""
    x, y = trained_digits()[5:]
    found = []
    for share in REMOVED.tolist():
        keep = torch.ones(len(score), dtype=w.dtype)
        keep[score.argsort()[: round(share * len(score))]] = 0
        kept_w = w * keep[: w.numel()].reshape(w.shape)
        kept_u = u * keep[w.numel() :].reshape(u.shape)
        right = relu_output(kept_w, b, kept_u, x).argmax(1) == y
        found.append(float(right.double().mean()))
    return found


@functools.cache
def pruning_curves() -> dict[str, list[float]]:
    """Prune the trained network and a rescaled copy of it by both scores."""
    w, b, u = trained_digits()[:3]
    generator = torch.Generator().manual_seed(SEED)
    log_a = torch.rand(len(w), generator=generator, dtype=w.dtype) * 6 - 3
    found = {}
    copy = rescale_units(w, b, u, log_a.exp())
    for name, net in (("trained", (w, b, u)), ("rescaled", copy)):
        for key, score in weight_scores(*net).items():
            found[f"{name}, {key}"] = pruned_accuracy(*net, score)
    return found


def loss_after_step(a: float, rate: float) -> float:
    """Return the training loss after one step from the copy scaled by a."""
    w, b, u, x, y = trained_digits()[:5]
    copy = rescale_units(w, b, u, torch.full_like(b, a))
    w, b, u = (p.requires_grad_() for p in copy)
    loss = functional.cross_entropy(relu_output(w, b, u, x), y)
    slopes = torch.autograd.grad(loss, (w, b, u))
    with torch.no_grad():
        w, b, u = (
            w - rate * slopes[0],
            b - rate * slopes[1],
            u - rate * slopes[2],
        )
        return float(functional.cross_entropy(relu_output(w, b, u, x), y))


# --8<-- [end:train]


if __name__ == "__main__":
    # --8<-- [start:demo]
    w, b, u, _, _, x, _ = trained_digits()
    copy = rescale_units(w, b, u, torch.full_like(b, 1000.0))
    gap = (relu_output(w, b, u, x) - relu_output(*copy, x)).abs().max()
    print(f"a = 1000, same output: {gap < 1e-10}")

    loss = loss_after_step(a=1, rate=0)
    after = {a: loss_after_step(a, rate=0.2) for a in (1, 100)}
    print(f"loss after one step, a = 1: {after[1]:.2f}")
    print(f"loss after one step, a = 100: {after[100]:.1f}")

    curves = pruning_curves()
    print("accuracy               all   60 % removed")
    for name, accuracy in curves.items():
        print(f"{name:22}{accuracy[0]:.2f}{accuracy[12]:9.2f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_importance]
def plot_importance() -> Figure:
    """Draw accuracy against the share of removed weights."""
    fig, ax = plt.subplots(figsize=(5.2, 3.4), layout="constrained")
    styles = {"size": "o", "sensitivity": "s"}
    for i, (name, line) in enumerate(pruning_curves().items()):
        marker = styles[name.partition(", ")[2]]
        face = "none" if name.startswith("rescaled") else f"C{i % 2}"
        ax.plot(
            REMOVED, line, ls="-" if i < 2 else "--", lw=1, color=f"C{i % 2}"
        )
        size = 4 if i < 2 else 8
        ax.plot(
            *(REMOVED, line, marker),
            ms=size,
            color=f"C{i % 2}",
            mfc=face,
            label=name,
        )
    ax.set_xlabel("share of removed weights")
    ax.set_ylabel("accuracy on test digits")
    ax.legend()
    return fig


if __name__ == "__main__":
    plot_importance()
    plt.show()
# --8<-- [end:plot_importance]
