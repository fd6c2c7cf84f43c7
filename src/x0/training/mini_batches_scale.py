"""Noise and curvature along a training run predict the critical batch size.

B* = tr(H Sigma) / (g^T H g), at the current parameters

McCandlish et al. (2018).
"""

# --8<-- [start:imports]
import math

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

SEED = 0
Point = tuple[Tensor, ...]
STEPS, EVERY, ROWS, BATCH, RATE = 60, 4, 60, 256, 0.7
# --8<-- [end:imports]


# --8<-- [start:scale]
def noise_scales(
    model: nn.Module, x: Tensor, y: Tensor, some: Tensor
) -> tuple[float, float]:
    """Return tr(Sigma) / |g|^2 and tr(H Sigma) / (g^T H g) of a classifier.

    Args:
        model: maps inputs to logits.
        x: inputs, shape (N, features).
        y: classes, shape (N,).
        some: numbers of the rows that Sigma is estimated from.

    Raises:
        ValueError: some is empty.
    """
    if not len(some):
        raise ValueError(f"Expected row numbers. Received: {some=}")
    names = [name for name, _ in model.named_parameters()]
    point = tuple(p.detach() for p in model.parameters())

    def inner(a: Point, b: Point) -> Tensor:
        pairs = zip(a, b, strict=True)
        return torch.stack([(s * t).sum() for s, t in pairs]).sum()

    def loss(p: Point, x: Tensor, y: Tensor) -> Tensor:
        logits = functional_call(model, dict(zip(names, p, strict=True)), x)
        return nn.functional.cross_entropy(logits, y)

    def curvature(v: Point) -> Tensor:
        """Return v^T H v, from two passes backward."""

        def slope(p: Point) -> Tensor:
            return inner(grad(loss)(p, x, y), v)

        return inner(grad(slope)(point), v)

    g = grad(loss)(point, x, y)
    rows = vmap(grad(loss), in_dims=(None, 0, 0))(point, x[some], y[some])
    noise = tuple(a - b for a, b in zip(rows, g, strict=True))
    plain = sum(float((a**2).sum()) for a in noise) / len(some)
    squared = sum(float((b**2).sum()) for b in g)
    bent = float(vmap(curvature)(noise).mean()) / float(curvature(g))
    return plain / squared, bent


# --8<-- [end:scale]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print both noise scales along a run on the digits."""
    generator = torch.Generator().manual_seed(SEED)
    data = load_digits()
    x = torch.tensor(data.data, dtype=torch.float32) / 16
    y = torch.tensor(data.target)
    layers = nn.Linear(64, 16), nn.Linear(16, 10)
    for layer in layers:
        nn.init.kaiming_normal_(layer.weight, generator=generator)
        nn.init.zeros_(layer.bias)
    model = nn.Sequential(layers[0], nn.ReLU(), layers[1])
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    scales = []
    for step in range(STEPS):
        if step % EVERY == 0:
            some = torch.randperm(len(x), generator=generator)[:ROWS]
            scales.append(noise_scales(model, x, y, some))
        rows = torch.randint(len(x), (BATCH,), generator=generator)
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
        torch.autograd.backward(loss)
        optimizer.step()
    logs = torch.tensor(scales).log()
    plain, bent = (float(m) for m in logs.mean(0).exp())
    low, high = (float(m) for m in torch.tensor(scales)[:, 1].aminmax())
    print(f"tr(Sigma) / |g|^2          geometric mean {plain:.0f}")
    print(f"tr(H Sigma) / (g^T H g)    geometric mean {bent:.0f}", end="")
    print(f", from {low:.0f} to {high:.0f}")
    error = float(logs[:, 1].std()) / math.sqrt(len(logs))
    return {
        "plain": plain,
        "bent": bent,
        "error": error,
        "low": low,
        "high": high,
    }


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]
