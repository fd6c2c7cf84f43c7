"""The gradient of a mini-batch is unbiased; its variance falls like 1 / B.

Var = Sigma / B with replacement, (N - B) / (N - 1) Sigma / B without.
"""

# --8<-- [start:imports]
import functools
import math

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

SEED = 0
BATCHES = (1, 4, 16, 64, 256, 1024, 1600)
DRAWS = 400
# --8<-- [end:imports]


# --8<-- [start:gradients]
def row_gradients(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Return the gradient of each row's loss, shape (rows, parameters).

    The model maps inputs, shape (rows, features), to logits; y holds classes.

    Raises:
        ValueError: torch.func cannot run the model on single rows, as with
            BatchNorm or dropout in training mode, checkpoints or buffers
            that change; it has no parameters (or lazy ones); x is empty.
    """
    plain = dict(model.named_parameters())
    if (
        not len(x)
        or not plain
        or any(nn.parameter.is_lazy(p) for p in plain.values())
    ):
        raise ValueError(f"Nothing to do. Received: {type(model)}, {len(x)}")
    parameters = {k: p.detach() for k, p in plain.items()}
    buffers = {k: b.clone() for k, b in model.named_buffers()}

    def loss(p: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
        return nn.functional.cross_entropy(
            functional_call(model, p | buffers, x), y
        )

    try:
        found = vmap(grad(loss), in_dims=(None, 0, 0))(parameters, x, y)
    except (RuntimeError, ValueError) as error:
        raise ValueError(f"Row by row? Received: {type(model)}") from error
    return torch.cat([g.reshape(len(x), -1) for g in found.values()], 1)


# --8<-- [end:gradients]


# --8<-- [start:draws]
def batch_counts(
    rows: int, batch: int, replace: bool, generator: torch.Generator
) -> Tensor:
    """Return how often each of N rows was drawn, shape (DRAWS, rows).

    With replace a row may be drawn twice into one batch.

    Raises:
        ValueError: more rows are drawn than there are.
    """
    if not replace and batch > rows:
        raise ValueError(f"Expected batch <= {rows}. Received: {batch=}")
    if replace:
        drawn = torch.randint(rows, (DRAWS, batch), generator=generator)
    else:
        keys = torch.rand(DRAWS, rows, generator=generator)
        drawn = keys.topk(batch).indices
    counts = torch.zeros(DRAWS, rows)
    return counts.scatter_add_(1, drawn, torch.ones(DRAWS, batch))


# --8<-- [end:draws]


# --8<-- [start:digits]
@functools.cache
def digit_gradients() -> Tensor:
    """Return the row gradients of a small network, before training."""
    generator = torch.Generator().manual_seed(SEED)
    data = load_digits()
    x = torch.tensor(data.data, dtype=torch.float32) / 16
    y = torch.tensor(data.target)
    layers = nn.Linear(64, 16), nn.Linear(16, 10)
    for layer in layers:
        nn.init.kaiming_normal_(layer.weight, generator=generator)
        nn.init.zeros_(layer.bias)
    model = nn.Sequential(layers[0], nn.ReLU(), layers[1])
    return row_gradients(model, x, y)


@functools.cache
def measured_noise() -> tuple[float, dict[bool, Tensor]]:
    """Return tr Sigma, and the mean and error of the noise by batch size."""
    generator = torch.Generator().manual_seed(SEED)
    g = digit_gradients()
    centered = g - g.mean(0)
    products = centered @ centered.T
    total = float(products.diagonal().mean())
    found = {}
    for replace in (True, False):
        lines = []
        for batch in BATCHES:
            counts = batch_counts(len(g), batch, replace, generator)
            noise = (counts @ products * counts).sum(1) / batch**2
            error = noise.std() / math.sqrt(DRAWS)
            lines.append(torch.stack([noise.mean(), error]))
        found[replace] = torch.stack(lines)
    return total, found


# --8<-- [end:digits]


if __name__ == "__main__":
    # --8<-- [start:demo]
    total, found = measured_noise()
    rows = len(digit_gradients())
    ratio, finite = {}, {}
    print("B noise / tr(Sigma)        with   without   (N - B) / (N - 1)")
    for i, batch in enumerate(BATCHES):
        for name, replace in (("with", True), ("without", False)):
            ratio[name, batch] = (batch * found[replace][i] / total).tolist()
        finite[batch] = (rows - batch) / (rows - 1)
        print(f"batch {batch:<13d}{ratio['with', batch][0]:12.2f}", end="")
        print(f"{ratio['without', batch][0]:10.2f}{finite[batch]:20.2f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_variance]
def plot_variance() -> Figure:
    """Draw the noise of the gradient against the batch size."""
    total, found = measured_noise()
    rows = len(digit_gradients())
    fig, ax = plt.subplots(figsize=(5.2, 3.4))
    fig.set_layout_engine("constrained", rect=(0, 0, 0.98, 1))
    b = torch.logspace(0, math.log10(1780), 80, dtype=torch.float64)
    ax.plot(b, 1 / b, "k--", lw=1, label="predicted")
    ax.plot(b, (rows - b) / (rows - 1) / b, "k--", lw=1)
    for replace, name in ((True, "with"), (False, "without")):
        y = found[replace][:, 0] / total
        marker = "o" if replace else "s"
        label = f"{name} replacement"
        ax.plot(BATCHES, y, marker, color=f"C{1 - replace}", label=label)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("batch size B")
    ax.set_ylabel("noise / noise of one row")
    ax.legend()
    return fig


if __name__ == "__main__":
    plot_variance()
    plt.show()
# --8<-- [end:plot_variance]
