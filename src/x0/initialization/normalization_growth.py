"""With normalization the initial scale of a weight sets its learning rate.

|w_{t+1}|^2 = |w_t|^2 + lr^2 |g_t|^2, effective learning rate lr / |w|^2

van Laarhoven (2017), "L2 Regularization versus Batch and Weight
Normalization".
"""

# --8<-- [start:imports]
import functools
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from torch import Tensor

SEED = 0
SCALES = (0.1, 0.3, 1.0, 3.0, 10.0)
LR, STEPS, WIDTH, BATCH, REPEATS = 0.3, 210, 24, 96, 20
# --8<-- [end:imports]


# --8<-- [start:train]
def normalize(z: Tensor, dim: int) -> Tensor:
    """Return z with mean 0 and variance 1 along a dimension.

    Args:
        z: real, shape (m, n, ...).
        dim: 0 or 1.

    >>> normalize(torch.tensor([[1.0, 3.0]]), 1)
    tensor([[-1.,  1.]])
    """
    centered = z - z.mean(dim, keepdim=True)
    return centered / centered.square().mean(dim, keepdim=True).sqrt()


@functools.cache
def train_scaled(power: float) -> dict[str, Tensor]:
    """Train batch-normalized networks on digits from scaled weights.

    Two hidden layers of weights a * w with a in SCALES and one w per repeat;
    the last layer is not scaled. All networks train as one batch, by SGD.

    Args:
        power: hidden layers learn with LR * a ** power; 0 is plain SGD.

    Returns:
        loss: shape (STEPS, scales, repeats); norm: |w|^2 of the first layer,
        (STEPS, scales, repeats); predicted: |w_0|^2 + sum of lr^2 |g|^2.

    >>> bool(train_scaled(2)["loss"][-1].max() < 1)
    True
    """
    generator = torch.Generator().manual_seed(SEED)
    digits = load_digits()
    x = torch.tensor(digits.data / 8 - 1)
    y = torch.tensor(digits.target)
    a = torch.tensor(SCALES).double().repeat_interleave(REPEATS)[:, None, None]
    params = []
    for i, (n, m) in enumerate(((64, WIDTH), (WIDTH, WIDTH), (WIDTH, 10))):
        w = torch.randn(REPEATS, n, m, generator=generator).double()
        w = w.repeat(len(SCALES), 1, 1) / math.sqrt(n)
        params.append((w * a if i < 2 else w).requires_grad_())
    rates = [LR * a**power, LR * a**power, torch.full_like(a, LR)]
    first = params[0].detach()
    norms = [first.square().sum((1, 2))]
    predicted, losses = [norms[0]], []
    for _ in range(STEPS):
        index = torch.randint(len(x), (BATCH,), generator=generator)
        h = x[index].expand(len(first), -1, -1)
        for w in params[:2]:
            h = normalize(h @ w, 1).relu()
        log_p = (h @ params[2]).log_softmax(2)
        loss = -log_p[:, range(BATCH), y[index]].mean(1)
        found = torch.autograd.grad(loss.sum(), params)
        with torch.no_grad():
            for w, g, rate in zip(params, found, rates, strict=True):
                w -= rate * g
            growth = (rates[0] * found[0]).square().sum((1, 2))
            norms.append(params[0].square().sum((1, 2)).clone())
        predicted.append(predicted[-1] + growth)
        losses.append(loss.detach())
    shape = (-1, len(SCALES), REPEATS)
    return {
        "loss": torch.stack(losses).reshape(shape),
        "norm": torch.stack(norms[:-1]).reshape(shape),
        "predicted": torch.stack(predicted[:-1]).reshape(shape),
    }


# --8<-- [end:train]


if __name__ == "__main__":
    # --8<-- [start:demo]
    norm = train_scaled(0)["norm"]
    growth = (norm[-1] / norm[0]).mean(1)
    losses = {}
    print("scale   loss, lr   loss, lr * scale^2   |w|^2 grew by")
    for i, scale in enumerate(SCALES):
        for power in (0, 2):
            loss = train_scaled(power)["loss"][-30:, i].mean(0)
            losses[power, scale] = loss.mean(), loss.std() / math.sqrt(REPEATS)
        plain, scaled = losses[0, scale][0], losses[2, scale][0]
        print(f"{scale:<6g}{plain:10.2f}{scaled:16.2f}{growth[i]:18.1f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_training]
def plot_training() -> Figure:
    """Draw loss and weight norm for five initial scales."""
    size = (5.6, 5.4)
    fig, axes = plt.subplots(2, sharex=True, figsize=size, layout="constrained")
    run, steps = train_scaled(0), np.arange(STEPS)
    blocks = steps.reshape(-1, 15).mean(1)
    for i, scale in enumerate(SCALES):
        loss = run["loss"][:, i].mean(1).reshape(-1, 15).mean(1)
        marker = "os^Dv"[i] + "-"
        axes[0].plot(blocks, loss, marker, ms=3.5, lw=1, label=f"a = {scale:g}")
        norm = run["norm"][:, i].mean(1)
        theory = run["predicted"][:, i].mean(1)
        axes[1].plot(steps, theory, ls="--", lw=1, color=f"C{i}")
        axes[1].plot(steps[7::15], norm[7::15], "os^Dv"[i], color=f"C{i}", ms=4)
    axes[0].set_yscale("log")
    axes[0].set_ylabel("training loss")
    axes[0].legend(ncols=2, fontsize="small")
    axes[1].set_yscale("log")
    axes[1].set_ylabel("|w|² of the first layer")
    axes[1].set_xlabel("step")
    return fig


if __name__ == "__main__":
    plot_training()
    plt.show()
# --8<-- [end:plot_training]
