"""Decay, dropout, label smoothing, augmentation and early stopping in PyTorch.

AdamW(weight_decay), nn.Dropout, CrossEntropyLoss(label_smoothing), an augment

Decay, dropout and smoothing have a strength; 0 switches them off.
"""

# --8<-- [start:imports]
import copy
import math
from collections.abc import Callable

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:train]
def make_model(drop: float) -> nn.Module:
    """Return a 64-256-10 ReLU network with dropout before its last layer.

    Raises:
        ValueError: unless 0 <= drop <= 1.
    """
    if not 0 <= drop <= 1:
        raise ValueError(f"0 <= drop <= 1 is needed. Received: {drop=}")
    return nn.Sequential(
        nn.Linear(64, 256), nn.ReLU(), nn.Dropout(drop), nn.Linear(256, 10)
    )


def shift(x: Tensor) -> Tensor:
    """Move each image of shape (N, 64) by at most one pixel, or not at all.

    Raises:
        ValueError: the shape is another one.
    """
    if x.ndim != 2 or x.shape[1] != 64:
        raise ValueError(f"Shape (N, 64) is needed. Received: {tuple(x.shape)}")
    framed = nn.functional.pad(x.view(-1, 8, 8), (1, 1, 1, 1))
    moves = torch.randint(3, (len(x), 2))
    rows = moves[:, 0, None, None] + torch.arange(8)[:, None]
    columns = moves[:, 1, None, None] + torch.arange(8)
    return framed[torch.arange(len(x))[:, None, None], rows, columns].flatten(1)


def train_(
    model: nn.Module,
    training: tuple[Tensor, Tensor],
    validation: tuple[Tensor, Tensor],
    *,
    decay: float = 0.0,
    smoothing: float = 0.0,
    augment: Callable[[Tensor], Tensor] | None = None,
    steps: int = 300,
) -> None:
    """Train in place; keep the weights with the lowest validation loss.

    Args:
        model: a classifier; it ends in evaluation mode.
        training: inputs and class numbers.
        validation: likewise.
        decay: of the matrices; biases do not decay.
        smoothing: of the labels.
        augment: changes the inputs of each step.
        steps: of full batches.

    Raises:
        ValueError: steps < 1, or a negative decay, or not 0 <= smoothing <= 1,
            or a model without parameters that require a gradient.
    """
    if not any(p.requires_grad for p in model.parameters()):
        raise ValueError(f"Nothing to train. Received: {model}")
    if steps < 1 or decay < 0 or not 0 <= smoothing <= 1:
        message = "steps >= 1, decay >= 0 and 0 <= smoothing <= 1 are needed."
        raise ValueError(
            f"{message} Received: {steps=}, {decay=}, {smoothing=}"
        )
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=3e-3)
    smooth_loss = nn.CrossEntropyLoss(label_smoothing=smoothing)
    plain_loss = nn.CrossEntropyLoss()
    lowest, weights = math.inf, copy.deepcopy(model.state_dict())
    for _ in range(steps):
        model.train()
        x, y = training
        loss = smooth_loss(model(augment(x) if augment else x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        model.eval()  # dropout off
        with torch.no_grad():
            seen = plain_loss(model(validation[0]), validation[1]).item()
        if seen < lowest:
            lowest, weights = seen, copy.deepcopy(model.state_dict())
    model.load_state_dict(weights)


# --8<-- [end:train]


if __name__ == "__main__":
    # --8<-- [start:demo]
    torch.manual_seed(SEED)
    images, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(images / 16).float(), torch.tensor(labels)
    a, b, c = torch.randperm(len(x)).split([200, 300, len(x) - 500])
    noisy = y[a].clone()
    noisy[:40] = torch.randint(10, (40,))  # a fifth of the labels at random

    training, validation = (x[a], noisy), (x[b], y[b])
    plain, full = make_model(0.0), make_model(0.5)
    train_(plain, training, validation)
    train_(full, training, validation, decay=0.1, smoothing=0.1, augment=shift)
    accuracy = {}
    for name, model in (("early stopping alone", plain), ("all five", full)):
        right = (model(x[c]).argmax(-1) == y[c]).double().mean().item()
        accuracy[name] = 100 * right
        print(f"{name}: test accuracy {accuracy[name]:.0f} %")
    # --8<-- [end:demo]
