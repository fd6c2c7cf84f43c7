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


@pytest.mark.proves("transformers-sdpa", kind="call")
def test_pytorch_scales_by_the_root_of_the_last_dimension():
    """F.scaled_dot_product_attention divides by √d by default, and by d with scale=1/d."""
    q, k, v = torch.randn(3, 2, 4, 16, generator=torch.Generator().manual_seed(0))
    weights = (q @ k.mT / 4).softmax(-1)
    attended = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    torch.testing.assert_close(attended, weights @ v)
    weights = (q @ k.mT / 16).softmax(-1)
    attended = torch.nn.functional.scaled_dot_product_attention(q, k, v, scale=1 / 16)
    torch.testing.assert_close(attended, weights @ v)


@pytest.mark.proves(
    "transformers-qk", kind="cause", range="std 0.001…10, d = 16, 64", seeds=20, effect="1 : σ⁴"
)
def test_with_qk_norm_the_scale_of_the_weights_does_not_matter():
    """With QK-norm the divided logits have variance 1 up to order 1/d at each scale; without, not."""
    generator = torch.Generator().manual_seed(0)
    for d in (16, 64):
        x = torch.randn(20, 32, 128, generator=generator, dtype=torch.float64)
        w = torch.randn(2, 20, 128, d, generator=generator, dtype=torch.float64)
        for std in (1e-3, 0.02, 1.0, 10.0):
            q, k = std * (x @ w[0]), std * (x @ w[1])
            plain = (q @ k.mT / d**0.5).square().mean()
            assert plain / (128**2 * std**4) == pytest.approx(1, rel=0.15)
            q, k = (torch.layer_norm(t, (d,), eps=1e-20) for t in (q, k))
            normed = (q @ k.mT / d**0.5).square().mean()
            assert normed == pytest.approx(1, rel=0.1)


def test_figure_and_variance(values, printed):
    fig = module.plot_logits()
    plain, theory, scaled, one = fig.axes[0].lines
    for measured, predicted in ((plain, theory), (scaled, one)):
        ratio = np.asarray(measured.get_ydata()) / np.asarray(predicted.get_ydata())
        assert np.abs(ratio - 1).max() < 0.1
    used = fig.axes[1].lines[0]
    assert used.get_ydata()[list(used.get_xdata()).index(64)] < 2.5  # about two keys
    plt.close(fig)
    variance, error = values("transformers_attention")["variance"]["plain"]
    assert abs(variance - 64) < 4 * error
    assert len(printed("transformers_attention").splitlines()) == 3
