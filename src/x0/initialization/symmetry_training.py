"""Zero is stuck with ReLU and tanh, a constant trains as one unit per layer.

h_l = phi(0) and delta_l = 0 below the last layer if all weights are zero;
a zero last layer trains
"""

# --8<-- [start:imports]
import functools
import itertools
import math
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from torch import Tensor

SEED = 0
WIDTH, BATCH, STEPS, RATE, TEST = 64, 64, 600, 0.1, 360
PHI: dict[str, Callable[[Tensor], Tensor]] = {
    "ReLU": torch.relu,
    "tanh": torch.tanh,
    "logistic": torch.sigmoid,
}
RELU_STARTS = ["He", "zero last layer", "constant", "all zero"]
RELU_STARTS += ["constant, dropout"]
DEEP = (
    *itertools.product(RELU_STARTS, ("ReLU",)),
    *((start, "tanh") for start in ("constant", "all zero")),
    *((start, "logistic") for start in ("constant", "all zero")),
)
# --8<-- [end:imports]


# --8<-- [start:start]
def start_weights(
    widths: list[int], start: str, generator: torch.Generator
) -> list[Tensor]:
    """Return the weights of one network, shapes (fan_in, fan_out).

    Args:
        widths: From the input to the classes.
        start: "He", "zero last layer", "all zero", or "constant" (0.05).
        generator: Source of randomness.
    """
    weights = []
    for m, n in itertools.pairwise(widths):
        w = torch.randn(m, n, generator=generator) * math.sqrt(2 / m)
        if start.startswith("constant"):
            w = torch.full((m, n), 0.05)
        if start == "all zero" or (start == "zero last layer" and n == 10):
            w = torch.zeros(m, n)
        weights.append(w)
    return weights


# --8<-- [end:start]


# --8<-- [start:train]
@functools.cache
def train_starts(
    cases: tuple[tuple[str, str], ...],
    hidden: int,
    rate: float = RATE,
    steps: int = STEPS,
) -> tuple[np.ndarray, np.ndarray, list[Tensor]]:
    """Train one network per case on the digits, all as one batch.

    Args:
        cases: Pairs of a start and an activation, see PHI.
        hidden: Hidden layers of width WIDTH.
        rate: Learning rate.
        steps: Number of steps.

    Returns:
        Losses (cases, steps), accuracies on the last TEST images (cases,),
        and the trained weights, one tensor (cases, fan_in, fan_out) each.
    """
    generator = torch.Generator().manual_seed(SEED)
    images, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(images, dtype=torch.float32) / 16, torch.tensor(labels)
    widths = [64] + [WIDTH] * hidden + [10]
    starts = [start_weights(widths, s, generator) for s, _ in cases]
    layers = zip(*starts, strict=True)
    weights = [torch.stack(w).requires_grad_() for w in layers]
    biases = [
        torch.zeros(len(cases), 1, n, requires_grad=True) for n in widths[1:]
    ]
    runs = itertools.groupby(phi for _, phi in cases)
    groups, sizes = zip(*((k, len(list(v))) for k, v in runs), strict=True)
    drop = torch.tensor([s.endswith("dropout") for s, _ in cases])

    def forward(h: Tensor, training: bool) -> Tensor:
        h = h.expand(len(cases), -1, -1)
        for layer, (w, b) in enumerate(zip(weights, biases, strict=True)):
            if layer:
                parts = zip(groups, torch.split(h, list(sizes)), strict=True)
                h = torch.cat([PHI[phi](z) for phi, z in parts])
                if training and bool(drop.any()):
                    kept = torch.rand(h.shape[1:], generator=generator) < 0.5
                    h = torch.where(drop.view(-1, 1, 1), 2 * h * kept, h)
            h = torch.baddbmm(b, h, w)
        return h

    optimizer = torch.optim.SGD(weights + biases, rate, fused=True)
    history = []
    for _ in range(steps):
        rows = torch.randint(len(x) - TEST, (BATCH,), generator=generator)
        log_p = forward(x[rows], True).log_softmax(-1)
        loss = -log_p[:, range(BATCH), y[rows]].mean(1)
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
        history.append(loss.detach())
    with torch.no_grad():
        guess = forward(x[-TEST:], False).argmax(-1)
    accuracy = (guess == y[-TEST:]).double().mean(1).numpy()
    trained = [w.detach() for w in weights]
    return torch.stack(history, 1).double().numpy(), accuracy, trained


# --8<-- [end:train]


if __name__ == "__main__":
    # --8<-- [start:demo]
    losses, shares, (first, middle, last) = train_starts(DEEP, 2)
    accuracy = dict(zip(DEEP, shares, strict=True))
    units, rank = {}, {}
    for case, w_1, w_2 in zip(DEEP, first, middle, strict=True):
        rounded = torch.round(w_1.T / w_1.abs().max().clamp(1e-9), decimals=3)
        units[case] = len(torch.unique(rounded, dim=0))
        rank[case] = int(torch.linalg.matrix_rank(w_2.double(), rtol=1e-4))

    slow = DEEP[5], DEEP[7]  # constant tanh, constant logistic
    shares = train_starts(slow, 2, 0.5, 2000)[1]
    longer = dict(zip(("tanh", "logistic"), shares, strict=True))

    zero = {}
    for hidden in (2, 1, 0):
        cases = tuple(("all zero", phi) for phi in PHI) if hidden else DEEP[3:4]
        shares = train_starts(cases, hidden, 1.0)[1]
        for (_, phi), share in zip(cases, shares, strict=True):
            name = phi if hidden else "none"
            zero[hidden, name] = share
    # --8<-- [end:demo]


# --8<-- [start:plot_starts]
def plot_starts() -> Figure:
    """Draw the training loss from five starts of a ReLU network."""
    losses, _, _ = train_starts(DEEP, 2)
    softmax, _, _ = train_starts((("all zero", "ReLU"),), 0)
    curves = {"He": losses[0], "zero last layer": losses[1]}
    curves["constant"] = losses[2]
    curves["all zero"] = losses[3]
    curves["all zero, no hidden layer"] = softmax[0]
    fig, ax = plt.subplots(figsize=(5.6, 3.6))
    fig.set_layout_engine("constrained", rect=(0, 0, 0.98, 1))
    steps = np.arange(10, STEPS, 20)
    for i, (name, loss) in enumerate(curves.items()):
        mean = loss.reshape(-1, 20).mean(1)
        (line,) = ax.plot(steps, mean, "o^sDv"[i], label=name)
        line.set(color=f"C{i}", ls="-", lw=1, ms=4, markevery=(i, 5))
    ax.axhline(math.log(10), ls="--", lw=1, color="black", label="ln 10")
    ax.set(xlabel="step", ylabel="training loss", ylim=(0, 2.6))
    ax.legend(loc="center right", bbox_to_anchor=(0.98, 0.44))
    return fig


if __name__ == "__main__":
    plot_starts()
    plt.show()
# --8<-- [end:plot_starts]
