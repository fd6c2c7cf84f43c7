"""A good start makes training faster; the final accuracy may be the same.

He: Var(w) = 2 / fan_in; Xavier: 2 / (fan_in + fan_out); ten ReLU layers
"""

# --8<-- [start:imports]
import functools
import itertools
import math

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits

SEED = 0
SEEDS, DEPTH, WIDTH, BATCH, STEPS, TEST = 5, 10, 48, 32, 500, 360
RATE, MOMENTUM = 0.01, 0.9
RULES = ("He", "Xavier")
# --8<-- [end:imports]


# --8<-- [start:train]
@functools.cache
def train_both() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Train both rules on the same draws and batches, all networks at once.

    Returns:
        Training losses, shape (2, SEEDS, STEPS), and the accuracies on the
        last TEST images, which were kept apart, shape (2, SEEDS).
    """
    generator = torch.Generator().manual_seed(SEED)
    images, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(images, dtype=torch.float32), torch.tensor(labels)
    seen, unseen = slice(0, -TEST), slice(-TEST, None)
    x = (x - x[seen].mean(0)) / x[seen].std(0).clamp(min=1e-6)
    widths = [64] + [WIDTH] * (DEPTH - 1) + [10]
    weights, biases = [], []
    for m, n in itertools.pairwise(widths):
        draw = torch.randn(SEEDS, m, n, generator=generator)
        std = (math.sqrt(2 / m), math.sqrt(2 / (m + n)))
        weights.append(torch.cat([s * draw for s in std]).requires_grad_())
        biases.append(torch.zeros(2 * SEEDS, 1, n, requires_grad=True))

    def forward(h: torch.Tensor) -> torch.Tensor:
        for layer, (w, b) in enumerate(zip(weights, biases, strict=True)):
            h = torch.baddbmm(b, h if layer == 0 else h.relu(), w)
        return h

    optimizer = torch.optim.SGD(weights + biases, RATE, MOMENTUM, fused=True)
    history = []
    for _ in range(STEPS):
        rows = torch.randint(len(x) - TEST, (SEEDS, BATCH), generator=generator)
        rows = rows.repeat(2, 1)
        log_p = forward(x[rows]).log_softmax(-1)
        loss = -log_p.gather(-1, y[rows].unsqueeze(-1)).mean((1, 2))
        optimizer.zero_grad()
        torch.autograd.backward(loss.sum())
        optimizer.step()
        history.append(loss.detach())
    losses = torch.stack(history, 1).double().numpy()
    with torch.no_grad():
        output = forward(x[unseen].expand(2 * SEEDS, -1, -1))
    right = (output.argmax(-1) == y[unseen]).double().mean(1).numpy()
    return losses.reshape(2, SEEDS, STEPS), right.reshape(2, SEEDS)


def steps_to(losses: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """Return the steps until a mean over 10 steps is below level, else inf.

    >>> steps_to(np.linspace(2, 0, 40)[None], 1.0)
    array([30.])
    """
    below = losses.reshape(*losses.shape[:-1], -1, 10).mean(-1) < level
    first = 10.0 * (below.argmax(-1) + 1)
    return np.where(below.any(-1), first, np.inf)


# --8<-- [end:train]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print how soon the loss falls below 1, and the test accuracy."""
    losses, accuracy = train_both()
    values: dict[str, float | tuple[float, float]] = {}

    def add(key: str, x: NDArray[np.float64]) -> None:
        error = float(x.std(ddof=1)) / math.sqrt(SEEDS)
        values[key] = (float(x.mean()), error)

    steps = steps_to(losses, 1.0)
    add("ratio", steps[1] / steps[0])
    add("gap", accuracy[0] - accuracy[1])
    print("        steps to loss 1  accuracy")
    for i, rule in enumerate(RULES):
        add(f"{rule.lower()}_steps", steps[i])
        add(f"{rule.lower()}_accuracy", accuracy[i])
        tens = round(float(steps[i].mean()), -1)
        print(f"{rule:<8}{tens:11.0f}{accuracy[i].mean():14.1f}")
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]
