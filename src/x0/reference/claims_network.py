"""A network that shows what its initialization does, from one seed.

    q_l = n_{l-1} Var(w) p_{l-1},  p_l = q_l / 2 after ReLU

Each layer reports the second moment of its pre-activations; a printed model
without a number demonstrates nothing.
"""

# --8<-- [start:imports]
import itertools
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

SEED = 0
WIDTHS = (768, 256, 128, 10)
# --8<-- [end:imports]


# --8<-- [start:network]
class Network(nn.Module):
    """A ReLU network whose weights come from a given generator."""

    def __init__(
        self,
        widths: tuple[int, ...],
        initialize: Callable[..., Tensor],
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        layers = [nn.Linear(n, m) for n, m in itertools.pairwise(widths)]
        for layer in layers:
            initialize(layer.weight, generator=generator)
            nn.init.zeros_(layer.bias)
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the pre-activations of every layer, (samples, units)."""
        found = [self.layers[0](x)]
        for layer in self.layers[1:]:
            found.append(layer(torch.relu(found[-1])))
        return found


# --8<-- [end:network]


# --8<-- [start:measure]
def reported_moments(
    initialize: Callable[..., Tensor], networks: int = 40
) -> Tensor:
    """Return second moments of pre-activations, (networks, layers).

    >>> reported_moments(torch.nn.init.xavier_uniform_, 2).shape
    torch.Size([2, 3])
    """
    generator = torch.Generator().manual_seed(SEED)
    rows = []
    for _ in range(networks):
        network = Network(WIDTHS, initialize, generator)
        x = torch.randn(64, WIDTHS[0], generator=generator)
        with torch.no_grad():
            layers = network(x)
        rows.append(torch.stack([(z**2).mean() for z in layers]))
    return torch.stack(rows).double()


def expected_moments(numerators: tuple[float, float, float]) -> list[float]:
    """Return what theory says for weights of variance a / (b n + c m).

    Args:
        numerators: a, b and c; n is fan-in, m is fan-out.

    >>> expected_moments((2, 1, 0))  # He
    [2.0, 2.0, 2.0]
    """
    a, b, c = numerators
    moments, p = [], 1.0
    for n, m in itertools.pairwise(WIDTHS):
        moments.append(n * a / (b * n + c * m) * p)
        p = moments[-1] / 2
    return moments


# --8<-- [end:measure]


if __name__ == "__main__":
    # --8<-- [start:demo]
    moments = {
        "xavier": reported_moments(nn.init.xavier_uniform_),
        "kaiming": reported_moments(nn.init.kaiming_uniform_),
    }
    predicted = {
        "xavier": expected_moments((2, 1, 1)),
        "kaiming": expected_moments((2, 1, 0)),
    }
    measured = {}
    print("           layer  predicted  measured")
    for name, sample in moments.items():
        means, errors = sample.mean(0), sample.std(0) / math.sqrt(len(sample))
        measured[name] = list(zip(means, errors, strict=True))
        for layer, q in enumerate(predicted[name]):
            print(f"{name:10s} {layer + 1:5d}  {q:9.2f}  {means[layer]:8.2f}")
    # --8<-- [end:demo]
