"""Through time the same matrix acts again and again: its bias and scale count.

A gate keeps f^t of the cell; PyTorch's matrix shrinks a state by 1/sqrt(3).
"""

# --8<-- [start:imports]
import functools
import math

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

SEED = 0
WIDTH, STEPS, NETWORKS = 128, 50, 20
# --8<-- [end:imports]


# --8<-- [start:norms]
@functools.cache
def state_norms() -> dict[str, Tensor]:
    """Return |h_t| / |h_0| of linear recurrences h_t = W h_{t-1}.

    Returns:
        For each law of W a tensor of shape (STEPS + 1, NETWORKS).
    """
    generator = torch.Generator().manual_seed(SEED)
    shape = (NETWORKS, WIDTH, WIDTH)
    noise = torch.randn(shape, generator=generator, dtype=torch.float64)
    flat = torch.rand(shape, generator=generator, dtype=torch.float64)
    q, r = torch.linalg.qr(noise)
    matrices = {
        "PyTorch default": (2 * flat - 1) / math.sqrt(WIDTH),
        "normal, 1/n": noise / math.sqrt(WIDTH),
        "orthogonal": q * r.diagonal(dim1=1, dim2=2).sign()[:, None],
    }
    start = torch.randn(WIDTH, 1, generator=generator, dtype=torch.float64)
    found = {}
    for name, w in matrices.items():
        h = start.expand(NETWORKS, WIDTH, 1)
        norms = [h.norm(dim=(1, 2))]
        for _ in range(STEPS):
            h = w @ h
            norms.append(h.norm(dim=(1, 2)))
        found[name] = torch.stack(norms) / norms[0]
    return found


def cell_gradient(lstm: nn.LSTM, steps: int) -> float:
    """Return |dc_T/dc_0| of an LSTM fed with zeros, for a random direction.

    >>> lstm = nn.LSTM(2, 4)
    >>> for p in lstm.parameters():
    ...     _ = nn.init.zeros_(p)
    >>> round(cell_gradient(lstm, 3), 3)  # one half, three times
    0.125
    """
    generator = torch.Generator().manual_seed(SEED)
    size = lstm.hidden_size
    cell = torch.randn(1, 1, size, generator=generator).requires_grad_()
    direction = torch.randn(1, 1, size, generator=generator)
    inputs = torch.zeros(steps, 1, lstm.input_size)
    _, (_, last) = lstm(inputs, (torch.zeros(1, 1, size), cell))
    (gradient,) = torch.autograd.grad(last, cell, direction)
    return float(gradient.norm() / direction.norm())


# --8<-- [end:norms]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print what a state and a cell keep over 50 steps."""
    values: dict[str, float | tuple[float, float]] = {}
    print("linear recurrence, median of |h_50| / |h_0|:")
    keys = ("default", "normal", "orthogonal")
    for key, (name, norms) in zip(keys, state_norms().items(), strict=True):
        values[key] = float(norms[-1].median())
        print(f"  {name:<20}{values[key]:.1e}")
    values["default_theory"] = 3.0 ** (-STEPS / 2)
    print("gradient of the cell of a real LSTM over 50 steps:")
    with torch.random.fork_rng(devices=[]):
        generator = torch.Generator().manual_seed(SEED)
        torch.set_rng_state(generator.get_state())
        lstm = nn.LSTM(8, 64)
    for bias in (None, 1.0, 2.0):
        if bias is not None:
            with torch.no_grad():
                for name, p in lstm.named_parameters():
                    if name.startswith("bias"):
                        p.zero_()
                lstm.get_parameter("bias_ih_l0")[64:128] = bias
        gradient = cell_gradient(lstm, STEPS)
        values[f"cell_{bias or 0:g}"] = gradient
        name = "default" if bias is None else f"forget bias {bias:g}"
        print(f"  {name:<20}{gradient:.0e}")
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]


# --8<-- [start:plot_norms]
def plot_norms() -> Figure:
    """Draw the norm of the state against time."""
    fig, ax = plt.subplots(figsize=(5.6, 3.2), layout="constrained")
    steps = torch.arange(STEPS + 1)
    for factor in (3**-0.5, 1.0):
        label = "predicted" if factor == 1 else None
        ax.plot(steps, factor**steps, "k--", lw=1, label=label)
    for i, (name, norms) in enumerate(state_norms().items()):
        median = norms.median(1).values
        ax.plot(
            steps[::2], median[::2], "os^"[i], ms=4, color=f"C{i}", label=name
        )
    ax.set_yscale("log")
    ax.set_xlabel("time step")
    ax.set_ylabel("norm of the state, relative")
    ax.legend()
    return fig


if __name__ == "__main__":
    plot_norms()
    plt.show()
# --8<-- [end:plot_norms]
