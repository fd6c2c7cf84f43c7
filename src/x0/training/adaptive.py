"""Adaptive methods divide each step by the root of past squared gradients.

AdaGrad sums the squares, RMSProp averages them, Adam corrects the averages.

Duchi et al. (2011); Tieleman and Hinton (2012); Kingma and Ba (2015).
"""

# --8<-- [start:imports]
import torch
from torch import Tensor, nn

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:adagrad]
def _check_step(epsilon: float, theta: Tensor, *others: Tensor) -> None:
    """Raise ValueError for other shapes, or an epsilon that rounds to 0.

    In float16 that is so below 3e-8: a gradient of 0 would give 0 / 0.
    """
    shapes = {tuple(x.shape) for x in (theta, *others)}
    rounded = torch.tensor(epsilon).to(theta.dtype)
    if len(shapes) > 1 or not theta.is_floating_point() or not rounded > 0:
        raise ValueError(
            "Expected one shape, real numbers, and an epsilon above 0 in "
            f"their type. Received: {shapes}, {theta.dtype}, {epsilon=}"
        )


def adagrad_step(
    theta: Tensor, g: Tensor, u: Tensor, rate: float, epsilon: float = 1e-10
) -> tuple[Tensor, Tensor]:
    """Return parameters and sum of squares after one step of AdaGrad.

    The sum u before it is not negative.

    Raises:
        ValueError: as `_check_step` does.

    >>> one = torch.ones(1)
    >>> theta, u = adagrad_step(one, -3 * one, 0 * one, 0.1)
    >>> round(float(theta), 3), float(u)
    (1.1, 9.0)
    """
    _check_step(epsilon, theta, g, u)
    u = u + g**2
    return theta - rate * g / (u.sqrt() + epsilon), u


# --8<-- [end:adagrad]


# --8<-- [start:rmsprop]
def rmsprop_step(
    theta: Tensor,
    g: Tensor,
    u: Tensor,
    rate: float,
    beta: float = 0.99,
    epsilon: float = 1e-8,
) -> tuple[Tensor, Tensor]:
    """Return parameters and mean square after one step of RMSProp.

    The mean u before it is not negative.

    Raises:
        ValueError: beta is not in [0, 1); also as `_check_step` does.

    >>> one = torch.ones(1)
    >>> theta, _ = rmsprop_step(one, -3 * one, 0 * one, 0.1)
    >>> round(float(theta), 3)
    2.0
    """
    _check_step(epsilon, theta, g, u)
    if not 0 <= beta < 1:
        raise ValueError(f"Expected 0 <= beta < 1. Received: {beta=}")
    u = beta * u + (1 - beta) * g**2
    return theta - rate * g / (u.sqrt() + epsilon), u


# --8<-- [end:rmsprop]


# --8<-- [start:adam]
def adam_step(
    theta: Tensor,
    g: Tensor,
    m: Tensor,
    u: Tensor,
    t: int,
    rate: float,
    betas: tuple[float, float] = (0.9, 0.999),
    epsilon: float = 1e-8,
    decay: float = 0.0,
    decoupled: bool = True,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return parameters and both moments after step t of Adam or AdamW.

    Args:
        theta: parameters, any shape.
        g: the gradient at theta.
        m: mean of the gradients, zero before the first step.
        u: mean of their squares, not negative, zero before the first step.
        t: number of this step, from 1.
        rate: learning rate.
        betas: what m and u keep in each step, both in [0, 1).
        epsilon: added to the root of u.
        decay: weight decay.
        decoupled: as in AdamW; else the decay is part of the gradient.

    Raises:
        ValueError: t is less than 1; also as `_check_step` does.

    >>> one = torch.ones(1, dtype=torch.float64)
    >>> theta, _, _ = adam_step(one, -3 * one, 0 * one, 0 * one, 1, 0.1)
    >>> round(float(theta), 6)
    1.1
    """
    if t < 1:
        raise ValueError(f"Steps are counted from 1. Received: {t=}")
    _check_step(epsilon, theta, g, m, u)
    if decoupled:
        theta = (1 - rate * decay) * theta
    else:
        g = g + decay * theta
    m = betas[0] * m + (1 - betas[0]) * g
    u = betas[1] * u + (1 - betas[1]) * g**2
    mean = m / (1 - betas[0] ** t)
    square = u / (1 - betas[1] ** t)
    return theta - rate * mean / (square.sqrt() + epsilon), m, u


# --8<-- [end:adam]


if __name__ == "__main__":
    # --8<-- [start:demo]
    generator = torch.Generator().manual_seed(SEED)
    scales = torch.tensor([1e-3, 1.0, 1e3], dtype=torch.float64)
    noise = torch.randn(200, 3, generator=generator, dtype=torch.float64)
    zero, rate = torch.zeros(3, dtype=torch.float64), 0.01
    weights = [nn.Parameter(zero.clone()) for _ in range(4)]
    optimizers = [
        torch.optim.Adagrad([weights[0]], lr=rate),
        torch.optim.RMSprop([weights[1]], lr=rate),
        torch.optim.Adam([weights[2]], lr=rate, weight_decay=0.1),
        torch.optim.AdamW([weights[3]], lr=rate, weight_decay=0.1),
    ]
    ada = rms = adam = adamw = zero
    m2 = m3 = u0 = u1 = u2 = u3 = zero
    steps = []  # in units of the rate
    for t, g in enumerate(noise * scales, 1):
        before = torch.stack([ada, rms, adam, adamw])
        ada, u0 = adagrad_step(ada, g, u0, rate)
        rms, u1 = rmsprop_step(rms, g, u1, rate)
        adam, m2, u2 = adam_step(
            adam, g, m2, u2, t, rate, decay=0.1, decoupled=False
        )
        adamw, m3, u3 = adam_step(adamw, g, m3, u3, t, rate, decay=0.1)
        ours = ada, rms, adam, adamw
        steps.append((torch.stack(ours) - before) / rate)
        for weight, optimizer in zip(weights, optimizers, strict=True):
            weight.grad = g.clone()
            optimizer.step()
    first = steps[0].abs()
    late = torch.stack(steps[100:]).square().mean(0).sqrt()
    print("step / rate     gradient   AdaGrad  RMSProp     Adam    AdamW")
    for name, sizes in (("step 1", first), ("rms of 101-200", late)):
        for scale, row in zip(scales, sizes.T, strict=True):
            print(f"{name:<16}{scale:<8g}", "".join(f"{s:9.2f}" for s in row))
    pairs = zip(ours, weights, strict=True)
    gaps = [(a - w).abs().max().item() for a, w in pairs]
    print("as torch after 200 steps ", *(f"{g < 1e-12!s:>8}" for g in gaps))
    # --8<-- [end:demo]
