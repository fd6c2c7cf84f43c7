"""32 branches train without a norm if they start small."""

import matplotlib.pyplot as plt
import numpy as np

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


def test_figure_and_demo(capsys):
    values = module.demo()
    assert values["fixup"][0] < values["chance"] < values["plain"][0]
    assert len(capsys.readouterr().out.splitlines()) == 5
    fig = module.plot_loss()
    *curves, chance = fig.axes[0].lines
    assert len(curves) == 4
    assert np.min(curves[0].get_ydata()) > np.asarray(chance.get_ydata())[0]
    for line in curves[1:]:
        assert np.asarray(line.get_ydata())[-1] < 0.5
    plt.close(fig)
