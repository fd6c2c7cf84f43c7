"""Search hyperparameters with a Sobol sequence, on logarithmic axes.

trials needed: ln(miss) / ln(1 - top), for one in the best `top` of the space
"""

# --8<-- [start:imports]
import copy
import math
from collections.abc import Callable

import torch
from sklearn.datasets import load_digits
from torch import nn

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:search]
Settings = dict[str, float]


def trials_needed(top: float, miss: float = 0.05) -> int:
    """Return how many random trials hit the best part of the space.

    Args:
        top: the part, as a share of the space.
        miss: the accepted chance that no trial lies in it.

    Raises:
        ValueError: unless 0 < top < 1 and 0 < miss < 1.

    >>> trials_needed(0.05)
    59
    """
    if not (0 < top < 1 and 0 < miss < 1):
        message = "0 < top < 1 and 0 < miss < 1 are needed."
        raise ValueError(f"{message} Received: {top=}, {miss=}")
    return math.ceil(math.log(miss) / math.log1p(-top))


def sobol_trials(
    space: dict[str, tuple[float, float]], trials: int, seed: int = SEED
) -> list[Settings]:
    """Return settings that cover a space evenly, uniform in the logarithm.

    Args:
        space: name, and the lowest and highest value, both positive.
        trials: how many; a power of two covers each axis evenly.
        seed: of the scrambling.

    Raises:
        ValueError: no trial, no axis, or an axis without 0 < low < high.
    """
    ranges = list(space.values())
    if trials < 1 or not ranges or any(not 0 < a < b for a, b in ranges):
        message = "trials >= 1 and axes with 0 < low < high are needed."
        raise ValueError(f"{message} Received: {trials=}, {space=}")
    engine = torch.quasirandom.SobolEngine(len(space), scramble=True, seed=seed)
    low, high = torch.tensor(ranges).double().log().T
    points = (low + engine.draw(trials).double() * (high - low)).exp()
    return [dict(zip(space, row, strict=True)) for row in points.tolist()]


def search(
    loss_of: Callable[[Settings], float],
    space: dict[str, tuple[float, float]],
    trials: int,
    seed: int = SEED,
) -> list[tuple[float, Settings]]:
    """Return (validation loss, settings) of all trials, the best one first.

    A loss that is not finite comes last.
    """
    tried = [(loss_of(s), s) for s in sobol_trials(space, trials, seed)]
    return sorted(
        tried, key=lambda t: t[0] if math.isfinite(t[0]) else math.inf
    )


# --8<-- [end:search]


if __name__ == "__main__":
    # --8<-- [start:demo]
    images, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(images / 16).float(), torch.tensor(labels)
    generator = torch.Generator().manual_seed(SEED)
    a, b = torch.randperm(len(x), generator=generator)[:600].split(300)

    torch.manual_seed(SEED)
    start = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))

    def validation_loss(settings: Settings) -> float:
        """Train for 50 steps of full batches."""
        model = copy.deepcopy(start)
        optimizer = torch.optim.SGD(
            model.parameters(),
            lr=settings["rate"],
            momentum=1 - settings["1 - momentum"],
        )
        for _ in range(50):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[a]), y[a]).backward()
            optimizer.step()
        with torch.no_grad():
            return nn.functional.cross_entropy(model(x[b]), y[b]).item()

    space = {"rate": (1e-3, 10.0), "1 - momentum": (0.03, 1.0)}
    tried = search(validation_loss, space, 16)
    needed = trials_needed(0.05)
    for loss, settings in tried[:3]:
        row = "  ".join(f"{k} {v:.2f}" for k, v in settings.items())
        print(f"validation loss {loss:.2f}  {row}")
    # --8<-- [end:demo]
