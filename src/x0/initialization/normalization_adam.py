"""Under Adam the initial scale of a normalized weight is a learning rate too.

a w with the rate a * lr trains like w with lr; under SGD it is a^2 * lr

Digits, two hidden layers with batch normalization.
"""

# --8<-- [start:imports]
import functools
import math

import torch
from sklearn.datasets import load_digits
from torch import Tensor

SEED = 0
SCALES = (0.1, 1.0, 10.0)
LR, STEPS, WIDTH, BATCH, REPEATS = 0.003, 80, 24, 96, 20
# --8<-- [end:imports]


# --8<-- [start:train]
@functools.cache
def adam_losses(power: int) -> Tensor:
    """Train batch-normalized networks by Adam, from weights a * w.

    Args:
        power: the hidden layers learn with LR * a ** power.

    Returns:
        Loss by step, shape (STEPS, scales, REPEATS).
    """
    generator = torch.Generator().manual_seed(SEED)
    digits = load_digits()
    x = torch.tensor(digits.data / 8 - 1).float()
    y = torch.tensor(digits.target)
    a = torch.tensor(SCALES).repeat_interleave(REPEATS)[:, None, None]
    params = []
    for i, (n, m) in enumerate(((64, WIDTH), (WIDTH, WIDTH), (WIDTH, 10))):
        w = torch.randn(REPEATS, n, m, generator=generator) / math.sqrt(n)
        w = w.repeat(len(SCALES), 1, 1)
        params.append((w * a if i < 2 else w).requires_grad_())
    rates = [LR * a**power, LR * a**power, torch.full_like(a, LR)]
    first = [torch.zeros_like(w) for w in params]
    second = [torch.zeros_like(w) for w in params]
    losses = []
    for step in range(1, STEPS + 1):
        index = torch.randint(len(x), (BATCH,), generator=generator)
        h = x[index].expand(len(a), -1, -1)
        for w in params[:2]:
            z = h @ w
            z = z - z.mean(1, keepdim=True)
            h = (z / z.square().mean(1, keepdim=True).sqrt()).relu()
        log_p = (h @ params[2]).log_softmax(2)
        loss = -log_p[:, range(BATCH), y[index]].mean(1)
        gradients = torch.autograd.grad(loss.sum(), params)
        with torch.no_grad():
            for i, g in enumerate(gradients):
                first[i] = 0.9 * first[i] + 0.1 * g
                second[i] = 0.999 * second[i] + 0.001 * g**2
                size = (second[i] / (1 - 0.999**step)).sqrt() + 1e-8
                params[i] -= rates[i] * first[i] / (1 - 0.9**step) / size
        losses.append(loss.detach())
    return torch.stack(losses).reshape(STEPS, len(SCALES), REPEATS)


# --8<-- [end:train]


if __name__ == "__main__":
    # --8<-- [start:demo]
    losses = {}
    print("scale a   loss, lr   loss, a lr   loss, a² lr")
    for i, a in enumerate(SCALES):
        for power in (0, 1, 2):
            end = adam_losses(power)[-20:, i].mean(0)
            losses[power, a] = end.mean(), end.std() / math.sqrt(REPEATS)
        plain, one, two = (losses[power, a][0] for power in (0, 1, 2))
        print(f"{a:<10g}{plain:8.1f}{one:13.1f}{two:14.1f}")
    # --8<-- [end:demo]
