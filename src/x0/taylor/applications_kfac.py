"""K-FAC replaces the mean of a product by the product of two means.

mean of h_j h_l s_ik = mean of h_j h_l * mean of s_ik

It holds if h and s are independent: h is the input of a linear layer, s the
second derivative of the loss by its outputs. For squared error s is constant
and nothing is lost (Martens and Grosse 2015).
"""

# --8<-- [start:imports]
import torch
from sklearn.datasets import load_digits
from torch import Tensor

# --8<-- [end:imports]


# --8<-- [start:factors]
def coarse_digits() -> tuple[Tensor, Tensor]:
    """Return 500 digits of 4 x 4 pixels, shape (500, 16), and classes."""
    digits = load_digits()
    images = torch.from_numpy(digits.images[:500]) / 16
    h = images.view(500, 4, 2, 4, 2).mean((2, 4)).flatten(1)
    return h, torch.from_numpy(digits.target[:500])


def softmax_curvature(logits: Tensor) -> Tensor:
    """Return the second derivatives of cross-entropy by the logits.

    Args:
        logits: Shape (m, C).

    Returns:
        Shape (m, C, C); it does not depend on the classes.

    >>> softmax_curvature(torch.zeros(1, 2))
    tensor([[[ 0.2500, -0.2500],
             [-0.2500,  0.2500]]])
    """
    p = torch.softmax(logits, 1)
    return torch.diag_embed(p) - p[:, :, None] * p[:, None, :]


def kfac_factors(h: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
    """Return the two factors: means of h h^T and of s.

    Args:
        h: Inputs of the layer, shape (m, fan_in).
        s: Curvatures by its outputs, shape (m, fan_out, fan_out).

    Returns:
        Shapes (fan_in, fan_in) and (fan_out, fan_out).
    """
    return h.T @ h / len(h), s.mean(0)


def exact_block(h: Tensor, s: Tensor) -> Tensor:
    """Return the Gauss-Newton block, shape (fan_in fan_out,) twice.

    Rows and columns run over weights (i, j), output first.
    """
    block = torch.einsum("nik,nj,nl->ijkl", s, h, h) / len(h)
    return block.reshape(block.shape[0] * block.shape[1], -1)


# --8<-- [end:factors]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print the error of K-FAC for squared error and for cross-entropy."""
    h, y = coarse_digits()
    squared = torch.eye(10, dtype=h.dtype).repeat(len(h), 1, 1)
    values: dict[str, float | tuple[float, float]] = {}
    weight = torch.zeros(10, 16, dtype=h.dtype, requires_grad=True)
    for name, steps in (("squared", 0), ("start", 0), ("trained", 100)):
        for _ in range(steps):
            loss = torch.nn.functional.cross_entropy(h @ weight.T, y)
            (g,) = torch.autograd.grad(loss, weight)
            weight = (weight - g).detach().requires_grad_()
        curvature = softmax_curvature((h @ weight.T).detach())
        s = squared if name == "squared" else curvature
        inner, outer = kfac_factors(h, s)
        exact = exact_block(h, s)
        gap = (torch.kron(outer, inner) - exact).norm() / exact.norm()
        values[name] = gap.item()
        print(f"{name + ':':8} relative error of K-FAC {gap:.2f}")
    entries = inner.numel() + outer.numel()
    print(f"entries: block {exact.numel()}, two factors {entries}")
    return values | {"block": exact.numel(), "factors": entries}


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]
