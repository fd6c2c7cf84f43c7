"""PyTorch fills linear and convolution layers from U(±r), r = 1/sqrt(fan_in).

Var(w) = 1 / (3 fan_in): a third of LeCun's rule, a sixth of He's.

Read from the constructors of torch.nn; a test checks every row.
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:laws]
class Law(NamedTuple):
    """A distribution: how it is written, and its standard deviation."""

    text: str
    std: float
    mean: float = 0


def uniform_law(text: str, n: float) -> Law:
    """Return U(-r, r), r = 1/sqrt(n), n positive; its variance is r^2 / 3."""
    return Law(f"U(±1/√{text})", 1 / math.sqrt(3 * n))


def xavier_law(fan_in: int, fan_out: int) -> Law:
    """Return the distribution of xavier_uniform_."""
    return Law("Xavier uniform", math.sqrt(2 / (fan_in + fan_out)))


ONE, ZERO, FAN = Law("1", 0, 1), Law("0", 0), "fan_in"
# --8<-- [end:laws]


# --8<-- [start:table]
Row = tuple[Callable[[], nn.Module], dict[str, Law]]
TABLE: dict[str, Row] = {
    "Linear(256, 64)": (
        lambda: nn.Linear(256, 64),
        {"weight": uniform_law(FAN, 256), "bias": uniform_law(FAN, 256)},
    ),
    "Conv1d(32, 64, 5)": (
        lambda: nn.Conv1d(32, 64, 5),
        {"weight": uniform_law(FAN, 160), "bias": uniform_law(FAN, 160)},
    ),
    "Conv2d(32, 64, 3)": (
        lambda: nn.Conv2d(32, 64, 3),
        {"weight": uniform_law(FAN, 288), "bias": uniform_law(FAN, 288)},
    ),
    "Conv2d(64, 64, 3, groups=64)": (
        lambda: nn.Conv2d(64, 64, 3, groups=64),
        {"weight": uniform_law("K", 9), "bias": uniform_law("K", 9)},
    ),
    "ConvTranspose2d(32, 64, 3)": (
        lambda: nn.ConvTranspose2d(32, 64, 3),
        {
            "weight": uniform_law("(K·out)", 576),
            "bias": uniform_law("(K·out)", 576),
        },
    ),
    "Embedding(500, 64)": (
        lambda: nn.Embedding(500, 64),
        {"weight": Law("N(0, 1)", 1)},
    ),
    "RNN(256, 64)": (
        lambda: nn.RNN(256, 64),
        {
            "weight_ih_l0": uniform_law("hidden", 64),
            "bias_hh_l0": uniform_law("hidden", 64),
        },
    ),
    "LSTM(256, 64)": (
        lambda: nn.LSTM(256, 64),
        {
            "weight_ih_l0": uniform_law("hidden", 64),
            "bias_hh_l0": uniform_law("hidden", 64),
        },
    ),
    "GRU(256, 64)": (
        lambda: nn.GRU(256, 64),
        {
            "weight_hh_l0": uniform_law("hidden", 64),
            "bias_ih_l0": uniform_law("hidden", 64),
        },
    ),
    "MultiheadAttention(64, 4)": (
        lambda: nn.MultiheadAttention(64, 4),
        {
            "in_proj_weight": xavier_law(64, 3 * 64),
            "in_proj_bias": ZERO,
            "out_proj.weight": uniform_law(FAN, 64),
            "out_proj.bias": ZERO,
        },
    ),
    "Bilinear(64, 16, 32)": (
        lambda: nn.Bilinear(64, 16, 32),
        {"weight": uniform_law("in1", 64), "bias": uniform_law("in1", 64)},
    ),
    "LayerNorm(64)": (
        lambda: nn.LayerNorm(64),
        {"weight": ONE, "bias": ZERO},
    ),
    "BatchNorm2d(64)": (
        lambda: nn.BatchNorm2d(64),
        {"weight": ONE, "bias": ZERO},
    ),
    "RMSNorm(64)": (lambda: nn.RMSNorm(64), {"weight": ONE}),
}
# --8<-- [end:table]


# --8<-- [start:constructed]
def constructed(
    layer: Callable[[], nn.Module], names: list[str], times: int
) -> dict[str, Tensor]:
    """Construct a layer several times and collect its parameters.

    Constructors read the global generator; it is put back afterwards.

    Returns:
        For each name a tensor of shape (times, *parameter.shape).

    Raises:
        ValueError: times is not positive.

    >>> constructed(lambda: nn.Linear(4, 2), ["weight"], 3)["weight"].shape
    torch.Size([3, 2, 4])
    """
    if times < 1:
        raise ValueError(f"times must be positive. Received: {times=}")
    with torch.random.fork_rng(devices=[]):
        generator = torch.Generator().manual_seed(SEED)
        torch.set_rng_state(generator.get_state())
        layers = [layer() for _ in range(times)]
    return {
        name: torch.stack([one.get_parameter(name).detach() for one in layers])
        for name in names
    }


# --8<-- [end:constructed]


if __name__ == "__main__":
    # --8<-- [start:demo]
    std, measured = {}, {}
    for layer, (construct, laws) in TABLE.items():
        for name, w in constructed(construct, list(laws), 30).items():
            std[layer, name] = laws[name].std
            measured[layer, name] = w.std()
    # --8<-- [end:demo]
