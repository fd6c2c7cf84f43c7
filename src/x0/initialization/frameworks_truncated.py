"""One number, 0.02, names three standard deviations.

A normal law cut at two sigma keeps the std 0.8796 sigma.

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
    """Return the std of a standard normal law cut at -cut and cut.

    Raises:
        ValueError: cut is not positive.

    >>> round(kept_std(2), 4)
    0.8796
    """
    if cut <= 0:
        raise ValueError(f"cut must be positive. Received: {cut=}")
    inside = math.erf(cut / math.sqrt(2))
    density = math.exp(-(cut**2) / 2) / math.sqrt(2 * math.pi)
    return math.sqrt(1 - 2 * cut * density / inside)


def truncated_normal_(
    tensor: Tensor,
    std: float,
    cut: float = 2.0,
    rescale: bool = False,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Fill tensor in place from a normal law cut at cut standard deviations.

    Args:
        tensor: any tensor.
        std: of the normal law before the cut; with rescale, after it.
        cut: in standard deviations, as in TensorFlow and JAX.
        rescale: make up for the cut, as variance scaling in Keras does.
        generator: source of randomness.

    >>> generator = torch.Generator().manual_seed(0)
    >>> w = truncated_normal_(torch.empty(100_000), 0.02, generator=generator)
    >>> round(float(w.std()), 4), float(w.abs().max()) <= 0.04
    (0.0176, True)
    """
    sigma = std / kept_std(cut) if rescale else std
    return nn.init.trunc_normal_(
        tensor, 0, sigma, -cut * sigma, cut * sigma, generator=generator
    )


# --8<-- [end:truncated]


# --8<-- [start:readings]
@functools.cache
def readings(count: int = 200_000) -> dict[str, Tensor]:
    """Return draws of the three laws that are called 0.02."""
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


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print the std and the largest value of each reading."""
    values: dict[str, float | tuple[float, float]] = {
        "kept": kept_std(2),
        "cut_theory": STD * kept_std(2),
    }
    print("0.02 read as                 std      max |w|")
    keys = ("normal", "cut", "default")
    for key, (name, w) in zip(keys, readings().items(), strict=True):
        values[key] = float(w.std())
        values[f"{key}_max"] = float(w.abs().max()) / STD
        print(f"{name:<26}{w.std():.4f}{w.abs().max() / STD:8.1f} σ")
    generator = torch.Generator().manual_seed(SEED)
    w = truncated_normal_(torch.empty(200_000), STD, 2, True, generator)
    values["rescaled"] = float(w.std())
    values["rescaled_max"] = float(w.abs().max()) / STD
    print(f"{'cut at 2σ, rescaled':<26}{w.std():.4f}", end="")
    print(f"{w.abs().max() / STD:8.1f} σ")
    return values


if __name__ == "__main__":
    demo()
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
