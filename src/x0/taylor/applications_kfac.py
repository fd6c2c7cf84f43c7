"""K-FAC replaces the mean of a product by the product of two means.

mean of h_j h_l s_ik = mean of h_j h_l * mean of s_ik

It holds if h and s are independent: h is the input of a linear layer, s the
second derivative of the loss with respect to its outputs. For squared error
on the outputs of the last layer s is constant and nothing is lost there
(Martens and Grosse 2015).
"""

# --8<-- [start:imports]
import functools

import torch
from sklearn.datasets import load_digits
from torch import Tensor

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:factors]
def coarse_digits() -> tuple[Tensor, Tensor]:
    """Return 500 digits of 4 x 4 pixels, shape (500, 16), and classes."""
    digits = load_digits()
    images = torch.from_numpy(digits.images[:500]) / 16
    h = images.view(500, 4, 2, 4, 2).mean((2, 4)).flatten(1)
    return h, torch.from_numpy(digits.target[:500])


def softmax_curvature(logits: Tensor) -> Tensor:
    """Return the second derivatives of cross-entropy in the logits.

    Args:
        logits: Real, shape (m, C).

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
        h: Inputs of the layer, floating-point, shape (m, fan_in).
        s: Curvatures in its outputs, shape (m, fan_out, fan_out).

    Returns:
        Shapes (fan_in, fan_in) and (fan_out, fan_out).
    """
    return h.T @ h / len(h), s.mean(0)


def exact_block(h: Tensor, s: Tensor) -> Tensor:
    """Return the Gauss-Newton block, shape (fan_in fan_out,) twice.

    Rows and columns run over weights (i, j), output first. The inputs h and
    the curvatures s, floating-point and not empty, are those of kfac_factors.
    """
    block = torch.einsum("nik,nj,nl->ijkl", s, h, h) / len(h)
    return block.reshape(block.shape[0] * block.shape[1], -1)


@functools.cache
def trained_logits(steps: int) -> Tensor:
    """Return the logits (500, 10) after descent from zero, rate 1."""
    h, y = coarse_digits()
    weight = torch.zeros(10, 16, dtype=h.dtype, requires_grad=True)
    for _ in range(steps):
        loss = torch.nn.functional.cross_entropy(h @ weight.T, y)
        (g,) = torch.autograd.grad(loss, weight)
        weight = (weight - g).detach().requires_grad_()
    return (h @ weight.T).detach()


# --8<-- [end:factors]


# --8<-- [start:damped]
def damped_solve(outer: Tensor, inner: Tensor, v: Tensor, tau: float) -> Tensor:
    """Solve (outer x inner + tau I) X = V for the Kronecker product.

    Args:
        outer: Mean of s, float32 or float64, shape (fan_out, fan_out).
        inner: Mean of h h^T, finite, shape (fan_in, fan_in).
        v: A gradient, shape (fan_out, fan_in).
        tau: Damping, positive.

    >>> damped_solve(torch.eye(2), torch.eye(3), torch.ones(2, 3), 1.0)
    tensor([[0.5000, 0.5000, 0.5000],
            [0.5000, 0.5000, 0.5000]])
    """
    nu, left = torch.linalg.eigh(outer)
    omega, right = torch.linalg.eigh(inner)
    turned = left.T @ v @ right
    found: Tensor = left @ (turned / (nu[:, None] * omega + tau)) @ right.T
    return found


# --8<-- [end:damped]


# --8<-- [start:fisher]
def label_block(h: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean of g g^T over samples, g the gradient of one sample.

    Args:
        h: Inputs of the layer, shape (m, fan_in).
        logits: Its real outputs, shape (m, C).
        labels: A class for each sample, shape (m,).

    Returns:
        Shape (C fan_in, C fan_in), in the order of ``exact_block``. Labels
        of the data give the empirical Fisher matrix; labels drawn from
        softmax(logits) have the exact block as their expectation.
    """
    one_hot = torch.nn.functional.one_hot(labels, logits.shape[1])
    d = torch.softmax(logits, 1) - one_hot
    g = (d[:, :, None] * h[:, None]).flatten(1)
    return g.T @ g / len(h)


# --8<-- [end:fisher]


if __name__ == "__main__":
    # --8<-- [start:demo]
    h, y = coarse_digits()
    curvatures = {
        "squared": torch.eye(10, dtype=h.dtype).repeat(len(h), 1, 1),
        "start": softmax_curvature(trained_logits(0)),
        "trained": softmax_curvature(trained_logits(100)),
    }
    errors = {}
    for name, s in curvatures.items():
        inner, outer = kfac_factors(h, s)
        exact = exact_block(h, s)
        gap = torch.kron(outer, inner) - exact
        errors[name] = gap.norm() / exact.norm()
        print(f"{name + ':':8} relative error of K-FAC {errors[name]:.2f}")
    block, factors = exact.numel(), inner.numel() + outer.numel()
    print(f"entries: block {block}, two factors {factors}")
    # --8<-- [end:demo]

    # --8<-- [start:solve]
    zero = torch.linalg.eigvalsh(outer)[0].abs()
    print(f"least eigenvalue of the mean of s below 1e-15: {zero < 1e-15}")
    generator = torch.Generator().manual_seed(SEED)
    v = torch.randn(10, 16, generator=generator, dtype=h.dtype)
    tau = 0.01
    ten, sixteen, all_of_them = (
        torch.eye(n, dtype=h.dtype) for n in (10, 16, 160)
    )
    whole = torch.kron(outer, inner) + tau * all_of_them
    expected = torch.linalg.solve(whole, v.flatten()).view(10, 16)
    gap = damped_solve(outer, inner, v, tau) - expected
    exactly = gap.norm() / expected.norm()
    print(f"by eigenvectors: relative error below 1e-9: {exactly < 1e-9}")
    root = tau**0.5  # K-FAC's short cut: a share of it in each factor
    left = torch.linalg.inv(outer + root * ten)
    right = torch.linalg.inv(inner + root * sixteen)
    roughly = (left @ v @ right - expected).norm() / expected.norm()
    print(f"damping each factor: relative error {roughly:.2f}")
    # --8<-- [end:solve]

    # --8<-- [start:labels]
    logits = trained_logits(100)
    p = torch.softmax(logits, 1)
    draws = [
        torch.multinomial(p, 1, generator=generator)[:, 0] for _ in range(20)
    ]
    blocks = [label_block(h, logits, labels) for labels in draws]
    gaps = torch.stack([(b - exact).norm() / exact.norm() for b in blocks])
    sampled = gaps.mean(), gaps.std() / 20**0.5
    pooled = (sum(blocks) / 20 - exact).norm() / exact.norm()
    empirical = (label_block(h, logits, y) - exact).norm() / exact.norm()
    print(f"labels of the model, one draw:   error {sampled[0]:.2f}")
    print(f"labels of the model, 20 draws:   error {pooled:.2f}")
    print(f"labels of the data (empirical):  error {empirical:.2f}")
    # --8<-- [end:labels]
