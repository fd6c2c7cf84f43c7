"""Figure he-training-curves: depth decides whether Xavier trains a ReLU net."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.initialization import he_training


@pytest.fixture(scope="module")
def end():
    return {depth: he_training.train(depth)[..., -50:].mean(-1) for depth in (10, 30)}


def test_thirty_layers_train_from_he_only(end):
    he, xavier, small = end[30]
    assert he.max() < 1.5  # how far in 400 steps hangs on rounding too
    assert xavier.min() > 2.2
    assert np.abs(small - math.log(10)).max() < 0.02


def test_ten_layers_train_from_he_and_from_xavier(end):
    he, xavier, small = end[10]
    assert he.max() < 0.2
    assert xavier.max() < 0.6
    assert small.min() > 2.2


def test_rules_differ_by_scale_only():
    generator = torch.Generator().manual_seed(0)
    weight = he_training.networks(3, generator)[2].detach()
    he, xavier, small = weight.split(he_training.SEEDS)
    assert torch.allclose(he, math.sqrt(2) * xavier)
    assert torch.allclose(small, he * 0.01 / math.sqrt(2 / 64))
    square = he.square() * 64
    error = float(square.std()) / math.sqrt(square.numel())
    assert abs(float(square.mean()) - 2) < 4 * error < 0.2


def test_batched_training_equals_one_network_alone():
    loss = he_training.train(2, steps=3)[0, 0]
    generator = torch.Generator().manual_seed(he_training.SEED)
    x, y = he_training.load_digits(return_X_y=True)
    x = torch.tensor(x, dtype=torch.float32)
    x = (x - x.mean(0)) / x.std(0).clamp(min=1e-6)
    parameters = he_training.networks(2, generator)
    layers = [torch.nn.Linear(64, 64), torch.nn.Linear(64, 10)]
    with torch.no_grad():
        for i, layer in enumerate(layers):
            layer.weight.copy_(parameters[2 * i][0].T)
            layer.bias.zero_()
    net = torch.nn.Sequential(layers[0], torch.nn.ReLU(), layers[1])
    optimizer = torch.optim.SGD(
        net.parameters(), lr=he_training.RATE, momentum=he_training.MOMENTUM
    )
    for step in range(3):
        rows = torch.randint(len(x), (he_training.SEEDS, he_training.BATCH), generator=generator)[0]
        value = torch.nn.functional.cross_entropy(net(x[rows]), torch.tensor(y)[rows])
        assert value.item() == pytest.approx(loss[step], rel=1e-4)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()


@pytest.mark.proves("he-training", kind="caption", seeds=3)
def test_figure_has_three_curves_for_each_rule(end):
    """30 layers: only He goes down, the others stay at ln 10. 10 layers: Xavier later."""
    fig = he_training.plot_curves()
    assert [ax.get_title() for ax in fig.axes] == ["30 layers", "10 layers"]
    for ax in fig.axes:
        assert len(ax.lines) == 3 * he_training.SEEDS + 1
    thirty, ten = (
        np.array([line.get_ydata() for line in ax.lines[:9]]).reshape(3, 3, -1) for ax in fig.axes
    )
    assert thirty[0, :, -1].max() < 1.2
    assert np.abs(thirty[1:] - math.log(10)).max() < 0.1
    assert ten[0, :, -1].max() < 0.2
    assert 0.05 < ten[1, :, -1].min() < ten[1, :, -1].max() < 0.6
    assert (ten[1, :, 3] > 1.5 * ten[0, :, 3]).all()  # it starts slowly
    assert np.abs(ten[2] - math.log(10)).max() < 0.1
    plt.close(fig)


@pytest.mark.proves(
    "he-thirty",
    kind="fact",
    seeds=3,
    range="500 steps, learning rate 0.003",
    effect='{val:he_training.loss["Xavier", 10][0]:.2f} → {val:he_training.loss["Xavier", 30][0]:.2f}',
)
def test_demo_counts_what_trains(values, printed):
    """At 10 layers Xavier learns, more slowly; at 30 it stays at guessing."""
    loss = values("he_training")["loss"]
    table = printed("he_training").splitlines()
    assert [line.split("of")[0].split()[-1] for line in table[1:]] == ["3", "3", "0"]
    assert loss["Xavier", 30][0] > 2.29 > 1.2 > loss["He", 30][0]
    assert loss["He", 10][0] < loss["Xavier", 10][0] < 0.5
