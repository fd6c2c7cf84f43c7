"""From a constant start small differences between units grow exponentially.

d(a + b)/dt = r (a + b): a, b differences of two units, r the residual
"""

# --8<-- [start:imports]
import functools
import itertools
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

SEED = 0
WIDTH, STEPS, RATE, SAMPLES = 32, 800, 0.5, 256
SPACING = float(np.spacing(0.05))  # between floating-point numbers
NOISE = (SPACING, 1e-12, 1e-8, 1e-4)
# --8<-- [end:imports]


# --8<-- [start:spread]
@functools.cache
def unit_spread() -> tuple[np.ndarray, np.ndarray]:
    """Train tanh networks that start from a constant plus noise, full batch.

    Returns:
        Standard deviation over the units of the first weight, averaged over
        the inputs, before each step and after the last, shape (networks,
        STEPS + 1); and the losses, of the same shape.
    """
    generator = torch.Generator().manual_seed(SEED)
    images, labels = load_digits(return_X_y=True)
    x = torch.tensor(images[:SAMPLES]) / 16
    y = torch.tensor(labels[:SAMPLES])
    noise = torch.tensor(NOISE, dtype=torch.float64).view(-1, 1, 1)
    parameters = []
    for m, n in itertools.pairwise([64, WIDTH, 10]):
        draw = torch.randn(m, n, generator=generator, dtype=torch.float64)
        parameters.append((0.05 + noise * draw).requires_grad_())
    spread, history = [], []
    for _ in range(STEPS + 1):
        h = torch.tanh(x @ parameters[0])
        log_p = (h @ parameters[1]).log_softmax(-1)
        loss = -log_p[:, range(SAMPLES), y].mean(1)
        spread.append(parameters[0].detach().std(-1).mean(1))
        history.append(loss.detach())
        gradients = torch.autograd.grad(loss.sum(), parameters)
        with torch.no_grad():
            for p, g in zip(parameters, gradients, strict=True):
                p -= RATE * g
    return torch.stack(spread, 1).numpy(), torch.stack(history, 1).numpy()


# --8<-- [end:spread]


if __name__ == "__main__":
    # --8<-- [start:demo]
    spread, loss = unit_spread()
    steps = {}
    print("noise    steps until the spread is 0.01  loss at the end")
    for noise, s, x in zip(NOISE, spread, loss, strict=True):
        steps[noise] = np.argmax(s > 1e-2)
        print(f"{noise:<9.1g}{steps[noise]:15d}{x[-1]:27.1f}")
    rounding = steps[SPACING]

    rate = {}  # growth per step, of the smallest noise
    for first, last in ((20, 60), (120, 200), (280, 360)):
        grown = spread[1, last] / spread[1, first]
        rate[first] = math.log(grown) / (last - first)
        print(f"rate, steps {first} to {last}: {rate[first]:.2f}")
    waits = np.diff([steps[noise] for noise in (1e-4, 1e-8, 1e-12)])
    # --8<-- [end:demo]


# --8<-- [start:plot_spread]
def plot_spread() -> Figure:
    """Draw the differences between units by step, log scale."""
    spread, _ = unit_spread()
    fig, ax = plt.subplots(figsize=(5.6, 3.4), layout="constrained")
    steps = np.arange(0, STEPS + 1, 20)
    for i, noise in enumerate(NOISE):
        label = f"noise {noise:.0e}"
        y = spread[i, ::20]
        ax.plot(steps, y, "o^sD"[i] + "-", ms=3, lw=1, label=label)
    ax.set(yscale="log", xlabel="step", ylabel="standard deviation over units")
    ax.legend(loc="lower right")
    return fig


if __name__ == "__main__":
    plot_spread()
    plt.show()
# --8<-- [end:plot_spread]
