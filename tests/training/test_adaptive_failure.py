"""Figure adaptive-failure-walk: Adam walks to the worst point."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.training import adaptive_failure as failure


def test_where_the_walks_end():
    ends = {name: failure.walk_to_the_end(name)[-1] for name in failure.NAMES}
    assert ends["Adam"] == 1
    for name in ("SGD", "AMSGrad", "Adam, default betas"):
        assert ends[name] < -0.95


def test_every_round_goes_up():
    path = failure.walk_to_the_end("Adam")[: 3 * 100 + 1 : 3]
    moves = np.diff(path)
    assert (moves > 0.29 * failure.RATE).all()  # sqrt(2) - sqrt(1 + 1/9) = 0.36, and the start
    assert moves[10:] == pytest.approx(moves[20], rel=1e-6)


def test_a_rotation_matters_to_adam_only():
    generator = torch.Generator().manual_seed(3)
    q = torch.linalg.qr(torch.randn(20, 20, generator=generator, dtype=torch.float64))[0]
    eye = torch.eye(20, dtype=torch.float64)
    heavy = [failure.steps_on_quadratic("heavy ball", 0.0, basis) for basis in (eye, q)]
    adam = [failure.steps_on_quadratic("Adam", 0.4, basis) for basis in (eye, q)]
    assert abs(heavy[0] - heavy[1]) <= 1
    assert adam[1] > 3 * adam[0]


def test_rejects_an_unknown_name():
    with pytest.raises(ValueError, match="Received: name='Adagrad'"):
        failure.walk_to_the_end("Adagrad")


def test_figure_and_values():
    figure = failure.plot_walk()
    ends = {line.get_label(): line.get_ydata()[-1] for line in figure.axes[0].lines}
    assert ends["Adam"] == 1
    assert ends["SGD"] < -0.95
    values = failure.demo()
    assert values["adam_axes"] < values["heavy_axes"] < values["adam_rotated"]
    plt.close(figure)
