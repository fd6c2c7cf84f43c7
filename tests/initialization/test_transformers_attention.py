"""Var(q·k) = d; scaled, the softmax stays wide."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.initialization import transformers_attention as module


@pytest.mark.parametrize("d", [4, 64])
def test_variance_of_the_logits(d):
    rng = np.random.default_rng(d)
    for scaled, theory, wrong in ((False, d, 1), (True, 1, 1 / d)):
        parts = [module.draw_logits(d, scaled, rng) for _ in range(3)]
        squares = (np.concatenate(parts) ** 2).mean(1)
        error = squares.std() / math.sqrt(len(squares))
        assert abs(squares.mean() - theory) < 4 * error
        assert error < 0.05 * theory
        assert abs(squares.mean() - wrong) > 4 * error


def test_unscaled_attention_reads_few_keys():
    plain, scaled = (module.attention_summary(s)[1] for s in (False, True))
    assert plain[-1] < 3
    assert np.all(np.diff(plain) < 0)
    assert np.all(np.abs(scaled / (256 / math.e) - 1) < 0.3)


def test_used_keys_counts():
    assert module.used_keys(np.zeros((2, 5))) == pytest.approx([5, 5])
    assert module.used_keys(np.array([[0, -1e9, -1e9]])) == pytest.approx([1])


def test_pytorch_scales_by_the_root_of_the_last_dimension():
    q, k, v = torch.randn(3, 2, 4, 16, generator=torch.Generator().manual_seed(0))
    weights = (q @ k.mT / 4).softmax(-1)
    attended = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    torch.testing.assert_close(attended, weights @ v)


def test_figure_and_demo(capsys):
    fig = module.plot_logits()
    plain, theory, scaled, one = fig.axes[0].lines
    for measured, predicted in ((plain, theory), (scaled, one)):
        ratio = np.asarray(measured.get_ydata()) / np.asarray(predicted.get_ydata())
        assert np.abs(ratio - 1).max() < 0.1
    plt.close(fig)
    values = module.demo()
    assert abs(values["variance_plain"][0] - 64) < 4 * values["variance_plain"][1]
    assert len(capsys.readouterr().out.splitlines()) == 3
