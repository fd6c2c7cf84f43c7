"""What the call of each activation keeps of q and d without norm and skip.

q_l = s_w E[phi(z)^2] + s_b,  d_(l-1) = s_w E[phi'(z)^2] d_l

Poole et al. (2016); Schoenholz et al. (2017); s_w = fan_in * Var(w).
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

SEED = 0
DEPTH = 8
WIDTH = 128
# --8<-- [end:imports]


# --8<-- [start:call]
@torch.no_grad()
def run_call(call: str, generator: torch.Generator, **names: object) -> None:
    """Run a cell of the tables, line by line, as it is printed.

    Args:
        call: code; it sees torch.nn.init, math and the names.
        generator: what the random initializers of the tables draw from.
        names: the tensors and numbers that the code speaks of.
    """
    inits = dict(vars(nn.init))
    for name in ("normal_", "uniform_", "orthogonal_", "xavier_normal_"):
        inits[name] = partial(inits[name], generator=generator)
    for name in ("kaiming_normal_", "kaiming_uniform_"):
        inits[name] = partial(inits[name], generator=generator)
    for line in call.splitlines():
        exec(line, inits | {"math": math} | names)


# --8<-- [end:call]


# --8<-- [start:rows]
class Row(NamedTuple):
    """A row of the table: an activation, its call, the law it promises."""

    name: str
    phi: Callable[[Tensor], Tensor]
    call: str  # the cell: fills w of shape (n, n), and b, which is 0
    weight: float = 1.0  # n * Var(w)
    bias: float = 0.0  # Var(b)
    start: float = 1.0  # q of layer 1
    depth: int = DEPTH


SINE = "(6 / w[0].numel()) ** 0.5 / 30"
ROWS = (
    Row("linear", lambda z: 1 * z, "orthogonal_(w)"),
    Row("tanh", torch.tanh, "xavier_normal_(w)"),
    Row("softsign", nn.functional.softsign, "xavier_normal_(w)"),
    Row("ReLU", torch.relu, "kaiming_normal_(w)", 2),
    Row(
        "Leaky ReLU",
        lambda z: nn.functional.leaky_relu(z, 0.2),
        "kaiming_normal_(w, a=a)",
        2 / 1.04,
    ),
    Row("SELU", torch.selu, 'kaiming_normal_(w, nonlinearity="linear")'),
    Row("GELU, He", nn.functional.gelu, "kaiming_normal_(w)", 2),
    Row(
        "GELU",
        nn.functional.gelu,
        "normal_(w, 0, (1.98306 / w[0].numel()) ** 0.5)\n"
        "normal_(b, 0, 0.17292 ** 0.5)",
        1.98306,
        0.17292,
        start=3.5616,
    ),
    Row(
        "SiLU",
        nn.functional.silu,
        "normal_(w, 0, (1.98800 / w[0].numel()) ** 0.5)\n"
        "normal_(b, 0, 0.55514 ** 0.5)",
        1.98800,
        0.55514,
        start=14.3202,
    ),
    Row(
        "sine",
        lambda z: torch.sin(30 * z),
        f"uniform_(w, -({SINE}), {SINE})",
        2 / 900,
        start=1 / 900,
    ),
    Row(
        "sigmoid",
        torch.sigmoid,
        "normal_(w, 0, 10 / w[0].numel() ** 0.5)",
        100,
        start=50,
    ),
)


def fill(row: Row, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Run the call of a row and return a weight and a bias."""
    w, b = torch.empty(WIDTH, WIDTH), torch.zeros(WIDTH)
    run_call(row.call, generator, w=w, b=b, a=0.2)
    return w, b


# --8<-- [end:rows]


# --8<-- [start:predicted]
def predicted(row: Row) -> tuple[float, float]:
    """Return q_depth / q_1 and d_1 / d_depth for infinite width.

    >>> [round(x, 6) for x in predicted(ROWS[3])]
    [1.0, 1.0]
    """
    t = torch.linspace(-10, 10, 4000, dtype=torch.float64)
    mass = torch.exp(-(t**2) / 2)
    mass /= mass.sum()
    q, product = torch.tensor(row.start).double(), 1.0
    for _ in range(row.depth - 1):
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
    for _ in range(row.depth - 1):
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


if __name__ == "__main__":
    # --8<-- [start:demo]
    theory = {row.name: predicted(row) for row in ROWS}
    seen = {
        row.name: [
            (x.mean(), x.std() / math.sqrt(len(x))) for x in measured(row)
        ]
        for row in ROWS
    }
    print("            signal               gradient")
    print("            predicted  measured  predicted  measured")
    for name, pair in seen.items():
        line = f"{name:11} "
        for factor, (mean, _) in zip(theory[name], pair, strict=True):
            digits = (".2f", ".1f") if factor > 0.01 else (".0e", ".0e")
            line += f"{factor:9{digits[0]}}  {mean:8{digits[1]}}  "
        print(line.rstrip())

    rows = {row.name: row for row in ROWS}
    relu_xavier, _ = predicted(rows["ReLU"]._replace(weight=1))
    _, sigmoid_xavier = predicted(rows["sigmoid"]._replace(weight=1, start=1))
    silu = rows["SiLU"]._replace(weight=2, bias=0, start=1)
    silu_he, _ = predicted(silu)
    tanh_20 = predicted(rows["tanh"]._replace(depth=20))
    gelu_6 = predicted(rows["GELU, He"]._replace(depth=6))
    gelu_start, silu_start = rows["GELU"].start, rows["SiLU"].start
    sine = 900 * rows["sine"].start * theory["sine"][0]  # Var(30 z)
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
    axes[0].set(ylabel="signal, last / first layer", ylim=(0.003, 30))
    axes[1].set(ylabel="gradient, first / last layer")
    axes[1].tick_params(axis="x", rotation=45)
    axes[0].legend()
    return figure


if __name__ == "__main__":
    plot_rows()
    plt.show()
# --8<-- [end:plot_rows]
