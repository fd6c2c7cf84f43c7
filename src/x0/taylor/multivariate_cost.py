"""H v costs a few gradients whatever n is; the full matrix costs about 2 n.

operations(H v) <= 3 operations(g), operations(H) <= (2 n + 1) operations(g)

Counted for a tanh network with two hidden layers: the multiplications and
additions of all matrix products.
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

SEED = 0
WIDTHS = (2, 4, 8, 16, 32)
# --8<-- [end:imports]


# --8<-- [start:count]
def counted_loss(width: int) -> tuple[Callable[[Tensor], Tensor], Tensor]:
    """Make the loss of an 8-width-width-1 tanh network on 32 samples.

    Args:
        width: Units of both hidden layers.

    Returns:
        The loss of a vector of n parameters, and a random vector.

    >>> counted_loss(4)[1].shape
    torch.Size([52])
    """
    generator = torch.Generator().manual_seed(SEED)
    shapes = [(width, 8), (width, width), (1, width)]
    sizes = [math.prod(shape) for shape in shapes]
    inputs = torch.randn(32, 8, generator=generator)

    def loss(parameters: Tensor) -> Tensor:
        h, parts = inputs, torch.split(parameters, sizes)
        for part, shape in zip(parts, shapes, strict=True):
            h = torch.tanh(h @ part.view(shape).T)
        return h.square().mean()

    return loss, torch.randn(sum(sizes), generator=generator)


def operations(work: Callable[[], object]) -> int:
    """Count the floating-point operations of the matrix products.

    >>> operations(lambda: torch.ones(2, 3) @ torch.ones(3, 5))
    60
    """
    with FlopCounterMode(display=False) as counter:
        work()
    return int(counter.get_total_flops())


def saved_bytes(width: int) -> tuple[int, int]:
    """Return the bytes kept for one gradient, and for H v after it.

    Args:
        width: As for ``counted_loss``.

    >>> saved_bytes(4)[0] < saved_bytes(4)[1]
    True
    """
    loss, point = counted_loss(width)
    kept: list[Tensor] = []  # holds them, so that no address returns

    def keep(tensor: Tensor) -> Tensor:
        kept.append(tensor)
        return tensor

    def total() -> int:
        storages = [tensor.untyped_storage() for tensor in kept]
        return sum({s.data_ptr(): s.nbytes() for s in storages}.values())

    x = point.clone().requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        value = loss(x)
        once = total()
        (g,) = torch.autograd.grad(value, x, create_graph=True)
        _ = g @ torch.ones_like(point)
    return once, total()


def cost_ratios(width: int) -> dict[str, float]:
    """Return what H v and the matrix H cost, in gradients.

    Args:
        width: As for ``counted_loss``.

    Returns:
        "n", the number of parameters; "product" (H v) and "full" (H), as
        multiples of the cost of one gradient.

    >>> cost_ratios(4)["product"] <= 3
    True
    """
    loss, point = counted_loss(width)
    gradient = torch.func.grad(loss)
    vector = torch.ones_like(point)

    def double_backward() -> None:
        x = point.clone().requires_grad_()
        (g,) = torch.autograd.grad(loss(x), x, create_graph=True)
        torch.autograd.grad(g @ vector, x)

    one = operations(lambda: gradient(point))
    full = operations(lambda: torch.func.jacrev(gradient)(point))
    return {
        "n": float(len(point)),
        "product": operations(double_backward) / one,
        "full": full / one,
    }


# --8<-- [end:count]


if __name__ == "__main__":
    # --8<-- [start:demo]
    small, large = cost_ratios(WIDTHS[0]), cost_ratios(WIDTHS[-1])
    once, twice = saved_bytes(WIDTHS[-1])
    memory = twice / once
    for ratios in (small, large):
        share = ratios["full"] / ratios["n"]
        print(
            f"n = {ratios['n']:4.0f}: H v {ratios['product']:.2f} gradients, "
            f"H {ratios['full']:.0f}, H / n {share:.2f}"
        )
    print(f"memory: H v keeps {memory:.1f} times what one gradient keeps")
    # --8<-- [end:demo]


# --8<-- [start:plot_ratios]
def plot_ratios() -> Figure:
    """Draw the cost of H v and of H, in gradients, against n."""
    found = [cost_ratios(width) for width in WIDTHS]
    n = [ratios["n"] for ratios in found]
    figure, axis = plt.subplots(figsize=(5.2, 3.6), layout="constrained")
    full = [ratios["full"] for ratios in found]
    product = [ratios["product"] for ratios in found]
    axis.plot(n, full, "C1s", label="H")
    axis.plot(n, [2 * size + 1 for size in n], "C1--", lw=1, label="2n + 1")
    axis.plot(n, product, "C0o", label="H v")
    axis.plot(n, [3.0] * len(n), "C0--", lw=1, label="3")
    axis.set(xscale="log", yscale="log", ylim=(1, 1e4))
    axis.set(xlabel="parameters n", ylabel="cost in gradients")
    axis.legend()
    return figure


if __name__ == "__main__":
    plot_ratios()
    plt.show()
# --8<-- [end:plot_ratios]
