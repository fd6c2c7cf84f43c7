"""One number, 0.02, names two standard deviations.

A normal distribution cut at two sigma keeps the std 0.8796 sigma.

torch.nn.init.trunc_normal_ cuts at the values a = -2 and b = 2, whatever
the std is: with std = 0.02 it cuts nothing.
"""

# --8<-- [start:imports]
import functools
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

SEED = 0
STD = 0.02
# --8<-- [end:imports]


# --8<-- [start:truncated]
def kept_std(cut: float) -> float:
    """Return the std of a standard normal variable cut at -cut and cut.

    Raises:
        ValueError: cut is below 0.001, where the formula loses its digits,
            or infinite.

    >>> round(kept_std(2), 4)
    0.8796
    """
    if not 1e-3 <= cut < math.inf:
        raise ValueError(f"cut must be positive, finite. Received: {cut=}")
    inside = math.erf(cut / math.sqrt(2))
    density = math.exp(-(cut * cut) / 2) / math.sqrt(2 * math.pi)
    return math.sqrt(1 - 2 * cut * density / inside)


def truncated_normal_(
    tensor: Tensor,
    std: float,
    cut: float = 2.0,
    rescale: bool = False,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Fill tensor in place from a normal, cut at cut standard deviations.

    Args:
        tensor: any tensor.
        std: of the normal before the cut; with rescale, after it.
        cut: in standard deviations, as in TensorFlow and JAX.
        rescale: make up for the cut, as variance scaling in Keras does.
        generator: source of randomness.

    Raises:
        ValueError: tensor is not real, std is negative, or cut is not
            positive and finite.

    >>> generator = torch.Generator().manual_seed(0)
    >>> w = truncated_normal_(torch.empty(100_000), 0.02, generator=generator)
    >>> round(float(w.std()), 4), float(w.abs().max()) <= 0.04
    (0.0176, True)
    """
    kept = kept_std(cut)
    if not tensor.is_floating_point() or not 0 <= std < math.inf:
        raise ValueError(
            "Expected real numbers and std of 0 or more. "
            f"Received: {tensor.dtype}, {std=}"
        )
    if std == 0:
        return nn.init.zeros_(tensor)
    sigma = std / kept if rescale else std
    return nn.init.trunc_normal_(
        tensor, 0, sigma, -cut * sigma, cut * sigma, generator=generator
    )


# --8<-- [end:truncated]


# --8<-- [start:readings]
@functools.cache
def readings(count: int = 200_000) -> dict[str, Tensor]:
    """Return draws of the three distributions called 0.02."""
    generator = torch.Generator().manual_seed(SEED)
    normal, tensorflow, default = (torch.empty(count) for _ in range(3))
    nn.init.normal_(normal, 0, STD, generator=generator)
    truncated_normal_(tensorflow, STD, generator=generator)
    nn.init.trunc_normal_(default, 0, STD, generator=generator)
    return {
        "normal": normal,
        "cut at 2σ": tensorflow,
        "trunc_normal_": default,
    }


# --8<-- [end:readings]


if __name__ == "__main__":
    # --8<-- [start:demo]
    generator = torch.Generator().manual_seed(SEED)
    rescaled = truncated_normal_(
        torch.empty(200_000), STD, rescale=True, generator=generator
    )
    laws = readings() | {"cut at 2σ, rescaled": rescaled}
    std = {name: w.std() for name, w in laws.items()}
    largest = {name: w.abs().max() / STD for name, w in laws.items()}
    print("0.02 read as                 std      max |w|")
    for name in laws:
        print(f"{name:<26}{std[name]:.4f}{largest[name]:8.1f} σ")
    kept = kept_std(2)
    # --8<-- [end:demo]


# --8<-- [start:plot_readings]
def plot_readings() -> Figure:
    """Draw the densities of the three readings."""
    fig, ax = plt.subplots(figsize=(5.6, 3.2), layout="constrained")
    edges = np.linspace(-0.08, 0.08, 65)
    centers = (edges[1:] + edges[:-1]) / 2
    for i, (name, w) in enumerate(readings().items()):
        density = np.histogram(w.numpy(), edges, density=True)[0]
        ax.plot(centers, density, "os^"[i], ms=4, color=f"C{i}", label=name)
    bell = np.exp(-((edges / STD) ** 2) / 2) / (STD * math.sqrt(2 * math.pi))
    inside = np.abs(edges) <= 2 * STD
    cut = np.where(inside, bell / math.erf(math.sqrt(2)), np.nan)
    for line, label in ((bell, "predicted"), (cut, None)):
        ax.plot(edges, line, ls="--", lw=1, color="black", label=label)
    ax.set_xlabel("w")
    ax.set_ylabel("density")
    ax.legend()
    return fig


if __name__ == "__main__":
    plot_readings()
    plt.show()
# --8<-- [end:plot_readings]
