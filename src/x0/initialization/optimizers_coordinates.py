"""Coordinate check of muP under SGD: no layer's change depends on the width.

                  input weights, biases   hidden     output
variance          1 / fan_in              1/fan_in   1 / fan_in^2
rate              n                       1          1 / n

With the factor 1 / n behind the output instead, the output has variance 1 and
the rate n: the same network, step for step.

Yang et al. (2022), Tensor Programs V, tables 3 and 8.
"""

# --8<-- [start:imports]
import functools
from typing import NamedTuple

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch.nn.functional import cross_entropy

SEED = 0
WIDTHS = (64, 128, 256, 512, 1024)
SEEDS, BATCH, RATE, STEPS = 10, 16, 0.01, 4
# --8<-- [end:imports]


# --8<-- [start:check]
class Rule(NamedTuple):
    """Powers of the width, relative to WIDTHS[0]."""

    first: int = 0  # rate of input weights and biases
    hidden: int = 0  # rate of hidden weights
    output: int = 0  # rate of output weights
    start: float = -0.5  # standard deviation of output weights
    factor: int = 0  # that multiplies the logits


RULES = {
    "standard": Rule(),
    "muP": Rule(first=1, output=-1, start=-1),
    "muP's start, one rate": Rule(start=-1),
}


@functools.cache
def pooled_digits() -> tuple[Tensor, Tensor]:
    """Return 16 standardized inputs per digit, and the classes."""
    digits = load_digits()
    x = torch.from_numpy(digits.data).float().reshape(-1, 4, 2, 4, 2)
    x = x.mean((2, 4)).reshape(-1, 16)
    return (x - x.mean()) / x.std(), torch.from_numpy(digits.target)


def layer_changes(rule: Rule, width: int) -> Tensor:
    """Return how far SGD moves both pre-activations and the logits.

    The networks are x -> tanh(U x + a) -> tanh(W h + b) -> V h, with weights
    of variance 1 / fan_in if the rule does not say otherwise, and biases of 0.

    Args:
        rule: how rates and output depend on the width.
        width: number of units in both hidden layers, at least 1.

    Returns:
        Root mean squares after 1 to STEPS steps on one batch, shape
        (STEPS, 3, SEEDS).
    """
    generator = torch.Generator().manual_seed(SEED + width)
    inputs, classes = pooled_digits()
    order = torch.rand(SEEDS, len(inputs), generator=generator).argsort(1)
    x, y = inputs[order[:, :BATCH]], classes[order[:, :BATCH]]

    def normal(fan_in: int, fan_out: int, std: float) -> Tensor:
        w = torch.randn(SEEDS, fan_in, fan_out, generator=generator)
        return (std * w).requires_grad_()

    m = width / WIDTHS[0]
    u, w = normal(16, width, 16**-0.5), normal(width, width, width**-0.5)
    v = normal(width, 10, WIDTHS[0] ** -0.5 * m**rule.start)
    a, b = normal(1, width, 0), normal(1, width, 0)
    rates = {u: rule.first, a: rule.first, b: rule.first}
    rates |= {w: rule.hidden, v: rule.output}

    def forward() -> list[Tensor]:
        first = x @ u + a
        second = first.tanh() @ w + b
        return [first, second, m**rule.factor * second.tanh() @ v]

    z = forward()
    before, moved = [h.detach() for h in z], []
    for _ in range(STEPS):
        logits = z[2].flatten(0, 1)
        loss = cross_entropy(logits, y.flatten(), reduction="sum") / BATCH
        gradients = torch.autograd.grad(loss, list(rates))
        with torch.no_grad():
            for (p, power), g in zip(rates.items(), gradients, strict=True):
                p.sub_(g, alpha=RATE * m**power)
        z = forward()
        moved += [
            (h.detach() - start).square().mean((1, 2)).sqrt()
            for h, start in zip(z, before, strict=True)
        ]
    found: Tensor = torch.stack(moved).unflatten(0, (STEPS, 3))
    return found


@functools.cache
def changes_by_width(name: str) -> Tensor:
    """Return layer_changes by width, shape (WIDTHS, STEPS, 3, SEEDS)."""
    return torch.stack([layer_changes(RULES[name], n) for n in WIDTHS])


def layer_slopes(name: str, step: int) -> list[tuple[float, float]]:
    """Return each layer's slope in log-log coordinates, mean and error."""
    moved = changes_by_width(name)[:, step - 1].log().numpy()
    x = np.log(WIDTHS) - np.log(WIDTHS).mean()
    found = np.tensordot(x, moved, 1) / (x @ x)
    errors = found.std(1, ddof=1) / SEEDS**0.5
    return list(zip(found.mean(1), errors, strict=True))


# --8<-- [end:check]


if __name__ == "__main__":
    # --8<-- [start:demo]
    layers = ["layer 1", "layer 2", "logits"]
    slope = {}
    for name in RULES:
        for step in (1, STEPS):
            found = layer_slopes(name, step)
            slope[name, step] = dict(zip(layers, found, strict=True))
        print(f"{name:22}", *(f"{round(m, 1) + 0:5.1f}" for m, _ in found))
    # --8<-- [end:demo]
