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
STEPS, EVERY, ROWS, BATCH, RATE = 60, 6, 40, 256, 0.7
RUNS = 20
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
        ValueError: some is empty; the gradient is 0 to rounding or not
            finite; a label is no class; the model has no parameters (or lazy
            ones), or torch.func cannot run it on single rows, as with
            BatchNorm or dropout in training mode, checkpoints or buffers
            that change.
    """
    if not len(some):
        raise ValueError(f"Expected row numbers. Received: {some=}")
    every = list(model.parameters())
    if not every or any(nn.parameter.is_lazy(p) for p in every):
        raise ValueError(f"No parameters. Received: {type(model)}")
    x = x.detach()
    names = [name for name, _ in model.named_parameters()]
    buffers = {k: b.clone() for k, b in model.named_buffers()}
    point = tuple(p.detach() for p in model.parameters())

    def inner(a: Point, b: Point) -> Tensor:
        pairs = zip(a, b, strict=True)
        return torch.stack([(s * t).sum() for s, t in pairs]).sum()

    def loss(p: Point, x: Tensor, y: Tensor) -> Tensor:
        named = dict(zip(names, p, strict=True)) | buffers
        logits = functional_call(model, named, x)
        return nn.functional.cross_entropy(logits, y)

    def curvature(v: Point) -> Tensor:
        """Return v^T H v, from two passes backward."""

        def slope(p: Point) -> Tensor:
            return inner(grad(loss)(p, x, y), v)

        return inner(grad(slope)(point), v)

    try:
        count = len(y[some])  # some may be a mask
        g = grad(loss)(point, x, y)
        rows = vmap(grad(loss), in_dims=(None, 0, 0))(point, x[some], y[some])
    except (RuntimeError, ValueError, IndexError) as error:
        raise ValueError(
            f"Row by row? Received: {type(model)}, {error}"
        ) from error
    if not count:
        raise ValueError(f"Expected row numbers. Received: {some=}")
    noise = tuple(a - b for a, b in zip(rows, g, strict=True))
    plain = sum(float((a**2).sum()) for a in noise) / count
    squared = sum(float((b**2).sum()) for b in g)
    bent, along = float(vmap(curvature)(noise).mean()), float(curvature(g))
    least = torch.finfo(point[0].dtype).eps ** 2 * plain  # rounding
    if not math.isfinite(bent / (along or math.nan)) or squared <= least:
        raise ValueError(f"0 or not finite. Received: {squared=}, {along=}")
    return plain / squared, bent / along


# --8<-- [end:scale]


# --8<-- [start:run]
def scales_of_a_run(seed: int) -> Tensor:
    """Return both scales along a run on the digits, shape (points, 2)."""
    generator = torch.Generator().manual_seed(seed)
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
        loss.backward()
        optimizer.step()
    return torch.tensor(scales)


# --8<-- [end:run]


if __name__ == "__main__":
    # --8<-- [start:demo]
    scales = torch.stack([scales_of_a_run(SEED + k) for k in range(RUNS)])
    means = scales.log().mean(1).exp()  # geometric means, one a run
    centers, errors = means.mean(0), means.std(0) / math.sqrt(RUNS)
    plain, bent = zip(centers.tolist(), errors.tolist(), strict=True)
    low, high = scales[0, :, 1].aminmax()
    print("tr(Sigma) / |g|^2          {:.0f} ± {:.0f}".format(*plain))
    print("tr(H Sigma) / (g^T H g)    {:.0f} ± {:.0f}".format(*bent))
    print(f"the latter in one run: from {low:.0f} to {high:.0f}")
    # --8<-- [end:demo]
