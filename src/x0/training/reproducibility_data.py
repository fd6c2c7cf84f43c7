"""Noise drawn from (seed, epoch, index) is the same for any number of workers.

A generator kept inside a data set is copied into every worker process, and
all the workers draw the same numbers. The epoch lies in shared memory: workers
that stay alive would not see an ordinary attribute change.
"""

# --8<-- [start:imports]
import copy

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:dataset]
class NoisyDigits(Dataset[tuple[Tensor, int]]):
    """Digits with fresh noise in every epoch.

    Set `epoch` before each epoch. The noise of an image is drawn from a
    generator made of (seed, epoch, index): neither the number of workers nor
    the order in which they ask changes it.
    """

    def __init__(self, seed: int = SEED) -> None:
        self.images, self.labels = load_digits(return_X_y=True)
        self.seed = seed
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()

    @property
    def epoch(self) -> int:
        """The number of the epoch, the same in all processes."""
        return int(self._epoch)

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        self._epoch.fill_(epoch)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        rng = np.random.default_rng((self.seed, self.epoch, index))
        image = self.images[index] / 16 + 0.1 * rng.standard_normal(64)
        return torch.tensor(image, dtype=torch.float32), self.labels[index]


class CopiedNoise(Dataset[Tensor]):
    """The trap: a generator of its own, copied with the data set."""

    def __init__(self, seed: int = SEED) -> None:
        self.rng = np.random.default_rng(seed)

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> Tensor:
        return torch.tensor(self.rng.standard_normal())


# --8<-- [end:dataset]


# --8<-- [start:loader]
def digit_loader(
    dataset: Dataset[tuple[Tensor, int]], epoch: int, workers: int = 0
) -> DataLoader[tuple[Tensor, int]]:
    """Return batches whose order depends on the seed and the epoch alone.

    Make one for each epoch: a second pass over it has another order.

    Args:
        dataset: what to load.
        epoch: of the order.
        workers: processes; the batches are the same for any number.
    """
    state = np.random.SeedSequence((SEED, epoch)).generate_state(1)
    order = torch.Generator().manual_seed(int(state[0]))
    return DataLoader(
        dataset,
        batch_size=64,
        shuffle=True,
        generator=order,
        num_workers=workers,
    )


# --8<-- [end:loader]


if __name__ == "__main__":
    # --8<-- [start:demo]
    digits = NoisyDigits()
    batches = []
    for epoch in (0, 1, 0):
        digits.epoch = epoch
        images, _ = next(iter(digit_loader(digits, epoch)))
        batches.append(images)
    same = torch.equal(batches[0], batches[2])
    print("epoch 0 twice, equal:", same)
    print("epochs 0 and 1, equal:", torch.equal(batches[0], batches[1]))

    # What happens in two workers: each has a copy and draws every other item.
    trap = CopiedNoise()
    workers = [copy.deepcopy(trap) for _ in range(2)]
    drawn = [workers[i % 2][i].item() for i in range(len(trap))]
    copied = len(set(drawn))
    print(f"copied generators: {copied} different numbers of 8")
    digits.epoch = 0
    workers_too = [copy.deepcopy(digits) for _ in range(2)]
    noise = [workers_too[i % 2][i][0][0].item() for i in range(8)]
    indexed = len(set(noise))
    print(f"by epoch and index: {indexed} of 8")
    # --8<-- [end:demo]
