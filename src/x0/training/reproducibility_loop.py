"""A training loop that can be killed at any step and ends with equal bits.

state of a run: model, optimizer, scheduler, step, best weights, random state

It goes on from the last checkpoint, on the same machine. The rows of a batch
follow from the seed and the step, so they are not saved.
"""

# --8<-- [start:imports]
import math
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:parts]
@dataclass(frozen=True)
class Settings:
    """All that a run is told; save it next to the result."""

    steps: int = 100
    warmup: int = 10
    batch: int = 64
    rate: float = 1e-2
    decay: float = 0.1
    clip: float = 1.0  # of the norm of the gradient
    every: int = 20  # steps between two validations, and checkpoints
    seed: int = SEED


def parameter_groups(model: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Let matrices and kernels decay, but no biases and no gains of norms."""
    weights = [p for p in model.parameters() if p.ndim >= 2]
    others = [p for p in model.parameters() if p.ndim < 2]
    return [
        {"params": weights, "weight_decay": decay},
        {"params": others, "weight_decay": 0.0},
    ]


def rate_factor(step: int, settings: Settings) -> float:
    """Return the factor of the rate: a linear rise, then a cosine to zero."""
    if step < settings.warmup:
        return (step + 1) / settings.warmup
    fall = max(1, settings.steps - settings.warmup)
    done = (step - settings.warmup) / fall
    return (1 + math.cos(math.pi * done)) / 2


def rows_of_step(step: int, samples: int, settings: Settings) -> Tensor:
    """Return the rows of a batch, shape (batch,), from seed and step alone.

    Raises:
        ValueError: a batch has more rows than there are.
    """
    if samples < settings.batch:
        raise ValueError(f"Fewer than a batch. Received: {samples=}")
    epoch, place = divmod(step, samples // settings.batch)
    state = np.random.SeedSequence((settings.seed, epoch)).generate_state(1)
    stream = torch.Generator().manual_seed(int(state[0]))
    order = torch.randperm(samples, generator=stream)
    return order[place * settings.batch : (place + 1) * settings.batch]


# --8<-- [end:parts]


# --8<-- [start:run]
class Run:
    """A training run, with everything that it needs to go on.

    Args:
        model: a classifier, on the device where it is trained.
        training: inputs and class numbers, on the same device.
        validation: likewise; it decides which weights are the best.
        settings: of the run.
    """

    def __init__(
        self,
        model: nn.Module,
        training: tuple[Tensor, Tensor],
        validation: tuple[Tensor, Tensor],
        settings: Settings,
    ) -> None:
        self.model, self.settings = model, settings
        self.training, self.validation = training, validation
        groups = parameter_groups(model, settings.decay)
        self.optimizer = torch.optim.AdamW(
            groups, lr=settings.rate, betas=(0.9, 0.95)
        )
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: rate_factor(step, settings)
        )
        self.step, self.best = 0, math.inf
        self.best_weights: dict[str, Tensor] = {}

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the mean loss; matrix products are taken in bfloat16."""
        with torch.autocast(x.device.type, torch.bfloat16):
            logits = self.model(x)
        return functional.cross_entropy(logits.float(), y)

    def train_step(self) -> None:
        """Take one step: loss, gradient, clipping, update, schedule."""
        x, y = self.training
        rows = rows_of_step(self.step, len(x), self.settings).to(x.device)
        self.model.train()
        loss = self.loss(x[rows], y[rows])
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip)
        self.optimizer.step()
        self.scheduler.step()
        self.step += 1

    @torch.no_grad()
    def validate(self) -> float:
        """Return the validation loss; keep the weights if it is the lowest."""
        self.model.eval()
        loss = self.loss(*self.validation).item()
        if loss < self.best:
            self.best = loss
            now = self.model.state_dict()
            self.best_weights = {name: w.clone() for name, w in now.items()}
        return loss

    def save(self, path: Path) -> None:
        """Write a checkpoint; a kill leaves the old or the new one, whole."""
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "step": self.step,
            "best": self.best,
            "best_weights": self.best_weights,
            "random": torch.get_rng_state(),  # dropout draws from it
            "cuda": torch.cuda.get_rng_state_all(),
        }
        part = path.with_suffix(".part")
        torch.save(state, part)
        os.replace(part, path)

    def load(self, path: Path) -> None:
        """Take over the state of a checkpoint."""
        state = torch.load(path, weights_only=True, map_location="cpu")
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        self.step, self.best = state["step"], state["best"]
        self.best_weights = state["best_weights"]
        torch.set_rng_state(state["random"])
        torch.cuda.set_rng_state_all(state["cuda"])


def train_to_end(run: Run, path: Path, until: int | None = None) -> None:
    """Go on from the checkpoint, if there is one, to the last step.

    Args:
        run: a run with the settings of the checkpoint.
        path: of the checkpoint.
        until: stop here, as if killed.
    """
    if path.exists():
        run.load(path)
    last = run.settings.steps if until is None else until
    while run.step < last:
        run.train_step()
        ended = run.step == run.settings.steps
        if ended or run.step % run.settings.every == 0:
            run.validate()
            run.save(path)


# --8<-- [end:run]


# --8<-- [start:digits]
def digits_run(settings: Settings) -> tuple[Run, Tensor, Tensor]:
    """Return a run on the digits, and the test images with their labels.

    Weights and dropout draw from the global stream: seed it first.
    """
    images, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(images / 16).float(), torch.tensor(labels)
    stream = torch.Generator().manual_seed(settings.seed)
    rows = torch.randperm(len(x), generator=stream)
    training, validation, test = rows[:1000], rows[1000:1400], rows[1400:]
    model = nn.Sequential(
        nn.Linear(64, 64),
        nn.GELU(),
        nn.LayerNorm(64),
        nn.Dropout(0.2),
        nn.Linear(64, 10),
    )
    run = Run(
        model,
        (x[training], y[training]),
        (x[validation], y[validation]),
        settings,
    )
    return run, x[test], y[test]


# --8<-- [end:digits]


if __name__ == "__main__":
    # --8<-- [start:demo]
    folder = Path(tempfile.mkdtemp())
    torch.manual_seed(SEED)
    whole, x, y = digits_run(Settings())
    train_to_end(whole, folder / "whole.pt")
    torch.manual_seed(SEED)
    killed, _, _ = digits_run(Settings())
    train_to_end(killed, folder / "killed.pt", until=47)
    resumed, _, _ = digits_run(Settings())  # draws other weights
    train_to_end(resumed, folder / "killed.pt")

    pairs = zip(
        whole.model.state_dict().values(),
        resumed.model.state_dict().values(),
        strict=True,
    )
    print("the same bits:", all(torch.equal(a, b) for a, b in pairs))
    resumed.model.load_state_dict(resumed.best_weights)
    resumed.model.eval()
    right = (resumed.model(x).argmax(-1) == y).double()
    accuracy = 100 * right.mean()
    print(f"test accuracy of the best weights: {accuracy:.0f} %")
    # --8<-- [end:demo]
