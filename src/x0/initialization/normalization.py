"""Before a normalization the scale of a weight changes nothing but its steps.

loss(a w) = loss(w), gradient(a w) = gradient(w) / a, <w, gradient> = 0

Ioffe and Szegedy (2015), "Batch Normalization"; van Laarhoven (2017), "L2
Regularization versus Batch and Weight Normalization".
"""

# --8<-- [start:imports]
import copy
import math
from typing import Any

import torch
from torch import Tensor, nn

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:rates]
@torch.no_grad()
def effective_learning_rates(
    model: nn.Module,
    batch: Tensor,
    lr: float,
    tol: float = 1e-3,
    optimizer: str = "sgd",
) -> dict[str, float]:
    """Return the effective rate of each weight whose scale the model ignores.

    It is lr / |w|^2 for SGD and lr / |w| for Adam, whose steps do not shrink
    with the gradient.

    Doubles one weight at a time and looks whether the output changes. One
    that can be 0 without a change is left out: it may stand behind a gate of
    0. Works on a copy in train mode, with the same draws of dropout in each
    call: the model and the generators stay as they are.

    Args:
        model: returns one tensor, has numbers, and can be copied (the old
            torch.nn.utils.weight_norm cannot).
        batch: what the model is called with.
        lr: learning rate.
        tol: largest change of the output, relative to its size.
        optimizer: sgd or adam.

    Raises:
        ValueError: lr is not positive, the optimizer is another one, or the
            model is not as above.

    >>> net = nn.Sequential(nn.Linear(8, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    >>> list(effective_learning_rates(net, torch.randn(32, 8), lr=0.1))
    ['0.weight']
    """
    if lr <= 0:
        raise ValueError(f"Expected a positive learning rate. Received: {lr=}")
    if optimizer not in ("sgd", "adam"):
        raise ValueError(f"Expected sgd or adam. Received: {optimizer=}")
    try:
        model = copy.deepcopy(model).train()
    except RuntimeError as error:
        raise ValueError(f"No copy. Received: {type(model)}") from error
    if any(nn.parameter.is_lazy(p) or p.is_meta for p in model.parameters()):
        raise ValueError(f"Expected numbers. Received: {type(model)}")

    def run() -> Any:
        with torch.random.fork_rng(range(torch.cuda.device_count())):
            return model(batch.clone())  # from the same state each time

    output = run()
    if not isinstance(output, Tensor):
        raise ValueError(f"Expected a tensor. Received: {type(output)}")
    rates = {}
    for name, weight in model.named_parameters():
        number = weight.is_floating_point() or weight.is_complex()
        if weight.ndim < 2 or not number or not weight.any():
            continue  # twice 0 is 0
        value, changes = weight.clone(), []
        for factor in (2, 0):
            weight.copy_(factor * value)
            difference = run() - output
            changes.append(float(difference.abs().square().mean().sqrt()))
        weight.copy_(value)
        limit = tol * float(output.abs().square().mean().sqrt())
        if changes[0] <= limit and not changes[1] <= limit:  # or NaN
            length = float(weight.abs().square().sum().sqrt())
            rates[name] = lr / (length if optimizer == "adam" else length**2)
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


# --8<-- [start:architectures]
class QKNorm(nn.Module):
    """x + attention(norm(x)), queries and keys normalized after the weights."""

    def __init__(self, width: int) -> None:
        """Make the norm and the four weights of attention, width at least 1."""
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.q, self.k, self.v, self.out = (
            nn.Linear(width, width, bias=False) for _ in range(4)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output, of the shape of x."""
        y = self.norm(x)
        q, k = (torch.rms_norm(w(y), y.shape[-1:]) for w in (self.q, self.k))
        a = nn.functional.scaled_dot_product_attention(q, k, self.v(y))
        out: Tensor = x + self.out(a)
        return out


def architectures(width: int = 32) -> dict[str, nn.Module]:
    """Return models for inputs of shape (batch, width, width).

    Args:
        width: a multiple of 4, from 8 on.
    """
    conv = nn.Sequential(
        nn.Unflatten(1, (1, width)),
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 4, 3),
        nn.BatchNorm2d(4),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 10),
    )
    encoders = {
        f"{name}-norm": nn.TransformerEncoder(
            nn.TransformerEncoderLayer(
                width, 4, 64, dropout=0.0, norm_first=first, batch_first=True
            ),
            num_layers=2,
            enable_nested_tensor=False,
        )
        for name, first in (("pre", True), ("post", False))
    }
    return {
        "conv-BatchNorm": conv,
        **encoders,
        "QK-norm": QKNorm(width),
        "weight norm": nn.utils.parametrizations.weight_norm(
            nn.Linear(width, width)
        ),
    }


# --8<-- [end:architectures]


if __name__ == "__main__":
    # --8<-- [start:demo]
    norms = {
        "BatchNorm": nn.BatchNorm1d(16),
        "LayerNorm": nn.LayerNorm(16),
        "none": nn.Identity(),
    }
    ratios = {}
    print("a = 10     loss ratio  gradient ratio  cosine of w, gradient")
    for name, norm in norms.items():
        found = identities(norm.double(), 10)
        ratios[name] = found
        cosine = found["cosine"] if abs(found["cosine"]) > 1e-3 else 0.0
        row = f"{name:<11}{found['loss']:10.2f}{found['gradient']:16.2f}"
        print(f"{row}{cosine:23.2f}")
    small = {  # where eps ends the invariance
        std: identities(nn.BatchNorm1d(16).double(), 10, std)
        for std in (0.1, 0.01, 0.001)
    }
    hidden = nn.Linear(32, 64)
    model = nn.Sequential(
        hidden, nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10)
    )
    generator = torch.Generator().manual_seed(SEED)
    x = torch.randn(64, 32, generator=generator)
    rates = {}
    for std in (0.01, 0.1):
        nn.init.normal_(hidden.weight, std=std, generator=generator)
        rates[std] = effective_learning_rates(model, x, 0.1, 0.1)
        for name, rate in rates[std].items():
            print(f"std {std:<5} lr 0.1  effective rate of {name}: {rate:.1g}")
    # --8<-- [end:demo]

    # --8<-- [start:which]
    torch.manual_seed(SEED)
    x = torch.randn(16, 32, 32)
    print("weights whose scale the model ignores:")
    for name, network in architectures().items():
        free = list(effective_learning_rates(network, x, 0.1))
        print(f"  {name:<16}", *free or ["none"])
    # --8<-- [end:which]
