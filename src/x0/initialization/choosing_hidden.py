"""Without norm and skip the activation alone decides what a call keeps.

q_l = s_w E[phi(z)^2] + s_b,  d_(l-1) = s_w E[phi'(z)^2] d_l

Poole et al. (2016); Schoenholz et al. (2017); s_w = fan_in * Var(w).
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

SEED = 0
DEPTH = 8
WIDTH = 128
# --8<-- [end:imports]


# --8<-- [start:rows]
Init = Callable[[Tensor, Tensor, torch.Generator], object]


class Row(NamedTuple):
    """A row of the table: an activation, its call, the law it promises."""

    name: str
    phi: Callable[[Tensor], Tensor]
    call: Init  # fills w of shape (n, n) and b, which is 0, with generator g
    weight: float = 1.0  # n * Var(w)
    bias: float = 0.0  # Var(b)
    start: float = 1.0  # q of layer 1


def gelu_(w: Tensor, b: Tensor, g: torch.Generator) -> None:
    """Put GELU on its critical point, which needs random biases."""
    nn.init.normal_(w, 0, math.sqrt(1.98306 / w.shape[1]), generator=g)
    nn.init.normal_(b, 0, math.sqrt(0.17292), generator=g)


ROWS = (
    Row(
        "linear",
        lambda z: 1 * z,
        lambda w, b, g: nn.init.orthogonal_(w, generator=g),
    ),
    Row(
        "tanh",
        torch.tanh,
        lambda w, b, g: nn.init.xavier_normal_(w, generator=g),
    ),
    Row(
        "ReLU",
        torch.relu,
        lambda w, b, g: nn.init.kaiming_normal_(w, generator=g),
        weight=2,
    ),
    Row(
        "Leaky ReLU",
        lambda z: nn.functional.leaky_relu(z, 0.2),
        lambda w, b, g: nn.init.kaiming_normal_(w, a=0.2, generator=g),
        weight=2 / 1.04,
    ),
    Row(
        "SELU",
        torch.selu,
        lambda w, b, g: nn.init.kaiming_normal_(
            w, nonlinearity="linear", generator=g
        ),
    ),
    Row("GELU", nn.functional.gelu, gelu_, 1.98306, 0.17292, start=3.5616),
    Row(
        "sigmoid",
        torch.sigmoid,
        lambda w, b, g: nn.init.xavier_normal_(w, generator=g),
    ),
)


def fill(row: Row, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Run the call of a row and return a weight and a bias."""
    w, b = torch.empty(WIDTH, WIDTH), torch.zeros(WIDTH)
    row.call(w, b, generator)
    return w, b


# --8<-- [end:rows]


# --8<-- [start:predicted]
def predicted(row: Row) -> tuple[float, float]:
    """Return q_depth / q_1 and d_1 / d_depth for infinite width.

    >>> [round(x, 6) for x in predicted(ROWS[2])]
    [1.0, 1.0]
    """
    t = torch.linspace(-10, 10, 4000, dtype=torch.float64)
    mass = torch.exp(-(t**2) / 2)
    mass /= mass.sum()
    q, product = torch.tensor(row.start).double(), 1.0
    for _ in range(DEPTH - 1):
        z = (q.sqrt() * t).requires_grad_()
        h = row.phi(z)
        (slope,) = torch.autograd.grad(h.sum(), z)
        product *= row.weight * float(mass @ slope**2)
        q = row.weight * (mass @ h.detach() ** 2) + row.bias
    return float(q) / row.start, product


# --8<-- [end:predicted]


# --8<-- [start:measured]
@cache
def measured(row: Row, networks: int = 160) -> Tensor:
    """Return q_depth / q_1 and d_1 / d_depth of networks, shape (2, nets).

    Layer 1 is drawn with the second moment row.start, one input per network.
    """
    if row.name == "linear":  # orthogonal: the same in every network
        networks = 4
    generator = torch.Generator().manual_seed(SEED)
    size = (networks, WIDTH, 1)
    first = row.start**0.5 * torch.randn(size, generator=generator)
    layers = [first.requires_grad_()]
    for _ in range(DEPTH - 1):
        pairs = [fill(row, generator) for _ in range(networks)]
        w, b = (torch.stack(part) for part in zip(*pairs, strict=True))
        layers.append(torch.bmm(w, row.phi(layers[-1])) + b[..., None])
    delta = torch.randn(size, generator=generator)
    (below,) = torch.autograd.grad(layers[-1], first, delta)
    last, one = (
        z.detach().square().mean(dim=(1, 2)) for z in (layers[-1], first)
    )
    q = last / one
    d = below.square().mean(dim=(1, 2)) / delta.square().mean(dim=(1, 2))
    return torch.stack([q, d]).double()


# --8<-- [end:measured]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print, per row, the two factors over all layers."""
    gelu = ROWS[5]
    values: dict[str, float | tuple[float, float]] = {
        "gelu_weight": gelu.weight,
        "gelu_bias": gelu.bias,
        "relu_xavier": predicted(ROWS[2]._replace(weight=1))[0],
    }
    print("            signal               gradient")
    print("            predicted  measured  predicted  measured")
    for row in ROWS:
        key = row.name.lower().replace(" ", "_")
        line = f"{row.name:11} "
        theories = predicted(row)
        for letter, theory, seen in zip(
            "qd", theories, measured(row), strict=True
        ):
            error = float(seen.std()) / math.sqrt(len(seen))
            values[f"{key}_{letter}_theory"] = theory
            values[f"{key}_{letter}"] = float(seen.mean()), error
            digits = ".2f" if theory > 0.01 else ".0e"
            shown = ".1f" if theory > 0.01 else ".0e"
            line += f"{theory:9{digits}}  {float(seen.mean()):8{shown}}  "
        print(line.rstrip())
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]


# --8<-- [start:plot_rows]
def plot_rows() -> Figure:
    """Draw both factors of every row, predicted and measured."""
    figure, axes = plt.subplots(
        2, 1, figsize=(5.6, 5.6), sharex=True, layout="constrained"
    )
    names = [row.name for row in ROWS]
    theory = list(zip(*map(predicted, ROWS), strict=True))
    for index, axis in enumerate(axes):
        axis.axhline(1, color="0.5", lw=0.8)
        means = [float(measured(row)[index].mean()) for row in ROWS]
        for x, y in enumerate(theory[index]):
            axis.plot([x - 0.35, x + 0.35], [y, y], color="C0", ls="--", lw=1)
        axis.plot([], [], color="C0", ls="--", lw=1, label="predicted")
        axis.plot(names, means, "o", color="C1", label="measured", ms=5)
        axis.set(yscale="log")
    axes[0].set(ylabel="signal, last / first layer", ylim=(0.02, 30))
    axes[1].set(ylabel="gradient, first / last layer")
    axes[1].tick_params(axis="x", rotation=30)
    axes[0].legend()
    return figure


if __name__ == "__main__":
    plot_rows()
    plt.show()
# --8<-- [end:plot_rows]
