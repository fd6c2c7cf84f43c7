"""A logistic network loses its gradient, but not with ten times LeCun's std.

q E[phi'^2] / E[phi^2] goes from q / 4 to sqrt(q) / (3 sqrt(2 pi)) as q grows.
"""

# --8<-- [start:imports]
import functools
import itertools
import math

import numpy as np
import torch
from sklearn.datasets import load_digits

SEED = 0
SEEDS, DEPTH, WIDTH, BATCH, STEPS, MOMENTUM = 3, 10, 48, 32, 700, 0.9
SCALES = (1.0, 16.0, 103.0)
RATES = (0.01, 0.03, 0.1, 0.3, 1.0)
# --8<-- [end:imports]


# --8<-- [start:settle]
def settled_factor(n_v: float, q: float = 1.0) -> tuple[float, float]:
    """Return the fixed point of q and the factor of the gradients there.

    Infinite width, logistic function, zero biases. At the fixed point one
    factor, n v E[phi'^2] = q E[phi'^2] / E[phi^2], belongs to both gradients.

    Args:
        n_v: Width times variance of the weights; up to 1e5, where the grid
            is fine enough.
        q: Where the iteration starts.

    Raises:
        ValueError: n_v or q is not positive and finite.

    >>> [round(x, 3) for x in settled_factor(1.0)]
    [0.265, 0.056]
    """
    if not (0 < n_v < math.inf and 0 < q < math.inf):
        raise ValueError(f"Expected n_v, q > 0. Received: {n_v=}, {q=}")
    x = np.linspace(-9, 9, 8000)
    weight = np.exp(-(x**2) / 2)
    weight /= weight.sum()
    last = 0.0
    while abs(q - last) > 1e-12 * q:
        last, h = q, 0.5 + 0.5 * np.tanh(math.sqrt(q) / 2 * x)
        q = n_v * float(weight @ h**2)
    return q, n_v * float(weight @ (h - h**2) ** 2)


def balanced_scale() -> float:
    """Return the n v at which the factor is 1, by bisection.

    >>> round(balanced_scale())
    103
    """
    low, high = 1.0, 1000.0
    for _ in range(40):
        middle = math.sqrt(low * high)
        if settled_factor(middle)[1] < 1:
            low = middle
        else:
            high = middle
    return low


# --8<-- [end:settle]


# --8<-- [start:train]
@functools.cache
def train_scales() -> tuple[np.ndarray, np.ndarray]:
    """Train logistic networks on the digits, all at once.

    Returns:
        Mean loss of the last 50 steps and accuracy on the 360 images kept
        apart, shape (SCALES, RATES, SEEDS).
    """
    generator = torch.Generator().manual_seed(SEED)
    images, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(images, dtype=torch.float32), torch.tensor(labels)
    x = (x - x[:-360].mean(0)) / x[:-360].std(0).clamp(min=1e-6)
    shape = (len(SCALES), len(RATES), SEEDS)
    rate = torch.tensor(RATES).view(1, -1, 1).expand(shape).reshape(-1, 1, 1)
    std = torch.tensor(SCALES).view(-1, 1, 1).expand(shape).reshape(-1, 1, 1)
    std = std.sqrt()
    parameters = []
    widths = [64] + [WIDTH] * (DEPTH - 1) + [10]
    for m, n in itertools.pairwise(widths):
        draw = torch.randn(SEEDS, m, n, generator=generator) / math.sqrt(m)
        parameters += [std * draw.repeat(len(std) // SEEDS, 1, 1)]
        parameters += [torch.zeros(len(std), 1, n)]
    parameters = [p.requires_grad_() for p in parameters]
    speed = [torch.zeros_like(p) for p in parameters]

    def log_p(h: torch.Tensor) -> torch.Tensor:
        for layer in range(DEPTH):
            weight, bias = parameters[2 * layer : 2 * layer + 2]
            h = torch.baddbmm(bias, h.sigmoid() if layer else h, weight)
        return h.log_softmax(-1)

    history = []
    for _ in range(STEPS):
        rows = torch.randint(len(x) - 360, (BATCH,), generator=generator)
        guess = log_p(x[rows].expand(len(std), -1, -1))
        loss = -guess[:, range(BATCH), y[rows]].mean(1)
        gradients = torch.autograd.grad(loss.sum(), parameters)
        with torch.no_grad():
            for p, s, g in zip(parameters, speed, gradients, strict=True):
                s.mul_(MOMENTUM).add_(g)
                p -= rate * s
        history.append(loss.detach())
    with torch.no_grad():
        guess = log_p(x[-360:].expand(len(std), -1, -1)).argmax(-1)
    right = (guess == y[-360:]).double().mean(1)
    last = torch.stack(history[-50:]).double().mean(0).nan_to_num(math.inf)
    return last.view(shape).numpy(), right.view(shape).numpy()


# --8<-- [end:train]


if __name__ == "__main__":
    # --8<-- [start:demo]
    scale = balanced_scale()
    balanced_q, _ = settled_factor(scale)
    gain = math.sqrt(scale)
    loss, right = train_scales()
    factor, rate, accuracy, final = {}, {}, {}, {}
    for n_v, losses, share in zip(SCALES, loss, right, strict=True):
        best = losses.mean(1).argmin()
        factor[n_v], rate[n_v] = settled_factor(n_v)[1], RATES[best]
        final[n_v], accuracy[n_v] = losses[best].mean(), share[best].mean()
    # --8<-- [end:demo]
