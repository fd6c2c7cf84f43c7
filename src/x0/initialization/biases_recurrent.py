"""Through time the same matrix acts again and again: its bias and scale count.

A constant gate f keeps f^t of the cell; PyTorch's matrix alone multiplies a
state by about 1/sqrt(3) per step.
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
        For each kind of W a tensor of shape (STEPS + 1, NETWORKS).
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
    """Return |dc_T/dc_0| of one LSTM layer fed with zeros, random direction.

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


@torch.no_grad()
def cell_size(forget: float, entry: float, steps: int) -> tuple[float, float]:
    """Return the rms of an LSTM's cell after steps of noise, and its fill.

    The inputs are N(0.5, 1), 20 sequences of 8 numbers; the other biases are
    0 and the weights PyTorch's default.

    Args:
        forget: bias of the forget gate.
        entry: bias of the input gate.
        steps: length of the sequences.

    Returns:
        Root mean square of c, and the share of cells with |tanh c| > 0.95.
    """
    generator = torch.Generator().manual_seed(SEED)
    lstm = nn.LSTM(8, 64)
    for name, p in lstm.named_parameters():
        p.uniform_(-1 / 8, 1 / 8, generator=generator)
        if name.startswith("bias"):
            p.zero_()
    gates = lstm.get_parameter("bias_ih_l0").chunk(4)
    gates[0].fill_(entry)
    gates[1].fill_(forget)
    x = 0.5 + torch.randn(steps, 20, 8, generator=generator)
    _, (_, c) = lstm(x)
    full = (c.tanh().abs() > 0.95).float().mean()
    return c.square().mean().sqrt().item(), full.item()


# --8<-- [end:norms]


if __name__ == "__main__":
    # --8<-- [start:demo]
    kept = {name: norms[-1].median() for name, norms in state_norms().items()}
    print("linear recurrence, median of |h_50| / |h_0|:")
    for name, norm in kept.items():
        print(f"  {name:<20}{norm:.1e}")

    torch.manual_seed(SEED)
    lstm = nn.LSTM(8, 64)
    default = cell_gradient(lstm, STEPS)
    print("gradient of the cell of a real LSTM over 50 steps:")
    print(f"  {'default':<20}{default:.0e}")
    gradient = {}
    for bias in (1, 2):
        with torch.no_grad():
            for name, p in lstm.named_parameters():
                if name.startswith("bias"):
                    p.zero_()
            lstm.get_parameter("bias_ih_l0")[64:128] = bias
        gradient[bias] = cell_gradient(lstm, STEPS)
        print(f"  forget bias {bias:<8}{gradient[bias]:.0e}")
    b = math.log(999)
    cell = {"alone": cell_size(b, 0, 1000), "chrono": cell_size(b, -b, 1000)}
    print("cell after 1000 steps, forget bias ln 999:  rms  |tanh c| > 0.95")
    for name, (rms, full) in cell.items():
        entry = "0" if name == "alone" else "-ln 999"
        print(f"  input gate {entry:<28}{rms:8.1g}{full:10.0%}")
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
        color = ("C4", "C0", "C3")[i]
        marker = "os^"[i]
        ax.plot(steps[::2], median[::2], marker, ms=4, color=color, label=name)
    ax.set_yscale("log")
    ax.set_xlabel("time step")
    ax.set_ylabel("norm of the state, relative")
    ax.legend()
    return fig


if __name__ == "__main__":
    plot_norms()
    plt.show()
# --8<-- [end:plot_norms]
