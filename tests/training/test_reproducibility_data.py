"""The same batches for any number of workers; the trap in real worker processes."""

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


@forks
def test_batches_do_not_depend_on_the_number_of_workers():
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


def test_demo():
    values = data.demo()
    assert values == {"copied": 4, "indexed": 8}
