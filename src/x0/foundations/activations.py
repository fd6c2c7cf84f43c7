"""Slopes of activation functions, and where they are convex.

GELU bends up between -1.41 and 1.41, SiLU between -2.40 and 2.40

Regions of convexity are found from the slopes alone, kinks included.
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional

STEP = 0.005
# --8<-- [end:imports]


# --8<-- [start:gallery]
GALLERY: dict[str, Callable[[Tensor], Tensor]] = {
    "ReLU": torch.relu,
    "leaky ReLU": lambda z: functional.leaky_relu(z, 0.2),
    "ReLU²": lambda z: torch.relu(z) ** 2,
    "ELU": functional.elu,
    "SELU": torch.selu,
    "softplus": functional.softplus,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "erf": torch.erf,
    "softsign": functional.softsign,
    "hardtanh": functional.hardtanh,
    "hardswish": functional.hardswish,
    "GELU": functional.gelu,
    "SiLU": functional.silu,
    "Mish": functional.mish,
}


def slopes_between(
    phi: Callable[[Tensor], Tensor], bound: float = 8.0
) -> tuple[Tensor, Tensor]:
    """Return points between the multiples of STEP, and the slopes there.

    No point falls on a kink at a multiple of STEP, if the bound is one.

    Raises:
        ValueError: the bound is not positive, or above 1000.

    >>> x, slope = slopes_between(torch.relu, 1.0)
    >>> float(slope[0]), float(slope[-1])
    (0.0, 1.0)
    """
    if not 0 < bound <= 1000:
        raise ValueError(f"bound must be in (0, 1000]. Received: bound={bound}")
    count = round(2 * bound / STEP)
    x = (torch.arange(count, dtype=torch.float64) + 0.5) * STEP
    x = x - float(bound)
    z = x.clone().requires_grad_()
    h = phi(z.clone()) + 0 * z  # phi may be constant, or work in place
    (slope,) = torch.autograd.grad(h.sum(), z)
    return x, slope


def convex_regions(
    phi: Callable[[Tensor], Tensor], bound: float = 8.0
) -> list[tuple[float, float]]:
    """Return the intervals on which phi is convex but not a straight line.

    phi is convex where its slope never falls. A region that reaches the
    bound is taken to go on to infinity.

    Raises:
        ValueError: as slopes_between does.

    >>> convex_regions(torch.relu), convex_regions(torch.tanh)
    ([(-inf, inf)], [(-inf, 0.0)])
    """
    x, slope = slopes_between(phi, bound)
    bend = slope.diff()  # at x + STEP / 2
    falls = (bend < -1e-9).nonzero()[:, 0].tolist()
    regions, start = [], 0
    for stop in [*falls, len(bend)]:
        if bool((bend[start:stop] > 1e-9).any()):
            left = -math.inf if start == 0 else float(x[start]) - STEP / 2
            open_right = stop == len(bend)
            right = math.inf if open_right else float(x[stop]) + STEP / 2
            regions.append((round(left, 2) + 0.0, round(right, 2) + 0.0))
        start = stop + 1
    return regions


def profile(phi: Callable[[Tensor], Tensor]) -> dict[str, float]:
    """Return phi(0), the slopes beside 0, and the extreme ones on (-8, 8).

    >>> found = profile(torch.sigmoid)
    >>> round(found["value"], 2), round(found["largest"], 2)
    (0.5, 0.25)
    """
    _, slope = slopes_between(phi)
    z = torch.tensor([-1e-9, 1e-9], dtype=torch.float64, requires_grad=True)
    h = phi(z.clone()) + 0 * z
    (sides,) = torch.autograd.grad(h.sum(), z)
    slope = torch.cat([slope, sides])
    return {
        "value": phi(torch.zeros(1, dtype=torch.float64)).item(),
        "left": float(sides[0]),
        "right": float(sides[1]),
        "largest": float(slope.max()),
        "least": float(slope.min()),
    }


# --8<-- [end:gallery]


if __name__ == "__main__":
    # --8<-- [start:demo]
    profiles = {name: profile(phi) for name, phi in GALLERY.items()}
    regions = {name: convex_regions(phi) for name, phi in GALLERY.items()}
    everywhere = [(-math.inf, math.inf)]
    convex = [name for name in GALLERY if regions[name] == everywhere]
    print("convex everywhere:", ", ".join(convex))

    three = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    (tanh_slope,) = torch.autograd.grad(torch.tanh(three), three)
    (sigmoid_slope,) = torch.autograd.grad(torch.sigmoid(three), three)
    ten_sigmoids = 0.25**10
    x, _ = slopes_between(torch.relu)
    silu_minimum = x[functional.silu(x).argmin()]
    gap = functional.gelu(x) - functional.gelu(x, approximate="tanh")
    gelu_gap = gap.abs().max()
    # --8<-- [end:demo]


# --8<-- [start:plot_gallery]
def plot_gallery() -> Figure:
    """Draw phi and its slope; the shaded regions are convex."""
    size = (5.2, 7.0)
    fig, axes = plt.subplots(
        5, 3, sharex=True, sharey=True, figsize=size, layout="constrained"
    )
    z = torch.linspace(-4, 4, 65, dtype=torch.float64)
    for ax, (name, phi) in zip(axes.flat, GALLERY.items(), strict=True):
        x = z.clone().requires_grad_()
        (slope,) = torch.autograd.grad(phi(x).sum(), x)
        for left, right in convex_regions(phi):
            ax.axvspan(max(left, -4), min(right, 4), color="C0", alpha=0.12)
        ax.plot(z, phi(z), color="C0", label="φ")
        ax.plot(z, slope, ls="--", color="C1", label="φ′")
        ax.set_title(name)
        ax.set(xlim=(-4, 4), ylim=(-2, 3))
    axes[0, 0].legend(loc="upper left")
    fig.supxlabel("z")
    return fig


if __name__ == "__main__":
    plot_gallery()
    plt.show()
# --8<-- [end:plot_gallery]
