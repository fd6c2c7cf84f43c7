"""Orthogonal weights can keep all singular values of a Jacobian, Gaussian not.

Var(s^2) / mean(s^2)^2 = depth * (mu_2 / mu_1^2 - 1 + gaussian)

with mu_k the mean of phi'(z)^(2k), and gaussian 1 for independent Gaussian
weights, 0 for orthogonal ones. Pennington, Schoenholz and Ganguli (2017),
"Resurrecting the sigmoid in deep learning through dynamical isometry".
"""

# --8<-- [start:imports]
import functools
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

SEED = 0
WIDTH, DEPTH, NETWORKS = 128, 30, 4
START = 0.1  # second moment of the input; only tanh depends on it
GAINS = {"linear": 1.0, "tanh": 1.0, "ReLU": math.sqrt(2)}
# --8<-- [end:imports]


# --8<-- [start:weights]
def draw(
    shape: tuple[int, int, int], orthogonal: bool, generator: torch.Generator
) -> Tensor:
    """Return square weights of shape (networks, n, n), n * Var(w) = 1.

    >>> generator = torch.Generator().manual_seed(0)
    >>> w = draw((2, 8, 8), True, generator)
    >>> bool(torch.allclose(w @ w.mT, torch.eye(8, dtype=w.dtype)))
    True
    """
    w = torch.randn(shape, generator=generator, dtype=torch.float64)
    if not orthogonal:
        return w / math.sqrt(shape[-1])
    q, r = torch.linalg.qr(w)
    q *= r.diagonal(dim1=1, dim2=2).sign()[:, None]
    return torch.as_tensor(q)


# --8<-- [end:weights]


# --8<-- [start:jacobian]
@functools.cache
def jacobians(
    activation: str, orthogonal: bool, depth: int = DEPTH, start: float = START
) -> tuple[Tensor, Tensor]:
    """Follow input-output Jacobians and the predicted spread by layer.

    J_l = diag(phi'(z_l)) W_l J_{l-1}; all networks in one batch.

    Returns:
        Relative variance of the squared singular values, measured and
        predicted from phi'(z_l), shape (2, depth, networks); the singular
        values of the last layer, shape (networks, n), largest first.

    Raises:
        ValueError: the activation is not a key of GAINS.

    >>> spread, s = jacobians("linear", True, 2)
    >>> bool(torch.allclose(s, torch.ones_like(s)))
    True
    """
    if activation not in GAINS:
        names = ", ".join(GAINS)
        raise ValueError(f"Expected one of {names}. Received: {activation=}")
    generator = torch.Generator().manual_seed(SEED)
    shape = (NETWORKS, WIDTH, WIDTH)
    h = torch.randn(shape[:2], generator=generator, dtype=torch.float64)
    h = h / h.square().mean(1, keepdim=True).sqrt() * math.sqrt(start)
    jacobian = torch.eye(WIDTH, dtype=torch.float64).expand(shape)
    rows, expected = [], torch.zeros(NETWORKS, dtype=torch.float64)
    for _ in range(depth):
        w = GAINS[activation] * draw(shape, orthogonal, generator)
        z = (w @ h[..., None])[..., 0]
        h = {"linear": z, "tanh": z.tanh(), "ReLU": z.relu()}[activation]
        slope = {"linear": z * 0 + 1, "tanh": 1 - h**2, "ReLU": (z > 0) * 1.0}
        d = slope[activation]
        jacobian = d[..., None] * (w @ jacobian)
        mu_1, mu_2 = d.square().mean(1), d.pow(4).mean(1)
        expected = expected + mu_2 / mu_1**2 - 1 + (not orthogonal)
        gram = jacobian.mT @ jacobian
        mean = gram.diagonal(dim1=1, dim2=2).mean(1)
        measured = gram.square().sum((1, 2)) / WIDTH / mean**2 - 1
        rows.append(torch.stack([measured, expected]))
    return torch.stack(rows, 1), torch.linalg.svdvals(jacobian)


# --8<-- [end:jacobian]


if __name__ == "__main__":
    # --8<-- [start:demo]
    measured, predicted, size, share = {}, {}, {}, {}
    print("network              spread(10)   share within 2 of the rms")
    for activation in GAINS:
        for orthogonal in (False, True):
            case = activation, "orthogonal" if orthogonal else "Gaussian"
            spread, s = jacobians(activation, orthogonal)
            ten, theory = spread[:, 9]
            measured[case] = ten.mean(), ten.std() / math.sqrt(NETWORKS)
            predicted[case] = theory.mean()
            rms = s.square().mean(1, keepdim=True).sqrt()
            near = (s / rms).log().abs() < math.log(2)
            size[case], share[case] = rms.mean(), near.double().mean()
            row = f"{', '.join(case):<20}{abs(ten.mean()):11.1f}"
            print(f"{row}{share[case]:16.2f}")
    end, rms_end = {}, {}
    print("orthogonal tanh, input q   spread(30)   rms(30)")
    for q in (0.1, 1.0):
        spread, s = jacobians("tanh", True, start=q)
        last = spread[0, -1]
        end[q] = last.mean(), last.std() / math.sqrt(NETWORKS)
        rms_end[q] = s.square().mean(1).sqrt().mean()
        print(f"{q:<26g}{last.mean():11.1f}{rms_end[q]:10.1f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_singular_values]
def plot_singular_values() -> Figure:
    """Draw the sorted singular values of six kinds of network."""
    size = (5.6, 5.6)
    fig, axes = plt.subplots(3, sharex=True, figsize=size, layout="constrained")
    share = (np.arange(WIDTH) + 0.5) / WIDTH
    for ax, activation in zip(axes, GAINS, strict=True):
        ax.axhline(1, ls="--", lw=1, color="black")
        for i, kind in enumerate(("Gaussian", "orthogonal")):
            s = jacobians(activation, kind == "orthogonal")[1][0].numpy()
            s = s / math.sqrt((s**2).mean())
            shown = s > 1e-4
            style = {"color": ("C0", "C3")[i], "label": kind, "ms": 3}
            line = ax.plot(share[shown], s[shown], "^o"[i], **style)
            line[0].set_markerfacecolor(("none", "C3")[i])
        ax.set_yscale("log")
        ax.set_ylim(1e-4, 40)
        ax.set_title(activation, loc="left")
    axes[0].legend(loc="lower left")
    axes[1].set_ylabel("singular value / root mean square")
    axes[2].set_xlabel("rank, as a share of the width")
    return fig


if __name__ == "__main__":
    plot_singular_values()
    plt.show()
# --8<-- [end:plot_singular_values]


# --8<-- [start:plot_spread]
def plot_spread() -> Figure:
    """Draw the spread of the squared singular values by layer."""
    fig, ax = plt.subplots(figsize=(5.6, 4.0))
    fig.set_layout_engine("constrained", rect=(0, 0, 0.98, 1))
    layers = np.arange(1, 21)
    cases = [(a, o) for o in (False, True) for a in ("ReLU", "tanh", "linear")]
    for i, (activation, orthogonal) in enumerate(cases[:-1]):
        kind = "orthogonal" if orthogonal else "Gaussian"
        measured, theory = jacobians(activation, orthogonal)[0][:, :20].mean(2)
        ax.plot(layers, theory, ls="--", lw=1, color=f"C{i}")
        (line,) = ax.plot(layers, measured, "os^Dv"[i], color=f"C{i}", ms=5)
        line.set_label(f"{activation}, {kind}")
        line.set_markevery((i % 3, 3))
    ax.set_yscale("log")
    ax.set_xticks(range(0, 21, 5))
    ax.set_xlabel("layer")
    ax.set_ylabel("relative variance of squared singular values")
    ax.legend(fontsize="small", ncols=2, loc=(0.32, 0.02))
    return fig


if __name__ == "__main__":
    plot_spread()
    plt.show()
# --8<-- [end:plot_spread]
