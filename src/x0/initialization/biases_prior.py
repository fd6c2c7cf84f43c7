"""An output bias at the prior removes the first drop of the loss.

b = ln(r / (1 - r)): with small last weights the loss starts near the entropy.

Lin et al. (2017), "Focal Loss for Dense Object Detection".
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
STEPS, SEEDS = 100, 20
RATE, MOMENTUM = 0.05, 0.9
# --8<-- [end:imports]


# --8<-- [start:train]
def rare_digits() -> tuple[Tensor, Tensor, float]:
    """Return centered digits, whether each is one of 15 eights, the rate.

    >>> x, y, rate = rare_digits()
    >>> x.shape[1], int(y.sum()), round(rate, 3)
    (64, 15, 0.02)
    """
    data = load_digits()
    x = torch.tensor(data.data, dtype=torch.float32) / 16
    y = torch.tensor(data.target == 8)
    eights = y.nonzero()[:15, 0]
    keep = torch.cat([(~y).nonzero()[:735, 0], eights])
    x, y = x[keep], y[keep].float()
    x = (x - x.mean(0)) / x.std(0).clamp(min=0.1)
    return x, y, float(y.mean())


@functools.cache
def losses(prior: bool) -> Tensor:
    """Train ReLU networks from several seeds at once, one hidden layer.

    Returns:
        Training loss before each step, shape (STEPS, SEEDS).
    """
    x, y, rate = rare_digits()
    generator = torch.Generator().manual_seed(SEED)
    shapes = ((64, 32), (32, 1))
    parameters = []
    for fan_in, fan_out in shapes:
        w = torch.randn(SEEDS, fan_in, fan_out, generator=generator)
        small = 0.1 if fan_out == 1 else 1.0
        parameters += [w * small * math.sqrt(2 / fan_in)]
        parameters += [torch.zeros(SEEDS, 1, fan_out)]
    if prior:
        parameters[-1] += math.log(rate / (1 - rate))
    velocity = [torch.zeros_like(p) for p in parameters]
    history = []
    for _ in range(STEPS):
        for p in parameters:
            p.requires_grad_()
        w1, b1, w2, b2 = parameters
        logits = ((x @ w1 + b1).relu() @ w2 + b2)[..., 0]
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            logits, y.expand(SEEDS, -1), reduction="none"
        ).mean(1)
        history.append(loss.detach())
        gradients = torch.autograd.grad(loss.sum(), parameters)
        with torch.no_grad():
            velocity = [
                MOMENTUM * v + g
                for v, g in zip(velocity, gradients, strict=True)
            ]
            pairs = zip(parameters, velocity, strict=True)
            parameters = [p - RATE * v for p, v in pairs]
    return torch.stack(history)


# --8<-- [end:train]


if __name__ == "__main__":
    # --8<-- [start:demo]
    _, _, rate = rare_digits()
    entropy = -rate * math.log(rate) - (1 - rate) * math.log(1 - rate)
    mean = {"zero": losses(False).mean(1), "prior": losses(True).mean(1)}
    half = {
        bias: (losses(bias == "prior") < entropy / 2).int().argmax(0).float()
        for bias in mean
    }
    steps = {
        bias: (x.mean(), x.std() / math.sqrt(SEEDS)) for bias, x in half.items()
    }
    later = half["prior"] - half["zero"]
    delay = later.mean(), later.std() / math.sqrt(SEEDS)
    print(f"entropy of the labels {entropy:.3f}")
    print("bias    loss at step 0   steps to half of the entropy")
    for bias, loss in mean.items():
        print(f"{bias:<8}{loss[0]:10.2f}{steps[bias][0]:14.0f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_loss]
def plot_loss() -> Figure:
    """Draw the training loss with and without the prior."""
    fig, ax = plt.subplots(figsize=(5.6, 3.2), layout="constrained")
    names = ("bias 0", "bias at the prior")
    for i, prior in enumerate((False, True)):
        curves = losses(prior)
        ax.plot(curves.mean(1), ("-", "-.")[i], color=f"C{i}", label=names[i])
        low, high = curves.min(1).values, curves.max(1).values
        ax.fill_between(range(STEPS), low, high, color=f"C{i}", alpha=0.2)
    rate = rare_digits()[2]
    entropy = -rate * math.log(rate) - (1 - rate) * math.log(1 - rate)
    for level in (math.log(2), entropy):
        label = "predicted" if level == entropy else None
        ax.axhline(level, ls="--", lw=1, color="black", label=label)
    ax.set_yscale("log")
    ax.set_xlabel("step")
    ax.set_ylabel("training loss", labelpad=8)
    ax.legend()
    return fig


if __name__ == "__main__":
    plot_loss()
    plt.show()
# --8<-- [end:plot_loss]
