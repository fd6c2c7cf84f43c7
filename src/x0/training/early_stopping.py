"""Early stopping keeps the weights of the best validation loss seen so far.

stop when the loss has not improved by min_delta for `patience` checks

Prechelt (1998) compares rules for when to stop.
"""

# --8<-- [start:imports]
import copy
import math

import torch
from sklearn.datasets import load_digits
from torch import nn

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:stopper]
class EarlyStopping:
    """Watches a validation loss and keeps a copy of the best weights.

    A loss that is not finite stops at once: weights that gave NaN do not
    recover. Call `restore` after the loop, however the loop ended.

    Args:
        patience: checks without improvement before it stops, at least 1.
        min_delta: what counts as an improvement, at least 0.

    Attributes:
        best: the last loss that was an improvement; infinite before.
        best_check: its number, counted from 0, or -1.

    Raises:
        ValueError: patience < 1, or min_delta negative or not finite.
    """

    def __init__(self, patience: int = 10, min_delta: float = 0.0) -> None:
        if patience < 1 or not 0 <= min_delta < math.inf:
            raise ValueError(f"Received: {patience=}, {min_delta=}")
        self.patience, self.min_delta = patience, min_delta
        self.best, self.best_check, self.checks = math.inf, -1, 0
        self.weights: dict[str, torch.Tensor] = {}

    def should_stop(self, loss: float, model: nn.Module) -> bool:
        """Take the loss of one check; return whether to stop.

        Raises:
            ValueError: the loss is not one number.

        >>> stopper = EarlyStopping(patience=2)
        >>> losses = (3.0, 2.0, 2.5, 2.1, 0.1)
        >>> [stopper.should_stop(x, nn.Linear(1, 1)) for x in losses[:4]]
        [False, False, False, True]
        >>> stopper.best, stopper.best_check
        (2.0, 1)
        """
        if isinstance(loss, torch.Tensor) and loss.numel() != 1:
            raise ValueError(f"Expected one number. Received: {loss.shape}")
        loss, check = float(loss), self.checks
        self.checks += 1
        if not math.isfinite(loss):
            return True
        if loss < self.best - self.min_delta:
            self.best, self.best_check = loss, check
            self.weights = copy.deepcopy(model.state_dict())
        return check - self.best_check >= self.patience

    def restore(self, model: nn.Module) -> None:
        """Put the best weights back.

        Raises:
            RuntimeError: no finite loss was seen.
        """
        if not self.weights:
            raise RuntimeError(f"No finite loss in {self.checks} checks")
        model.load_state_dict(self.weights)


# --8<-- [end:stopper]


if __name__ == "__main__":
    # --8<-- [start:demo]
    generator = torch.Generator().manual_seed(SEED)
    images, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(images / 16).float(), torch.tensor(labels)
    rows = torch.randperm(len(x), generator=generator)
    train, validation, test = rows[:200], rows[200:500], rows[500:]
    noisy = y[train].clone()
    noisy[:40] = torch.randint(10, (40,), generator=generator)

    layers = nn.Linear(64, 256), nn.Linear(256, 10)
    for layer in layers:
        nn.init.kaiming_normal_(
            layer.weight, nonlinearity="relu", generator=generator
        )
        nn.init.zeros_(layer.bias)
    model = nn.Sequential(layers[0], nn.ReLU(), layers[1])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    loss_of = nn.CrossEntropyLoss()

    stopper = EarlyStopping(patience=100)
    for _ in range(1000):
        optimizer.zero_grad()
        loss_of(model(x[train]), noisy).backward()
        optimizer.step()
        with torch.no_grad():
            loss = loss_of(model(x[validation]), y[validation]).item()
        if stopper.should_stop(loss, model):
            break
    steps, best_step = stopper.checks, stopper.best_check + 1
    last = (model(x[test]).argmax(-1) == y[test]).double().mean()
    stopper.restore(model)
    best = (model(x[test]).argmax(-1) == y[test]).double().mean()
    print("stopped before step 1000:", steps < 1000)
    print(f"test accuracy, last weights:     {100 * last:.0f} %")
    print(f"test accuracy, restored weights: {100 * best:.0f} %")
    # --8<-- [end:demo]
