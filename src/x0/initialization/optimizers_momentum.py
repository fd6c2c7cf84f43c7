"""Whether heavy-ball momentum is stable on a quadratic is not up to the start.

The error is linear in the initial error; it is stable for
0 < eta lambda < 2 (1 + beta).

Polyak (1964).
"""

# --8<-- [start:imports]
import functools
import math

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from torch import Tensor

SEED = 0
BIASES = (0.0, 0.001, 0.1, 1.0)
SEEDS, STEPS, RATE, BETA = 3, 200, 0.05, 0.9
# --8<-- [end:imports]


# --8<-- [start:quadratic]
def heavy_ball(
    start: Tensor, curvature: Tensor, rate: float, beta: float, steps: int
) -> Tensor:
    """Return the errors e_0 … e_steps on a quadratic with given curvatures.

    Args:
        start: initial error, shape (n,).
        curvature: eigenvalues of the Hessian matrix, shape (n,).
        rate: learning rate.
        beta: momentum.
        steps: number of steps.

    Raises:
        ValueError: beta is not in [0, 1), or the shapes are not as above.

    >>> one = torch.ones(1, dtype=torch.float64)
    >>> [float(e) for e in heavy_ball(one, one, 0.5, 0.0, 2)[:, 0]]
    [1.0, 0.5, 0.25]
    """
    if not 0 <= beta < 1:
        raise ValueError(f"Expected 0 <= beta < 1. Received: {beta=}")
    if start.ndim != 1 or start.shape != curvature.shape:
        shapes = f"{tuple(start.shape)}, {tuple(curvature.shape)}"
        raise ValueError(f"Expected two vectors. Received: {shapes}")
    errors, before = [start], start
    for _ in range(steps):
        now = errors[-1]
        errors.append(now - rate * curvature * now + beta * (now - before))
        before = now
    return torch.stack(errors)


# --8<-- [end:quadratic]


# --8<-- [start:digits]
@functools.cache
def train_biases() -> tuple[Tensor, Tensor]:
    """Train ReLU networks with several biases and seeds, all at once.

    Returns:
        Training loss by step, shape (STEPS, biases, SEEDS), and the
        accuracy on digits that were not used, shape (biases, SEEDS).
    """
    data = load_digits()
    x = torch.tensor(data.data, dtype=torch.float32) / 16
    y = torch.tensor(data.target)
    generator = torch.Generator().manual_seed(SEED)
    order = torch.randperm(len(x), generator=generator)
    train_set, test_set = order[:600], order[600:]
    networks = len(BIASES) * SEEDS
    bias = torch.tensor(BIASES).repeat_interleave(SEEDS)[:, None, None]
    parameters: list[Tensor] = []
    for fan_in, fan_out in ((64, 32), (32, 32), (32, 10)):
        w = torch.randn(SEEDS, fan_in, fan_out, generator=generator)
        w = w.repeat(len(BIASES), 1, 1) * math.sqrt(2 / fan_in)
        parameters += [w, bias.expand(networks, 1, fan_out).clone()]

    def logits(inputs: Tensor, p: list[Tensor]) -> Tensor:
        h = (inputs @ p[0] + p[1]).relu()
        h = (h @ p[2] + p[3]).relu()
        return h @ p[4] + p[5]

    velocity = [torch.zeros_like(p) for p in parameters]
    labels = y[train_set].repeat(networks)
    history = []
    for _ in range(STEPS):
        for p in parameters:
            p.requires_grad_()
        out = logits(x[train_set], parameters).flatten(0, 1)
        loss = torch.nn.functional.cross_entropy(out, labels, reduction="none")
        loss = loss.view(networks, -1).mean(1)
        history.append(loss.detach())
        gradients = torch.autograd.grad(loss.sum(), parameters)
        with torch.no_grad():
            pairs = zip(velocity, gradients, strict=True)
            velocity = [BETA * v + g for v, g in pairs]
            moved = zip(parameters, velocity, strict=True)
            parameters = [p - RATE * v for p, v in moved]
    right = logits(x[test_set], parameters).argmax(2) == y[test_set]
    shape = len(BIASES), SEEDS
    accuracy = right.float().mean(1).view(shape)
    return torch.stack(history).view(STEPS, *shape), accuracy


# --8<-- [end:digits]


if __name__ == "__main__":
    # --8<-- [start:demo]
    curvature = torch.tensor([0.1, 1.0, 10.0], dtype=torch.float64)
    start = torch.ones(3, dtype=torch.float64)
    ratios = {}
    print("quadratic, |e_200| / |e_0|      start 1   start 1000")
    for rate in (0.3, 0.39):  # stable up to 2 * 1.9 / 10 = 0.38
        one = heavy_ball(start, curvature, rate, 0.9, 200)
        thousand = heavy_ball(1000 * start, curvature, rate, 0.9, 200)
        ratios[rate] = [e[-1].norm() / e[0].norm() for e in (one, thousand)]
        row = f"{ratios[rate][0]:10.1e}{ratios[rate][1]:13.1e}"
        print(f"  rate {rate:<22}{row}")
    losses, accuracy = train_biases()
    final = {}
    print("digits, momentum 0.9       final loss   accuracy")
    for bias, loss, right in zip(BIASES, losses[-1], accuracy, strict=True):
        final[bias] = loss.mean(), loss.std() / math.sqrt(SEEDS)
        print(f"  bias {bias:<19g}{loss.mean():10.3f}{right.mean():11.2f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_biases]
def plot_biases() -> Figure:
    """Draw the training loss for four initial biases."""
    losses, _ = train_biases()
    fig, ax = plt.subplots(figsize=(5.6, 3.2), layout="constrained")
    for i, b in enumerate(BIASES):
        style = ("-", "--", "-.", ":")[i]
        mean = losses[:, i].mean(1)
        ax.plot(mean, style, color=f"C{i}", label=f"b = {b:g}")
    ax.set_yscale("log")
    ax.set_xlabel("step")
    ax.set_ylabel("training loss")
    ax.legend()
    return fig


if __name__ == "__main__":
    plot_biases()
    plt.show()
# --8<-- [end:plot_biases]
