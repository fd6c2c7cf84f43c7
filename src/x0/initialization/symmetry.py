"""Units with equal weights in and out stay equal in training without dropout.

theta = P theta implies g(theta) = P g(theta): a swap P of two such units

Goodfellow, Bengio and Courville (2016), section 8.4: break the symmetry.
"""

# --8<-- [start:imports]
import torch
from torch import Tensor, nn

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:units]
def different_units(
    incoming: Tensor,
    bias: Tensor | None = None,
    outgoing: Tensor | None = None,
    tolerance: float = 1e-6,
) -> int:
    """Count the units of a hidden layer that training can tell apart.

    Two units count as one if all their weights agree to the tolerance, as a
    share of the largest weight.

    Args:
        incoming: Weight of the layer, shape (units, fan_in, *kernel).
        bias: Its bias, shape (units,).
        outgoing: Weight of the next layer, shape (fan_out, units, *kernel).
        tolerance: Relative difference that is taken for rounding.

    Raises:
        ValueError: The numbers of units differ or are 0, a weight is no
            matrix, or the tolerance is negative.

    >>> different_units(torch.full((8, 3), 0.1))
    1
    >>> different_units(torch.full((8, 3), 0.1), bias=torch.arange(8.0))
    8
    """
    flat = incoming.ndim < 2 or (outgoing is not None and outgoing.ndim < 2)
    flat = flat or not len(incoming)
    if flat or not tolerance >= 0:
        raise ValueError(
            "Expected weights of 2 dimensions or more, tolerance >= 0. "
            f"Received: {incoming.shape}, {tolerance=}"
        )
    parts = [incoming.flatten(1)]
    if bias is not None:
        parts.append(bias.reshape(-1, 1))
    if outgoing is not None:
        parts.append(outgoing.transpose(0, 1).flatten(1))
    if len({len(part) for part in parts}) > 1:
        sizes = [len(part) for part in parts]
        raise ValueError(f"Expected equal numbers of units. Received: {sizes}")
    rows = torch.cat(parts, 1).detach()
    step = tolerance * max(float(rows.abs().max()), 1e-300)
    left, found = rows, 0
    while len(left):
        left = left[(left - left[0]).abs().amax(1) > step]
        found += 1
    return found


# --8<-- [end:units]


if __name__ == "__main__":
    # --8<-- [start:demo]
    generator = torch.Generator().manual_seed(SEED)
    first, second = nn.Linear(64, 64), nn.Linear(64, 10)
    units = {}
    for start in ("zero", "constant", "random", "random in, zero out"):
        for layer in (first, second):
            nn.init.constant_(layer.weight, 0.1 if start == "constant" else 0.0)
            nn.init.zeros_(layer.bias)
        if start.startswith("random"):
            nn.init.kaiming_normal_(first.weight, generator=generator)
        if start == "random":
            nn.init.kaiming_normal_(second.weight, generator=generator)
        units[start] = different_units(first.weight, first.bias, second.weight)
        print(f"{start:<20}{units[start]:3d} of 64 units")
    # --8<-- [end:demo]
