"""float16 turns small numbers into zeros: below 2^-25 nothing is left.

P(w = 0) = 2 Phi(2^-25 / sigma) - 1 for weights of std sigma in float16.
"""

# --8<-- [start:imports]
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

SEED = 0
STD = np.logspace(-9, -6, 13)
# --8<-- [end:imports]


# --8<-- [start:zeros]
def zero_share(std: float, dtype: torch.dtype, count: int = 20_000) -> float:
    """Return the share of normal weights that are exactly 0 in dtype.

    Raises:
        ValueError: std is not positive.

    >>> zero_share(1e-10, torch.float16), zero_share(1e-10, torch.bfloat16)
    (1.0, 0.0)
    """
    if std <= 0:
        raise ValueError(f"std must be positive. Received: {std=}")
    generator = torch.Generator().manual_seed(SEED)
    w = torch.empty(count, dtype=dtype)
    nn.init.normal_(w, 0, std, generator=generator)
    return float((w == 0).float().mean())


def layers_until_zero(
    std: float, dtype: torch.dtype, generator: torch.Generator
) -> Tensor:
    """Return, per input, the first ReLU layer whose activations are all 0.

    Width 256, no biases; weights in float32, activations stored in dtype;
    101 if none of 100 layers is.

    >>> generator = torch.Generator().manual_seed(0)
    >>> float(layers_until_zero(0.01, torch.float16, generator).max()) < 12
    True
    """
    h = torch.randn(32, 256, generator=generator)
    alive, depth = torch.zeros(32), 0
    while depth < 100:
        w = torch.randn(256, 256, generator=generator) * std
        h = (h @ w.T).relu().to(dtype).float()
        depth += 1
        alive[h.any(1)] = depth
        if not h.any():
            break
    return alive + 1


# --8<-- [end:zeros]


if __name__ == "__main__":
    # --8<-- [start:demo]
    print("share of zeros   float16, predicted  measured  bfloat16")
    for std in (1e-6, 1e-7, 1e-8):
        theory = math.erf(2.0**-25 / (std * math.sqrt(2)))
        half = zero_share(std, torch.float16)
        brain = zero_share(std, torch.bfloat16)
        print(f"std {std:<8g}{theory:23.3f}{half:10.2f}{brain:10.2f}")

    generator = torch.Generator().manual_seed(SEED)
    depth = {}
    for dtype in (torch.float16, torch.bfloat16):
        name = str(dtype).removeprefix("torch.")
        depth[name] = layers_until_zero(0.01, dtype, generator).mean()
        print(f"std 0.01, {name}: all zero from layer {depth[name]:.0f} on")
    depth_theory = -50 * math.log(2) / math.log(256 * 1e-4 / 2)
    # --8<-- [end:demo]


# --8<-- [start:plot_zeros]
def plot_zeros() -> Figure:
    """Draw the share of zeros against the standard deviation."""
    fig, ax = plt.subplots(figsize=(5.6, 3.0), layout="constrained")
    theory = [math.erf(2.0**-25 / (std * math.sqrt(2))) for std in STD]
    ax.plot(STD, theory, ls="--", lw=1, color="black", label="predicted")
    for i, dtype in enumerate((torch.float16, torch.bfloat16)):
        share = [zero_share(float(std), dtype) for std in STD]
        name = str(dtype).removeprefix("torch.")
        ax.plot(STD, share, "os"[i], color=f"C{i}", label=name)
    ax.set_xscale("log")
    ax.set_xlabel("standard deviation")
    ax.set_ylabel("share of zeros")
    ax.legend()
    return fig


if __name__ == "__main__":
    plot_zeros()
    plt.show()
# --8<-- [end:plot_zeros]
