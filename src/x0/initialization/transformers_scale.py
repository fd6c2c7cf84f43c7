"""With one standard deviation, 0.02, the width decides what a block adds.

u_attention = (n v)^2 / t;  u_MLP = 4 n v E[gelu(sqrt(n v) Z)^2]

n v = n * 0.02^2 is 0.31 for width 768; t counts the visible tokens.
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
WIDTH, STD, BLOCKS, HEADS, TOKENS, NETWORKS = 192, 0.04, 12, 3, 4, 8
# 192 * 0.04^2 = 768 * 0.02^2: the n v of GPT-2 small
# --8<-- [end:imports]


# --8<-- [start:predict]
def branch_moments(n_v: float, tokens: int = 1) -> tuple[float, float]:
    """Return second moments of the attention and the MLP branch.

    Args:
        n_v: width times the variance of all weights, not negative.
        tokens: how many tokens the attention averages over, at least 1.

    >>> u_attention, u_mlp = branch_moments(1.0)
    >>> u_attention, round(u_mlp, 3)
    (1.0, 1.701)
    """
    x, w = np.polynomial.hermite_e.hermegauss(80)
    z = torch.from_numpy(math.sqrt(n_v) * x)
    gelu = torch.nn.functional.gelu(z).numpy()
    moment = float((w * gelu**2).sum() / w.sum())
    return n_v * n_v / tokens, 4 * n_v * moment


# --8<-- [end:predict]


# --8<-- [start:measure]
@functools.cache
def gpt_stream(scaled: bool) -> Tensor:
    """Run GPT blocks of the same n v and return the stream by branch.

    Returns:
        Second moments of shape (2 * BLOCKS + 1, NETWORKS, TOKENS).
    """
    generator = torch.Generator().manual_seed(SEED)

    def weight(m: int, n: int, factor: float = 1) -> Tensor:
        shape = (NETWORKS, m, n)
        return factor * STD * torch.randn(shape, generator=generator)

    residual = 1 / math.sqrt(2 * BLOCKS) if scaled else 1.0
    x = STD * torch.randn(NETWORKS, TOKENS, WIDTH, generator=generator)
    r = [x.square().mean(2)]
    for _ in range(BLOCKS):
        y = torch.layer_norm(x, (WIDTH,))
        qkv = y @ weight(WIDTH, 3 * WIDTH)
        heads = qkv.view(NETWORKS, TOKENS, 3, HEADS, -1)
        q, k, v = heads.permute(2, 0, 3, 1, 4)
        a = torch.nn.functional.scaled_dot_product_attention(
            q, k, v, is_causal=True
        )
        a = a.transpose(1, 2).flatten(2)
        x = x + a @ weight(WIDTH, WIDTH, residual)
        r.append(x.square().mean(2))
        y = torch.layer_norm(x, (WIDTH,))
        h = torch.nn.functional.gelu(y @ weight(WIDTH, 4 * WIDTH))
        x = x + h @ weight(4 * WIDTH, WIDTH, residual)
        r.append(x.square().mean(2))
    return torch.stack(r)


# --8<-- [end:measure]


if __name__ == "__main__":
    # --8<-- [start:demo]
    n_v, attention, mlp = {}, {}, {}
    for n in (768, 1024, 1280, 1600, 4096, 5120, 12288):
        n_v[n] = n * 0.02**2
        attention[n], mlp[n] = branch_moments(n_v[n])
    growth = mlp[1600] / mlp[768]
    both = sum(branch_moments(WIDTH * STD**2))
    predicted, measured = {}, {}
    print("after 12 blocks: predicted, measured")
    for name, factor in (("plain", 1.0), ("scaled", 1 / (2 * BLOCKS))):
        predicted[name] = STD**2 + BLOCKS * both * factor
        r = gpt_stream(name == "scaled")[-1, :, 0]
        measured[name] = (r.mean(), r.std() / math.sqrt(NETWORKS))
        print(f"  {name:<8}{predicted[name]:8.2g}{r.mean():10.2g}")

    r = gpt_stream(False).mean(1)
    added = (r[1::2] - r[:-1:2])[:, 3]  # by attention, at the 4th position
    apart = branch_moments(WIDTH * STD**2, 4)[0]
    fourth = {"first": added[0], "later": added[1:].mean()}
    end = {  # of GPT-2 small, residual weights divided by …
        "√(2D)": 0.02**2 + both / 2,
        "2D": 0.02**2 + both / (4 * BLOCKS),
    }
    # --8<-- [end:demo]


# --8<-- [start:plot_stream]
def plot_stream() -> Figure:
    """Draw the stream of the first token by branch, with 1/√(2D) or not."""
    fig, ax = plt.subplots(figsize=(5.6, 3.6))
    fig.set_layout_engine("constrained", rect=(0, 0, 0.98, 1))
    k = np.arange(2 * BLOCKS + 1)
    steps = np.tile(branch_moments(WIDTH * STD**2), BLOCKS)
    for i, scaled in enumerate((False, True)):
        factor = 1 / (2 * BLOCKS) if scaled else 1.0
        theory = STD**2 + np.concatenate([[0], np.cumsum(steps * factor)])
        plain = "residual weights undivided"
        name = "residual weights / √(2D)" if scaled else plain
        label = None if scaled else "predicted"
        ax.plot(k, theory, ls="--", lw=1, color="black", label=label)
        r = gpt_stream(scaled)[:, :, 0].mean(1)
        ax.plot(k, r, "os"[i], ms=5, color=f"C{i}", label=name)
    ax.set_yscale("log")
    ax.set_xlabel("branch k")
    ax.set_ylabel("second moment r")
    ax.legend()
    return fig


if __name__ == "__main__":
    plot_stream()
    plt.show()
# --8<-- [end:plot_stream]
