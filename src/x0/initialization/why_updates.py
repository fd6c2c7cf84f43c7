"""Under SGD vanishing leaves weights in place, exploding throws them away.

Adam's first step: theta_1 - theta_0 = -eta * g / (|g| + eps)

Kingma and Ba (2015), algorithm 1, with the moments corrected for bias.
"""

# --8<-- [start:imports]
import math

import torch
from sklearn.datasets import load_digits
from torch import nn

SEED = 0
DEPTH, WIDTH, RATE = 20, 64, 0.01
SCALES = {"vanishing": 0.1, "barely": 0.5, "He": 1.0, "exploding": 2.0}
# --8<-- [end:imports]


# --8<-- [start:step]
def first_step(
    scale: float, optimizer: str, rate: float = RATE
) -> dict[str, float]:
    """Take one step with a deep ReLU network and report what it did.

    Args:
        scale: Multiplies the standard deviation of He.
        optimizer: "SGD" or "Adam".
        rate: Learning rate.

    Returns:
        "change": the norm of the change of the weights of layer 1, divided
        by the norm of the weights; "before" and "after": the losses.

    Raises:
        ValueError: The optimizer is unknown.

    >>> result = first_step(0.1, "SGD")
    >>> result["change"] < 1e-6, result["after"] == result["before"]
    (True, False)
    """
    if optimizer not in ("SGD", "Adam"):
        raise ValueError(f"Expected SGD or Adam. Received: {optimizer=}")
    generator = torch.Generator().manual_seed(SEED)
    images, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(images[:128]) / 8 - 1, torch.tensor(labels[:128])
    modules: list[nn.Module] = []
    for layer in range(DEPTH):
        linear = nn.Linear(64, WIDTH if layer < DEPTH - 1 else 10).double()
        std = scale * math.sqrt(2 / 64)
        nn.init.normal_(linear.weight, 0.0, std, generator=generator)
        nn.init.zeros_(linear.bias)
        modules += [linear, nn.ReLU()]
    model = nn.Sequential(*modules[:-1])
    step = getattr(torch.optim, optimizer)(model.parameters(), lr=rate)
    loss = nn.functional.cross_entropy(model(x), y)
    loss.backward()
    first = next(model.parameters())
    start = first.detach().clone()
    step.step()
    with torch.no_grad():
        change = float((first - start).norm() / start.norm())
        after = float(nn.functional.cross_entropy(model(x), y))
    return {"change": change, "before": loss.item(), "after": after}


# --8<-- [end:step]


if __name__ == "__main__":
    # --8<-- [start:demo]
    sgd = {name: first_step(s, "SGD") for name, s in SCALES.items()}
    adam = {name: first_step(s, "Adam") for name, s in SCALES.items()}
    # --8<-- [end:demo]
