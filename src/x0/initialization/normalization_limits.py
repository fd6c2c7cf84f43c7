"""What a normalization layer does not take off the hands of an initialization.

The last layer, identical units, eval mode before training, and a tiny scale.
"""

# --8<-- [start:imports]
import math

import torch
from torch import Tensor, nn

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:network]
def network(depth: int, width: int, last: float = 1.0) -> nn.Sequential:
    """Return a batch-normalized ReLU classifier with He weights, 10 classes.

    Args:
        depth: number of hidden layers.
        width: of the input and the hidden layers.
        last: standard deviation of the last weight, times sqrt(width).

    >>> len(network(2, 8))
    7
    """
    generator = torch.Generator().manual_seed(SEED)
    layers: list[nn.Module] = []
    for _ in range(depth):
        linear = nn.Linear(width, width, bias=False)
        nn.init.kaiming_normal_(
            linear.weight, nonlinearity="relu", generator=generator
        )
        layers += [linear, nn.BatchNorm1d(width), nn.ReLU()]
    head = nn.Linear(width, 10, bias=False)
    nn.init.normal_(
        head.weight, std=last / math.sqrt(width), generator=generator
    )
    return nn.Sequential(*layers, head)


# --8<-- [end:network]


# --8<-- [start:symmetry]
def distinct_units(h: Tensor) -> int:
    """Return how many columns of a batch differ when rounded to 4 decimals.

    Args:
        h: real, not empty, shape (m, n).

    >>> distinct_units(torch.tensor([[1.0, 1.0, 2.0], [0.0, 0.0, 5.0]]))
    2
    """
    return len(torch.unique(h.detach().round(decimals=4), dim=1).T)


# --8<-- [end:symmetry]


if __name__ == "__main__":
    # --8<-- [start:demo]
    generator = torch.Generator().manual_seed(SEED)
    x = torch.randn(128, 64, generator=generator)
    y = torch.randint(10, (128,), generator=generator)
    losses = {}
    for last in (0.1, 1.0, 10.0):
        z = network(5, 64, last)(x)
        losses[last] = nn.functional.cross_entropy(z, y).item()
        print(f"last layer × {last:<5g}  initial loss  {losses[last]:8.1f}")
    sizes = {}
    for scale in (1.0, 0.01):
        model = network(5, 64).eval()
        for p in model.parameters():
            if p.ndim == 2:
                p.data *= scale
        sizes[scale] = model[:-1](x).square().mean().item()
        print(f"weights × {scale:<5g}  eval, mean of h²  {sizes[scale]:8.0e}")
    model = network(2, 64)
    for p in model[:-1].parameters():
        if p.ndim == 2:
            nn.init.constant_(p, 0.1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _ in range(20):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    first = next(model.parameters())
    units = distinct_units(first.T)
    print(f"constant weights, 20 steps: units of layer 1  {units} of 64")
    # --8<-- [end:demo]
