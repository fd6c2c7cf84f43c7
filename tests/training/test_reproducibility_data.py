"""The same batches for any number of workers; the trap in real worker processes."""

import random

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from x0.training import reproducibility_data as data

forks = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def batches(workers, epoch=0):
    dataset = data.NoisyDigits()
    dataset.epoch = epoch
    loader = data.digit_loader(dataset, epoch, workers)
    return [batch for _, batch in zip(range(4), loader, strict=False)]


class AttributeEpoch(data.NoisyDigits):
    """The trap: an epoch that is an ordinary attribute."""

    epoch = 0


def epochs(dataset, persistent):
    """Return the first image of the first batch in epochs 0, 1 and 2."""
    loader = DataLoader(
        dataset, batch_size=64, num_workers=1, persistent_workers=persistent, shuffle=False
    )
    found = []
    for epoch in range(3):
        dataset.epoch = epoch
        images = [x[0].clone() for x, _ in loader]
        found.append(images[0])
    return found


@forks
@pytest.mark.proves("reproducibility-persistent", kind="cause", effect="3 → 1 → 3", n="3")
def test_workers_that_live_on_do_not_see_an_attribute():
    """With persistent workers an attribute stays at its first value; shared memory does not."""
    distinct = {}
    for name, dataset, persistent in (
        ("fresh", AttributeEpoch(), False),
        ("persistent", AttributeEpoch(), True),
        ("shared", data.NoisyDigits(), True),
    ):
        distinct[name] = len({tuple(x.tolist()) for x in epochs(dataset, persistent)})
    assert distinct == {"fresh": 3, "persistent": 1, "shared": 3}


class GlobalNoise(torch.utils.data.Dataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return torch.tensor([random.random(), np.random.rand(), torch.rand(()).item()])


@forks
@pytest.mark.proves("reproducibility-worker-seeds", kind="call")
def test_workers_have_seeds_of_their_own():
    """random, NumPy and PyTorch differ between workers and repeat with the generator."""

    def drawn(seed):
        order = torch.Generator().manual_seed(seed)
        return torch.cat(list(DataLoader(GlobalNoise(), num_workers=2, generator=order)))

    first = drawn(0)
    assert (first[0] != first[1]).all()
    assert torch.equal(first, drawn(0))
    assert (first != drawn(1)).all()


@forks
@pytest.mark.proves("reproducibility-workers", kind="call", range="0, 1, 2 workers")
def test_batches_do_not_depend_on_the_number_of_workers():
    """Noise from (seed, epoch, index) is the same with 0, 1 and 2 workers."""
    plain = batches(0)
    for workers in (1, 2):
        for (x, y), (other_x, other_y) in zip(plain, batches(workers), strict=True):
            assert torch.equal(x, other_x)
            assert torch.equal(y, other_y)


def test_epochs_repeat_and_differ():
    (first, _), (again, _), (next_epoch, _) = (batches(0, e)[0] for e in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, next_epoch)


def test_noise_is_fresh_in_each_epoch_and_image():
    dataset = data.NoisyDigits()
    first = dataset[5][0]
    assert torch.equal(first, dataset[5][0])
    dataset.epoch = 1
    assert not torch.equal(first, dataset[5][0])
    noise = torch.stack([dataset[i][0] for i in range(300)]).double()
    noise = noise - torch.tensor(dataset.images[:300] / 16)
    error = 0.1 / (2 * noise.numel()) ** 0.5
    assert abs(noise.std() - 0.1) < 4 * error


@forks
def test_copied_generators_draw_the_same_numbers_in_every_worker():
    loader = DataLoader(data.CopiedNoise(), batch_size=1, num_workers=2)
    drawn = [x.item() for x in loader]
    assert len(set(drawn)) == 4  # of 8: each number twice
    assert drawn == [x.item() for x in loader]  # and again in the next epoch


def test_values(values):
    shown = values("reproducibility_data")
    assert shown["copied"] == 4
    assert shown["indexed"] == 8


def test_each_epoch_needs_a_loader_of_its_own():
    """Two loaders of one epoch have one order; a second pass over a loader has another."""

    def order(loader):
        return torch.cat([labels for _, labels in loader]).tolist()

    digits = data.NoisyDigits()
    one, other = (data.digit_loader(digits, 3) for _ in range(2))
    first = order(one)
    assert order(other) == first
    assert order(one) != first
