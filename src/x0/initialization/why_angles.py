"""Five starts, five measurements: symmetry, scale, spectrum, descent, seeds.

Orthogonal and Gaussian weights of variance 1/n differ in the spectrum.
"""

# --8<-- [start:imports]
import functools
import math

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor

SEED = 0
SEEDS, DEPTH, WIDTH, BATCH, STEPS, RATE = 6, 8, 64, 32, 120, 0.02
STARTS = ("zero", "constant", "std 0.01", "Gaussian", "orthogonal")
# --8<-- [end:imports]


# --8<-- [start:starts]
def square_weights(start: str, generator: torch.Generator) -> Tensor:
    """Return the hidden weights of all networks, one start.

    Args:
        start: One of STARTS; the last two have variance 1 / WIDTH.
        generator: Source of randomness.

    Returns:
        Shape (DEPTH, SEEDS, WIDTH, WIDTH).

    Raises:
        ValueError: The start is unknown.

    >>> square_weights("constant", torch.Generator()).unique().numel()
    1
    """
    if start not in STARTS:
        raise ValueError(f"start must be one of {STARTS}. Received: {start=}")
    shape = (DEPTH, SEEDS, WIDTH, WIDTH)
    if start in ("zero", "constant"):
        return torch.full(shape, 0.0 if start == "zero" else 1 / WIDTH)
    draw = torch.randn(shape, generator=generator)
    if start == "std 0.01":
        return 0.01 * draw
    if start == "Gaussian":
        return draw / math.sqrt(WIDTH)
    q, r = torch.linalg.qr(draw)
    result: Tensor = q * r.diagonal(dim1=-2, dim2=-1).sign().unsqueeze(-2)
    return result


# --8<-- [end:starts]


# --8<-- [start:measure]
@functools.cache
def measure_angles() -> dict[str, np.ndarray]:
    """Measure tanh networks on the digits at the start, then train them.

    Returns:
        Arrays of shape (starts, SEEDS). "units": distinct rows of the
        weight of layer 4. "signal": second moment of the last hidden layer
        over that of the input, both over all images. "spectrum": share of
        the singular values of the hidden layers' Jacobian, at one image,
        above a tenth of the largest. "loss": mean of the last 20 steps.
    """
    generator = torch.Generator().manual_seed(SEED)
    images, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(images, dtype=torch.float32), torch.tensor(labels)
    x = (x - x.mean(0)) / x.std(0).clamp(min=1e-6)
    weights = torch.cat([square_weights(s, generator) for s in STARTS], 1)
    networks = weights.shape[1]
    result = {"units": torch.tensor([len(w.unique(dim=0)) for w in weights[3]])}
    h = x.expand(networks, -1, -1)
    jacobian = torch.eye(WIDTH).expand(networks, -1, -1)
    for w in weights:
        h = torch.tanh(h @ w.mT)
        jacobian = (1 - h[:, :1].mT.square()) * (w @ jacobian)
    result["signal"] = h.square().mean((1, 2)) / x.square().mean()
    s = torch.linalg.svdvals(jacobian.double())
    result["spectrum"] = (s > s[:, :1] / 10).double().mean(1)
    read_out = torch.randn(SEEDS, 10, WIDTH, generator=generator) / 8
    read_out = read_out.repeat(len(STARTS), 1, 1)
    read_out[: 2 * SEEDS] = weights[0, : 2 * SEEDS, :10]
    parameters = [*weights.unbind(), read_out]
    for parameter in parameters:
        parameter.requires_grad_()
    optimizer = torch.optim.SGD(parameters, RATE, 0.9, fused=True)
    history = []
    for _ in range(STEPS):
        rows = torch.randint(len(x), (BATCH,), generator=generator)
        h = x[rows].expand(networks, -1, -1)
        for w in parameters[:-1]:
            h = torch.tanh(h @ w.mT)
        log_p = (h @ parameters[-1].mT).log_softmax(-1)
        index = y[rows].expand(networks, -1).unsqueeze(-1)
        loss = -log_p.gather(-1, index).mean((1, 2))
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
        history.append(loss.detach())
    result["loss"] = torch.stack(history[-20:]).mean(0)
    shape = (len(STARTS), SEEDS)
    return {k: v.double().numpy().reshape(shape) for k, v in result.items()}


# --8<-- [end:measure]


if __name__ == "__main__":
    # --8<-- [start:demo]
    results = measure_angles()
    units, signal, share, loss = (
        dict(zip(STARTS, x.mean(1), strict=True)) for x in results.values()
    )
    spread = dict(zip(STARTS, results["loss"].std(1, ddof=1), strict=True))
    spectrum = {
        start: (x.mean(), x.std(ddof=1) / math.sqrt(SEEDS))
        for start, x in zip(STARTS, results["spectrum"], strict=True)
    }
    # --8<-- [end:demo]
