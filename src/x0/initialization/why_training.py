"""From He training is faster than from Xavier; accuracy may end up the same.

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
SEEDS, DEPTH, WIDTH, BATCH, TEST = 20, 10, 48, 32, 360
HALF, STEPS = 400, 800
RATE, MOMENTUM = 0.01, 0.9
RULES = ("He", "Xavier")
# --8<-- [end:imports]


# --8<-- [start:train]
@functools.cache
def train_both() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Train both rules on the same draws and batches, all networks at once.

    Returns:
        Training losses, shape (2, SEEDS, STEPS), and the accuracies on the
        last TEST images, which were kept apart, after HALF and after all
        steps, shape (2, 2, SEEDS).
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
    history, accuracy = [], []
    for step in range(1, STEPS + 1):
        rows = torch.randint(len(x) - TEST, (SEEDS, BATCH), generator=generator)
        rows = rows.repeat(2, 1)
        log_p = forward(x[rows]).log_softmax(-1)
        loss = -log_p.gather(-1, y[rows].unsqueeze(-1)).mean((1, 2))
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
        history.append(loss.detach())
        if step in (HALF, STEPS):
            with torch.no_grad():
                output = forward(x[unseen].expand(2 * SEEDS, -1, -1))
            right = (output.argmax(-1) == y[unseen]).double().mean(1)
            accuracy.append(right.view(2, SEEDS).numpy())
    losses = torch.stack(history, 1).double().numpy()
    return losses.reshape(2, SEEDS, STEPS), np.stack(accuracy)


def steps_to(losses: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """Return the steps until the last ten average below level, else inf.

    Raises:
        ValueError: there are fewer than ten steps on the last axis.

    >>> steps_to(np.linspace(2, 0, 41)[None], 1.0)
    array([26.])
    """
    if not losses.ndim or losses.shape[-1] < 10:
        raise ValueError(f"Expected ten steps. Received: {losses.shape}")
    window = np.lib.stride_tricks.sliding_window_view(losses, 10, axis=-1)
    below = window.mean(-1) < level
    return np.where(below.any(-1), 10.0 + below.argmax(-1), np.inf)


# --8<-- [end:train]


if __name__ == "__main__":
    # --8<-- [start:demo]
    losses, accuracy = train_both()
    steps = steps_to(losses, 1.0)
    print("        steps to loss 1  accuracy")
    for rule, s, a in zip(RULES, steps, accuracy[-1], strict=True):
        print(f"{rule:<8}{round(s.mean(), -1):11.0f}{a.mean():14.1f}")
    times = steps[1] / steps[0]
    ratio, early_gap, gap = (
        (x.mean(), x.std(ddof=1) / math.sqrt(SEEDS))
        for x in (times, *(accuracy[:, 0] - accuracy[:, 1]))
    )
    lowest, highest = times.min(), times.max()
    final = losses[..., -50:].mean(-1)
    # --8<-- [end:demo]
