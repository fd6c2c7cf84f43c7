"""Before a normalization the scale of a weight changes nothing but its steps.

loss(a w) = loss(w), gradient(a w) = gradient(w) / a, <w, gradient> = 0

Ioffe and Szegedy (2015), "Batch Normalization"; van Laarhoven (2017), "L2
Regularization versus Batch and Weight Normalization".
"""

# --8<-- [start:imports]
import copy
import math

import torch
from torch import Tensor, nn

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:rates]
@torch.no_grad()
def effective_learning_rates(
    model: nn.Module, batch: Tensor, lr: float, tol: float = 1e-3
) -> dict[str, float]:
    """Return lr / |w|^2 of each weight whose scale the model ignores.

    Doubles one weight at a time and looks whether the output changes. Works
    on a copy in train mode, without dropout: the model stays as it is.

    Args:
        model: any module that returns one tensor.
        batch: what the model is called with.
        lr: learning rate.
        tol: largest change of the output, relative to its size.

    Raises:
        ValueError: lr is not positive.

    >>> net = nn.Sequential(nn.Linear(8, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    >>> list(effective_learning_rates(net, torch.randn(32, 8), lr=0.1))
    ['0.weight']
    """
    if lr <= 0:
        raise ValueError(f"Expected a positive learning rate. Received: {lr=}")
    model = copy.deepcopy(model).train()
    for module in model.modules():
        if "Dropout" in type(module).__name__:
            module.eval()
    output = model(batch)
    rates = {}
    for name, weight in model.named_parameters():
        if weight.ndim < 2:
            continue
        weight.mul_(2)
        change = float((model(batch) - output).square().mean().sqrt())
        weight.div_(2)
        if change <= tol * float(output.square().mean().sqrt()):
            rates[name] = lr / float(weight.square().sum())
    return rates


# --8<-- [end:rates]


# --8<-- [start:identities]
def identities(norm: nn.Module, a: float, std: float = 1.0) -> dict[str, float]:
    """Compare a weight w before a normalization with a * w.

    Args:
        norm: normalization of 16 units, in float64.
        a: factor of the weight.
        std: standard deviation of w, times sqrt(fan_in).

    Returns:
        loss: loss(a w) / loss(w); gradient: |gradient(a w)| / |gradient(w)|;
        cosine: of the angle between w and the gradient at w.

    >>> found = identities(nn.BatchNorm1d(16, eps=1e-30).double(), 10)
    >>> {name: round(value, 6) + 0.0 for name, value in found.items()}
    {'loss': 1.0, 'gradient': 0.1, 'cosine': 0.0}
    """
    generator = torch.Generator().manual_seed(SEED)
    x = torch.randn(64, 32, generator=generator).double()
    target = torch.randn(64, 16, generator=generator).double()
    w = torch.randn(16, 32, generator=generator).double() * std / math.sqrt(32)
    losses, gradients = [], []
    for factor in (1.0, a):
        weight = (factor * w).requires_grad_()
        loss = (norm(x @ weight.T).relu() - target).square().mean()
        losses.append(float(loss.detach()))
        gradients.append(torch.autograd.grad(loss, weight)[0])
    first, second = gradients
    return {
        "loss": losses[1] / losses[0],
        "gradient": float(second.norm() / first.norm()),
        "cosine": float((w * first).sum() / w.norm() / first.norm()),
    }


# --8<-- [end:identities]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print the identities for a = 10 and the rates of a small network."""
    values: dict[str, float | tuple[float, float]] = {}
    norms = {
        "BatchNorm": nn.BatchNorm1d(16),
        "LayerNorm": nn.LayerNorm(16),
        "none": nn.Identity(),
    }
    print("a = 10     loss ratio  gradient ratio  cosine of w, gradient")
    for name, norm in norms.items():
        found = identities(norm.double(), 10)
        for key, value in found.items():
            values[f"{key}_{name.lower()}"] = value
        cosine = found["cosine"] if abs(found["cosine"]) > 1e-3 else 0.0
        row = f"{name:<11}{found['loss']:10.2f}{found['gradient']:16.2f}"
        print(f"{row}{cosine:23.2f}")
    for std in (0.1, 0.01, 0.001):
        found = identities(nn.BatchNorm1d(16).double(), 10, std)
        values[f"eps_{std:.0e}".replace("-", "_")] = found["loss"]
        values[f"eps_gradient_{std:.0e}".replace("-", "_")] = found["gradient"]
    hidden = nn.Linear(32, 64)
    model = nn.Sequential(
        hidden, nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10)
    )
    generator = torch.Generator().manual_seed(SEED)
    x = torch.randn(64, 32, generator=generator)
    for std in (0.01, 0.1):
        nn.init.normal_(hidden.weight, std=std, generator=generator)
        for name, rate in effective_learning_rates(model, x, 0.1, 0.1).items():
            print(f"std {std:<5} lr 0.1  effective rate of {name}: {rate:.1g}")
            values[f"rate_{std:.0e}".replace("-", "_")] = rate
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]
