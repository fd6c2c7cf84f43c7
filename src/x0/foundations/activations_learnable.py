"""Learnable activation functions adapt their shape; here it gains little.

PReLU a, Swish z S(g z), Maxout max(z1, z2), rational P(z) / (1 + t^2 z^2)

He et al. (2015); Ramachandran et al. (2017); Goodfellow et al. (2013);
Molina et al. (2020) and Boulle et al. (2020).
"""

# --8<-- [start:imports]
import functools
import math
from collections.abc import Callable

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor

SEED = 0
SEEDS, WIDTH, STEPS = 20, 16, 300
WIDER = 23  # a ReLU network with about the parameters of Maxout
FIXED: dict[str, Callable[[Tensor], Tensor]] = {
    "ReLU": torch.relu,
    "tanh": torch.tanh,
    "SiLU": torch.nn.functional.silu,
}
# --8<-- [end:imports]


# --8<-- [start:shapes]
def prelu(z: Tensor, p: Tensor) -> Tensor:
    """Return relu(z) - p[0] relu(-z) of real z."""
    return torch.relu(z) - p[0] * torch.relu(-z)


def swish(z: Tensor, p: Tensor) -> Tensor:
    """Return z S(p[0] z), S the logistic sigmoid; floating-point."""
    return z * torch.sigmoid(p[0] * z)


def rational(z: Tensor, p: Tensor) -> Tensor:
    """Return a cubic over 1 + (p[4] z)^2; floating-point."""
    cubic = p[0] + z * (p[1] + z * (p[2] + z * p[3]))
    return cubic / (1 + (p[4] * z) ** 2)


def maxout(z: Tensor, p: Tensor) -> Tensor:
    """Return the larger half of real z along the last axis, of even size."""
    return torch.maximum(*z.chunk(2, dim=-1))


def rational_start() -> list[float]:
    """Return the least-squares fit of such a rational function to ReLU.

    >>> [round(p, 2) for p in rational_start()]
    [0.14, 0.5, 0.38, 0.08, 0.4]
    """
    z = torch.linspace(-3, 3, 121, dtype=torch.float64)
    cubic = torch.stack([z**k for k in range(4)], 1)
    found = []
    for t in torch.linspace(0.1, 3, 30).tolist():
        columns = cubic / (1 + (t * z[:, None]) ** 2)
        p = torch.linalg.lstsq(columns, torch.relu(z)[:, None]).solution
        error = float((columns @ p - torch.relu(z)[:, None]).square().sum())
        found.append((error, [*p[:, 0].tolist(), t]))
    return min(found)[1]


LEARNABLE: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], list[float]]] = {
    "PReLU": (prelu, [0.25]),
    "Swish": (swish, [1.0]),
    "rational": (rational, rational_start()),
    "Maxout": (maxout, []),
}
# --8<-- [end:shapes]


# --8<-- [start:train]
def task(m: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw m points of a square and values of a function with a crease."""
    x = 4 * torch.rand(m, 2, generator=generator) - 2
    y = torch.sin(2 * x[:, :1]) * torch.cos(x[:, 1:]) + 0.5 * x[:, 1:].abs()
    return x, y - y.mean()


@functools.cache
def fit_activation(name: str, width: int = WIDTH) -> tuple[Tensor, Tensor, int]:
    """Train networks of two hidden layers from several seeds with Adam.

    Each hidden layer has one set of shape parameters, shared by its units.

    Args:
        name: a key of FIXED or LEARNABLE.
        width: units in each hidden layer.

    Returns:
        Test errors (SEEDS,), learned shapes (2 layers, parameters, SEEDS),
        and the number of parameters of one network.

    Raises:
        ValueError: the name is not known.
    """
    if name not in {*FIXED, *LEARNABLE}:
        raise ValueError(f"Unknown activation. Received: {name}")
    generator = torch.Generator().manual_seed(SEED)
    x, y = task(200, generator)
    new_x, new_y = task(500, generator)
    pieces = 2 if name == "Maxout" else 1
    power = {"tanh": 1.0, "Maxout": 1.0, "PReLU": 2 / (1 + 0.25**2)}
    sizes = ((2, width * pieces), (width, width * pieces), (width, 1))
    weights = []
    for a, b in sizes:
        std = math.sqrt(power.get(name, 2.0) / a)
        weights.append(std * torch.randn(SEEDS, a, b, generator=generator))
        weights.append(torch.zeros(SEEDS, 1, b))
    start = torch.tensor(LEARNABLE[name][1] if name in LEARNABLE else [])
    shape = start[None, :, None, None, None].repeat(2, 1, SEEDS, 1, 1)
    leaves = [t.requires_grad_() for t in (*weights, shape)]
    optimizer = torch.optim.Adam(leaves, lr=0.01)

    def output(h: Tensor) -> Tensor:
        for layer in range(2):
            z = h @ weights[2 * layer] + weights[2 * layer + 1]
            if name in FIXED:
                h = FIXED[name](z)
            else:
                h = LEARNABLE[name][0](z, shape[layer])
        return h @ weights[4] + weights[5]

    for _ in range(STEPS):
        loss = (output(x) - y).square().mean((1, 2)).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        error = (output(new_x) - new_y).square().mean((1, 2)).sqrt()
    count = sum(w[0].numel() for w in weights) + 2 * len(start)
    return error, shape.detach()[..., 0, 0], count


# --8<-- [end:train]


if __name__ == "__main__":
    # --8<-- [start:demo]
    errors, learned = {}, {}
    print("           parameters  rms error")
    for name in (*FIXED, *LEARNABLE):
        error, shape, count = fit_activation(name)
        errors[name] = (error.mean(), error.std() / math.sqrt(SEEDS))
        learned[name] = shape.mean(-1)  # over the seeds
        print(f"{name:10}{count:11d}{error.mean():11.2f}")
    error, _, count = fit_activation("ReLU", WIDER)
    wider = error.mean(), error.std() / math.sqrt(SEEDS)
    print(f"ReLU, 23  {count:11d}{error.mean():11.2f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_shapes]
def plot_shapes() -> Figure:
    """Draw the shapes before and after training, and the errors."""
    names = ("PReLU", "Swish", "rational")
    fig, axes = plt.subplots(2, 1, figsize=(5.2, 5.6), layout="constrained")
    z = torch.linspace(-2.5, 2.5, 41)
    for i, name in enumerate(names):
        phi, start = LEARNABLE[name]
        axes[0].plot(
            z, phi(z, torch.tensor(start)), ls="--", lw=1, color=f"C{i}"
        )
        shape = fit_activation(name)[1]
        for seed in range(3):
            (line,) = axes[0].plot(z, phi(z, shape[0, :, seed]), color=f"C{i}")
            line.set(lw=1, marker="o^s"[i], ms=4, markevery=(seed * 3, 10))
            line.set_label(name if seed == 0 else None)
    axes[0].set(xlabel="z", ylabel="φ")
    axes[0].legend()
    everything = [*FIXED, *LEARNABLE]
    for i, name in enumerate(everything):
        errors = fit_activation(name)[0]
        color = "0.5" if name in FIXED else f"C{list(LEARNABLE).index(name)}"
        axes[1].plot([i] * SEEDS, errors, "o", ms=4, color=color)
        axes[1].plot([i - 0.3, i + 0.3], [errors.mean()] * 2, color=color)
    axes[1].set_xticks(range(len(everything)), everything, rotation=30)
    axes[1].set(yscale="log")
    axes[1].set_ylabel("rms error", labelpad=8)
    return fig


if __name__ == "__main__":
    plot_shapes()
    plt.show()
# --8<-- [end:plot_shapes]
