"""Adaptive methods divide each gradient by the root of its mean square.

AdaGrad sums the squares, RMSProp averages them, Adam corrects the averages.

Duchi et al. (2011); Tieleman and Hinton (2012); Kingma and Ba (2015).
"""

# --8<-- [start:imports]
import torch
from torch import Tensor, nn

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:adagrad]
def adagrad_step(
    theta: Tensor, g: Tensor, u: Tensor, rate: float, epsilon: float = 1e-10
) -> tuple[Tensor, Tensor]:
    """Return parameters and sum of squares after one step of AdaGrad.

    >>> one = torch.ones(1)
    >>> theta, u = adagrad_step(one, -3 * one, 0 * one, 0.1)
    >>> round(float(theta), 3), float(u)
    (1.1, 9.0)
    """
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

    >>> one = torch.ones(1)
    >>> theta, _ = rmsprop_step(one, -3 * one, 0 * one, 0.1)
    >>> round(float(theta), 3)
    2.0
    """
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
        u: mean of their squares, zero before the first step.
        t: number of this step, from 1.
        rate: learning rate.
        betas: what m and u keep in each step.
        epsilon: added to the root of u.
        decay: weight decay.
        decoupled: as in AdamW; else the decay is part of the gradient.

    Raises:
        ValueError: t is less than 1.

    >>> one = torch.ones(1, dtype=torch.float64)
    >>> theta, _, _ = adam_step(one, -3 * one, 0 * one, 0 * one, 1, 0.1)
    >>> round(float(theta), 6)
    1.1
    """
    if t < 1:
        raise ValueError(f"Steps are counted from 1. Received: {t=}")
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


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print steps in units of the rate, and whether torch.optim agrees."""
    generator = torch.Generator().manual_seed(SEED)
    scales = torch.tensor([1e-3, 1.0, 1e3], dtype=torch.float64)
    noise = torch.randn(200, 3, generator=generator, dtype=torch.float64)
    gradients = noise * scales
    zero, rate = torch.zeros(3, dtype=torch.float64), 0.01
    weights = [nn.Parameter(zero.clone()) for _ in range(4)]
    optimizers = [
        torch.optim.Adagrad([weights[0]], lr=rate),
        torch.optim.RMSprop([weights[1]], lr=rate),
        torch.optim.Adam([weights[2]], lr=rate, weight_decay=0.1),
        torch.optim.AdamW([weights[3]], lr=rate, weight_decay=0.1),
    ]
    ours, moments = [zero] * 4, [(zero, zero)] * 4
    values: dict[str, float | tuple[float, float]] = {}
    print("size of the step / rate    AdaGrad  RMSProp     Adam    AdamW")
    for t, g in enumerate(gradients, 1):
        before = ours[:]
        for i in range(4):
            m, u = moments[i]
            if i == 0:
                ours[i], u = adagrad_step(ours[i], g, u, rate)
            elif i == 1:
                ours[i], u = rmsprop_step(ours[i], g, u, rate)
            else:
                ours[i], m, u = adam_step(
                    ours[i], g, m, u, t, rate, decay=0.1, decoupled=i == 3
                )
            moments[i] = m, u
            weights[i].grad = g.clone()
            optimizers[i].step()
        if t in (1, 200):
            pairs = zip(ours, before, strict=True)
            sizes = [float((a - b).abs().mean()) / rate for a, b in pairs]
            print(f"step {t:<20d}", "".join(f"{s:9.2f}" for s in sizes))
            values[f"ada_{t}"], values[f"rms_{t}"] = sizes[:2]
    pairs = zip(ours, (w.detach() for w in weights), strict=True)
    gaps = [float((a - w).abs().max()) for a, w in pairs]
    print("as torch after 200 steps ", *(f"{g < 1e-12!s:>8}" for g in gaps))
    values["gap"] = max(gaps)
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]
