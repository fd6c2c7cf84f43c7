"""d_k r_k is the same for every branch."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.initialization import residual_gradients as module


@pytest.mark.parametrize("norm", [False, True])
def test_the_product_is_constant(norm):
    generator = torch.Generator().manual_seed(2)
    parts = [module.stream_gradients(6, 1, norm, 96, 150, generator) for _ in range(3)]
    r, d = (torch.cat(t, 1) for t in zip(*parts, strict=True))
    ratio = d[0] / d[-1].mean()
    error = ratio.std() / math.sqrt(len(ratio))
    theory = 7 if norm else 64
    assert abs(ratio.mean() - theory) < 4 * error
    assert error < 0.05 * theory
    assert abs(ratio.mean() - (64 if norm else 7)) > 4 * error
    product = (d.mean(1) * r.mean(1)) / (d[-1].mean() * r[-1].mean())
    assert (product - 1).abs().max() < 0.15


def test_a_scaled_branch_keeps_the_gradient():
    generator = torch.Generator().manual_seed(4)
    _, d = module.stream_gradients(16, 0.25, True, 32, 300, generator)
    ratio = d[0] / d[-1].mean()
    assert abs(ratio.mean() - 2) < 4 * ratio.std() / math.sqrt(300) < 0.4


def test_figure_mirrors():
    fig = module.plot_product()
    for ax in fig.axes:
        up, down, stream, gradient = ax.lines
        for theory, measured in ((up, stream), (down, gradient)):
            ratio = np.asarray(measured.get_ydata()) / np.asarray(theory.get_ydata())
            assert np.abs(np.log(ratio)).max() < 0.3
    plt.close(fig)


def test_what_is_shown(values, printed):
    for name, theory in (("no norm", 2**24), ("pre-norm", 25)):
        mean, error = values("residual_gradients")["ratios"][name]
        assert abs(mean - theory) < 4 * error
    assert len(printed("residual_gradients").splitlines()) == 3
