"""One Adam step moves z in proportion to the width."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.initialization import transformers_mup as module


def test_slopes():
    for mup, theory in ((False, 1), (True, 0)):
        slope = np.polyfit(np.log(module.WIDTHS), np.log(module.adam_changes(mup)), 1)[0]
        assert abs(slope - theory) < 0.08


def test_the_size_of_the_change():
    generator = torch.Generator().manual_seed(1)
    changes = np.array([module.adam_change(128, 0.01, generator) for _ in range(60)])
    theory = 0.01 * 128 / math.sqrt(2 * math.pi)
    error = changes.std() / math.sqrt(60)
    assert abs(changes.mean() - theory) < 4 * error
    assert error < 0.05 * theory
    assert abs(changes.mean() - theory / math.sqrt(128)) > 4 * error


def test_the_first_step_of_adam_is_a_sign():
    w = torch.randn(4, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    before = w.detach().clone()
    (w.square().sum()).backward()
    torch.optim.Adam([w], lr=0.01).step()
    torch.testing.assert_close(w.detach(), before - 0.01 * before.sign(), rtol=1e-4, atol=1e-6)


def test_figure_and_ratios(values, printed):
    fig = module.plot_width()
    lines = fig.axes[0].lines
    for theory, measured in zip(lines[::2], lines[1::2], strict=True):
        ratio = np.asarray(measured.get_ydata()) / np.asarray(theory.get_ydata())
        assert np.abs(np.log(ratio)).max() < 0.2
    plt.close(fig)
    ratio = values("transformers_mup")["ratio"]
    assert ratio["same rate"] == pytest.approx(16, rel=0.15)
    assert ratio["rate / n"] == pytest.approx(1, rel=0.15)
    assert len(printed("transformers_mup").splitlines()) == 3
