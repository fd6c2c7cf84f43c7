"""Without skips, batch normalization and ReLU or tanh make gradients explode.

factor = E[phi'(y)^2] / Var[phi(y)], y ~ N(0, 1); ReLU: pi / (pi - 1)

Yang, Pennington, Rao, Sohl-Dickstein and Schoenholz (2019), "A Mean Field
Theory of Batch Normalization".
"""

# --8<-- [start:imports]
import functools
import math
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

SEED = 0
WIDTH, BATCH, DEPTH, NETWORKS = 256, 128, 24, 4
CASES = ("BN, ReLU", "BN, tanh", "LN, ReLU")
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "ReLU": torch.relu,
    "tanh": torch.tanh,
}
# --8<-- [end:imports]


# --8<-- [start:factor]
def factor(case: str) -> float:
    """Return the predicted growth of the squared gradient per layer.

    Args:
        case: one of CASES: a normalization and an activation function.

    Raises:
        ValueError: the case is unknown.

    >>> round(factor("BN, ReLU"), 3), round(factor("LN, ReLU"), 3)
    (1.467, 1.0)
    """
    if case not in CASES:
        raise ValueError(f"case must be one of {CASES}. Received: {case=}")
    norm, name = case.split(", ")
    x, weight = np.polynomial.legendre.leggauss(200)
    half = torch.tensor(6 + 6 * x)  # both halves of the real line
    y = torch.cat([-half, half]).requires_grad_()
    p = 6 * torch.tensor(weight) / math.sqrt(2 * math.pi)
    p = torch.cat([p, p]) * (-(y.detach() ** 2) / 2).exp()
    phi = ACTIVATIONS[name](y)
    (slope,) = torch.autograd.grad(phi.sum(), y)
    phi = phi.detach()
    mean = float((p * phi).sum()) if norm == "BN" else 0.0
    return float((p * slope**2).sum() / ((p * phi**2).sum() - mean**2))


# --8<-- [end:factor]


# --8<-- [start:gradients]
def normalize(z: Tensor, dim: int) -> Tensor:
    """Return z with mean 0 and variance 1 along a dimension.

    Args:
        z: real, shape (m, n, ...).
        dim: 0 or 1.

    >>> normalize(torch.tensor([[1.0, 3.0]]), 1)
    tensor([[-1.,  1.]])
    """
    centered = z - z.mean(dim, keepdim=True)
    return centered / centered.square().mean(dim, keepdim=True).sqrt()


@functools.cache
def gradients(
    case: str, std: float = 1.0, batch: int = BATCH, width: int = WIDTH
) -> Tensor:
    """Return the mean squared gradient by layer, relative to the top.

    y_l = norm(W_l h_{l-1}), h_l = phi(y_l); the gradient is that of a random
    linear loss with respect to y_l. All networks run in one batch.

    Args:
        case: one of CASES.
        std: standard deviation of the weights.
        batch: number of samples that are normalized together.
        width: of every layer.

    Returns:
        Shape (DEPTH, networks).

    >>> bool(gradients("BN, ReLU")[0].mean() > 100)
    True
    """
    norm, name = case.split(", ")
    generator = torch.Generator().manual_seed(SEED)
    h = torch.randn(NETWORKS, batch, width, generator=generator)
    ys = []
    for _ in range(DEPTH):
        shape = (NETWORKS, width, width)
        w = torch.randn(shape, generator=generator) * std
        y = normalize(h @ w, 1 if norm == "BN" else 2).requires_grad_()
        ys.append(y)
        h = ACTIVATIONS[name](y)
    top = torch.randn(h.shape, generator=generator)
    found = torch.autograd.grad((h * top).sum(), ys)
    size = torch.stack([g.square().mean((1, 2)) for g in found])
    return size / size[-1]


# --8<-- [end:gradients]


if __name__ == "__main__":
    # --8<-- [start:demo]
    predicted = {case: factor(case) for case in CASES}
    measured, total = {}, {}
    print("network    predicted  measured  after 23 layers")
    for case in CASES:
        size = gradients(case)
        # Leave out the first layers, where the batch finds its state.
        rate = (size[5] / size[-1]) ** (1 / (DEPTH - 6))
        measured[case] = rate.mean(), rate.std() / math.sqrt(NETWORKS)
        total[case] = size[0].mean()
        row = f"{case:<11}{predicted[case]:9.2f}{rate.mean():10.2f}"
        print(f"{row}{total[case]:17.0e}")
    change = gradients("BN, ReLU", 0.01) / gradients("BN, ReLU") - 1
    worst = change.abs().max().item()
    print("weights 100 times smaller: same", worst < 0.01)
    # --8<-- [end:demo]


# --8<-- [start:plot_gradients]
def plot_gradients() -> Figure:
    """Draw the squared gradient by layer against the predicted factor."""
    fig, ax = plt.subplots(figsize=(5.6, 3.8), layout="constrained")
    layers = np.arange(1, DEPTH + 1)
    for i, case in enumerate(CASES):
        theory = factor(case) ** (DEPTH - layers)
        ax.plot(layers, theory, ls="--", lw=1, color=f"C{i}")
        mean = gradients(case).mean(1).numpy()
        ax.plot(layers, mean, "os^"[i], ms=4, color=f"C{i}", label=case)
    ax.set_yscale("log")
    ax.set_xlabel("layer")
    ax.set_ylabel("squared gradient / that of the last layer")
    ax.legend()
    return fig


if __name__ == "__main__":
    plot_gradients()
    plt.show()
# --8<-- [end:plot_gradients]
