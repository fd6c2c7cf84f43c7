"""32 branches train without a norm if they start small."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from x0.initialization import residual_training as module


def test_only_the_unscaled_network_fails():
    loss = module.train_residual()
    end = loss[..., -20:].mean((1, 2))
    assert end[0] > 10
    assert (end[1:] < 0.5).all()


def test_the_first_loss_tells_the_scale_of_the_logits():
    first = module.train_residual()[..., 0].mean(1)
    assert first[0] > 1e3  # r_K = 2^32
    assert abs(first[2] - np.log(10)) < 1e-5  # the head of Fixup is zero
    assert (np.abs(first[[1, 3]] - np.log(10)) < 2).all()


def test_figure_and_what_is_shown(values, printed):
    left = values("residual_training")
    assert left["final"]["Fixup"][0] < left["chance"] < left["final"]["as they are"][0]
    assert len(printed("residual_training").splitlines()) == 5
    fig = module.plot_loss()
    *curves, chance = fig.axes[0].lines
    assert len(curves) == 4
    assert np.min(curves[0].get_ydata()) > np.asarray(chance.get_ydata())[0]
    for line in curves[1:]:
        assert np.asarray(line.get_ydata())[-1] < 0.5
    plt.close(fig)


def test_the_runs_are_those_of_single_networks():
    """Three steps, network by network, with clip_grad_norm_ and SGD of PyTorch."""
    steps = 3
    losses = module.train_residual(steps)
    generator = torch.Generator().manual_seed(module.SEED)
    images, labels = load_digits(return_X_y=True)
    data = torch.tensor(images, dtype=torch.float32)
    data = (data - data.mean(0)) / data.std(0).clamp(min=1e-6)
    shape = (module.COUNT, module.SEEDS, module.WIDTH, module.WIDTH)
    first = torch.randn(shape, generator=generator) / module.WIDTH**0.5
    last = torch.randn(shape, generator=generator) * (2 / module.WIDTH) ** 0.5
    stem = torch.randn(module.SEEDS, 64, module.WIDTH, generator=generator) / 64**0.5
    head = torch.randn(module.SEEDS, module.WIDTH, 10, generator=generator) / module.WIDTH**0.5
    size = (module.SEEDS, module.BATCH)
    batches = [torch.randint(len(data), size, generator=generator) for _ in range(steps)]
    root = module.COUNT**-0.5  # Fixup: K^(-1 / (2 m - 2)) for m = 2 weights
    for rule, (a, b, c, gate) in enumerate(
        ((1, 1, 1, 1), (1, root, 1, 1), (root, 0, 0, 1), (1, 1, 1, 0))
    ):
        for seed in range(module.SEEDS):
            inner = [(a * w).requires_grad_() for w in first[:, seed]]
            outer = [(b * w).requires_grad_() for w in last[:, seed]]
            gates = [torch.tensor(float(gate), requires_grad=rule == 3) for _ in inner]
            ends = [stem[seed].clone().requires_grad_(), (c * head[seed]).requires_grad_()]
            learned = [*inner, *outer, *ends, *(g for g in gates if g.requires_grad)]
            optimizer = torch.optim.SGD(learned, module.RATE, momentum=module.MOMENTUM)
            for step, rows in enumerate(batches):
                x = data[rows[seed]] @ ends[0]
                for u, v, g in zip(inner, outer, gates, strict=True):
                    x = x + g * ((x @ u).relu() @ v)
                y = torch.tensor(labels)[rows[seed]]
                loss = torch.nn.functional.cross_entropy(x @ ends[1], y)
                assert losses[rule, seed, step] == pytest.approx(loss.item(), rel=1e-3)
                optimizer.zero_grad()
                loss.backward()
                if sum(p.grad.square().sum() for p in learned) > 1:
                    torch.nn.utils.clip_grad_norm_(learned, 1.0)
                optimizer.step()
