"""Figure normalization-growth-training: the initial scale is a learning rate."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.initialization import normalization_growth as module


def test_scaling_the_learning_rate_by_a_squared_gives_the_same_run():
    loss = module.train_scaled(2)["loss"]
    assert torch.allclose(loss, loss[:, 2:3].expand_as(loss), rtol=1e-6)
    plain = module.train_scaled(0)["loss"]
    assert not torch.allclose(plain, plain[:, 2:3].expand_as(plain), rtol=0.1)


def test_the_squared_norm_grows_by_the_squared_steps():
    run = module.train_scaled(0)
    assert torch.allclose(run["norm"], run["predicted"], rtol=1e-9)
    assert (run["norm"][1:] > run["norm"][:-1]).all()


@pytest.mark.claim("A-40")
def test_a_large_initial_scale_learns_slowly_and_a_small_one_grows_at_once(values):
    left = values("normalization_growth")
    one, three, ten = (left["losses"][0, scale][0] for scale in (1.0, 3.0, 10.0))
    assert ten > 3 * one
    assert ten > three > one
    assert left["growth"][0] > 20 > left["growth"][2]
    run = module.train_scaled(0)
    first = run["norm"][:, 0]
    assert (first[1] > 10 * first[0]).all()
    assert (run["norm"] / run["predicted"] - 1).abs().max() < 1e-9


def test_figure():
    fig = module.plot_training()
    loss, norm = fig.axes
    last = [line.get_ydata()[-1] for line in loss.lines]
    assert last[4] > last[3] > last[2]
    for theory, measured in zip(norm.lines[::2], norm.lines[1::2], strict=True):
        at = np.interp(measured.get_xdata(), theory.get_xdata(), theory.get_ydata())
        assert np.allclose(at, measured.get_ydata(), rtol=1e-9)
    plt.close(fig)
