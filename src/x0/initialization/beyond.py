"""A new head on old features: its scale sets how hard it pulls on them.

E|dloss/dh|^2 = n v (1 - 1/C) for small v; a head of zero starts at ln C

Kumar et al. (2022) show that a random head distorts the features.
"""

# --8<-- [start:imports]
import functools
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from torch import Tensor, nn

SEED = 0
WIDTH, CLASSES, HEADS, RATE, STEPS = 32, 5, 40, 0.1, 20
STDS = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)
# --8<-- [end:imports]


# --8<-- [start:transfer]
def zero_head_(head: nn.Linear) -> nn.Linear:
    """Set a new head to zero in place: all classes start equally likely.

    Raises:
        ValueError: the weight has no numbers, or is made from others.

    >>> zero_head_(nn.Linear(3, 2)).weight.tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    own = dict(head.named_parameters(recurse=False)).get("weight")
    # weight_norm, pruning
    if own is None or nn.parameter.is_lazy(own) or own.is_meta:
        raise ValueError(f"No weight to set. Received: {head}")
    nn.init.zeros_(own)
    if head.bias is not None:
        nn.init.zeros_(head.bias)
    return head


class LowRankLinear(nn.Module):
    """A frozen linear layer plus B A of low rank, with B = 0 at the start.

    Args:
        base: the pre-trained layer; its parameters are frozen.
        rank: the rank of the update.
        generator: source of randomness for A.

    Raises:
        ValueError: rank is not positive.
    """

    def __init__(
        self,
        base: nn.Linear,
        rank: int,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if rank < 1:
            raise ValueError(f"Expected a positive rank. Received: {rank=}")
        self.base = base.requires_grad_(False)
        m, n = base.in_features, base.out_features
        draw = torch.randn(rank, m, generator=generator)
        self.a = nn.Parameter(draw / math.sqrt(m))
        self.b = nn.Parameter(torch.zeros(n, rank))

    def forward(self, x: Tensor) -> Tensor:
        """Return base(x) + B A x."""
        result: Tensor = self.base(x)
        update = x.to(self.a.dtype) @ self.a.T @ self.b.T
        return result + update.to(result.dtype)


# --8<-- [end:transfer]


# --8<-- [start:measure]
def digits_from(low: int, high: int) -> tuple[Tensor, Tensor]:
    """Return images and labels of the digits low … high - 1, from 0."""
    x, y = load_digits(return_X_y=True)
    keep = (y >= low) & (y < high)
    return torch.tensor(x[keep] / 16).float(), torch.tensor(y[keep] - low)


@functools.cache
def pretrained_features() -> nn.Linear:
    """Return the layer 64-32 of a network trained on the digits 0 to 4."""
    generator = torch.Generator().manual_seed(SEED)
    features, head = nn.Linear(64, WIDTH), nn.Linear(WIDTH, 5)
    for layer in (features, head):
        nn.init.kaiming_normal_(layer.weight, generator=generator)
        nn.init.zeros_(layer.bias)
    model = nn.Sequential(features, nn.ReLU(), head)
    x, y = digits_from(0, 5)
    optimizer = torch.optim.SGD(model.parameters(), 0.2, 0.9)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    return features.requires_grad_(False)


@functools.cache
def fine_tune_heads() -> dict[str, NDArray[np.float64]]:
    """Put new heads on the features and fine-tune all of it on 5 to 9.

    Returns:
        Arrays of shape (STDS, HEADS): the first loss, the mean over samples
        of |dloss/dh|^2 at the start, how far the features have moved after
        STEPS steps relative to their length, and the last loss.
    """
    generator = torch.Generator().manual_seed(SEED)
    x, y = digits_from(CLASSES, 10)
    x, y = x[:300], y[:300]
    base, count = pretrained_features(), len(STDS) * HEADS
    std = torch.tensor(STDS).repeat_interleave(HEADS)[:, None, None]
    draw = torch.randn(HEADS, WIDTH, CLASSES, generator=generator)
    head = (draw.repeat(len(STDS), 1, 1) * std).requires_grad_()
    weight = base.weight.T.repeat(count, 1, 1).requires_grad_()
    bias = base.bias.repeat(count, 1, 1).requires_grad_()
    optimizer = torch.optim.SGD([weight, bias, head], RATE)
    labels = y.expand(count, -1)[..., None]
    start, first, pull = torch.empty(0), torch.empty(0), torch.empty(0)
    for step in range(STEPS + 1):
        h = torch.baddbmm(bias, x.expand(count, -1, -1), weight).relu()
        log_p = torch.bmm(h, head).log_softmax(-1)
        loss = -log_p.gather(-1, labels).mean((1, 2))
        if step == 0:
            start, first = h.detach(), loss.detach()
            (gradient,) = torch.autograd.grad(
                loss.sum() * len(x), h, retain_graph=True
            )
            pull = gradient.square().sum(-1).mean(-1)
        if step < STEPS:
            optimizer.zero_grad()
            loss.sum().backward()
            optimizer.step()
    moved = (h.detach() - start).flatten(1).norm(dim=1) / start[0].norm()
    found = {"first": first, "pull": pull, "moved": moved, "last": loss}
    shape = (len(STDS), HEADS)
    return {
        k: v.detach().double().numpy().reshape(shape) for k, v in found.items()
    }


def predicted_start(
    std: NDArray[np.float64],
) -> tuple[NDArray[np.float64], ...]:
    """Return the first loss and |dloss/dh|^2 for heads of small std."""
    h = pretrained_features()(digits_from(CLASSES, 10)[0][:300]).relu()
    length = float(h.square().sum(1).mean())
    share = 1 - 1 / CLASSES
    square = np.square(std)
    loss = math.log(CLASSES) + share / 2 * length * square
    return loss, share * WIDTH * square


# --8<-- [end:measure]


if __name__ == "__main__":
    # --8<-- [start:demo]
    found = fine_tune_heads()
    table = {
        std: {
            name: (x[i].mean(), x[i].std(ddof=1) / math.sqrt(HEADS))
            for name, x in found.items()
        }
        for i, std in enumerate(STDS)
    }
    generator = torch.Generator().manual_seed(SEED)
    base, (images, y) = pretrained_features(), digits_from(CLASSES, 10)
    head = zero_head_(nn.Linear(WIDTH, CLASSES))
    flat = nn.functional.cross_entropy(head(base(images).relu()), y)
    print(f"zero head at step 0: loss {flat:.4f}, ln 5 {math.log(5):.4f}")
    lora = LowRankLinear(base, rank=2, generator=generator)
    change = (lora(images) - base(images)).abs().max().item()
    loss = nn.functional.cross_entropy(lora(images), y)
    gradients = torch.autograd.grad(loss, [lora.a, lora.b])
    norm_a, norm_b = (gradient.norm() for gradient in gradients)
    print(f"LoRA at step 0: output changes by {change:g}", end="")
    print(f", gradient of A {norm_a:g}")
    # --8<-- [end:demo]


# --8<-- [start:plot_heads]
def plot_heads() -> Figure:
    """Draw first loss and pull on the features against the head's scale."""
    size = (5.6, 5.4)
    fig, axes = plt.subplots(2, sharex=True, figsize=size, layout="constrained")
    found, std = fine_tune_heads(), np.array(STDS[1:])
    fine = np.geomspace(0.008, 1.2, 60)
    loss, pull = predicted_start(fine)
    axes[0].plot(fine, loss, ls="--", lw=1, color="black", label="predicted")
    axes[0].plot(
        std, found["first"][1:].mean(1), "o", color="C0", label="measured"
    )
    axes[0].axhline(math.log(CLASSES), lw=1, ls=":", color="0.5", label="ln 5")
    axes[0].set(ylabel="first loss", ylim=(1.4, 5))
    root = np.sqrt(found["pull"][1:].mean(1))
    axes[1].plot(fine, np.sqrt(pull), ls="--", lw=1, color="black")
    axes[1].plot(std, root, "o", color="C0")
    axes[1].set(ylabel="gradient in the features", yscale="log", xscale="log")
    axes[1].set_xlabel("standard deviation of the new head")
    axes[0].legend()
    return fig


if __name__ == "__main__":
    plot_heads()
    plt.show()
# --8<-- [end:plot_heads]
