"""r_K is (1 + s²)^K without a norm and 1 + K s² with one."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.initialization import residual_stream as module


def check(sample, theory, wrong):
    """Assert a mean against theory, and that the wrong value is rejected."""
    mean, error = sample.mean(), sample.std() / math.sqrt(len(sample))
    assert abs(mean - theory) < 4 * error
    assert error < 0.05 * theory
    assert abs(mean - wrong) > 4 * error


@pytest.mark.parametrize("count", [6, 12])
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_the_two_laws(count, scale):
    rng = np.random.default_rng(count)
    plain = module.stream_moments(count, scale, False, 128, 1500, rng)[-1]
    check(plain, (1 + scale**2) ** count, 1 + count * scale**2)
    norm = module.stream_moments(count, scale, True, 128, 1500, rng)[-1]
    check(norm, 1 + count * scale**2, (1 + scale**2) ** count)


def test_the_chain_has_the_law_of_weight_matrices():
    rng = np.random.default_rng(3)
    chain = module.stream_moments(2, 1, False, 32, 3000, rng)[-1]
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(3000, 32, 1, generator=generator)
    x /= x.square().mean(1, keepdim=True).sqrt()
    for _ in range(2):
        a, b = torch.randn(2, 3000, 32, 32, generator=generator) / math.sqrt(32)
        x = x + math.sqrt(2) * b @ (a @ x).relu()
    real = x.square().mean((1, 2)).numpy()
    error = math.hypot(chain.std(), real.std()) / math.sqrt(3000)
    assert abs(chain.mean() - real.mean()) < 4 * error < 0.1 * 4
    assert abs(chain.std() / real.std() - 1) < 0.15


def test_a_branch_that_ends_in_relu_adds_up():
    """Its means add in step: the stream grows like the square of K."""
    rng = np.random.default_rng(5)
    r = module.stream_moments(24, 1, True, 64, 400, rng, ends_in_relu=True)
    check(r[-1], 25 + 24 * 23 / math.pi, 25)


def test_a_scale_of_one_over_root_k_stays_below_e():
    for count in (1, 10, 100, 1000):
        end = module.predicted_stream(count, count**-0.5, False)[-1]
        assert 2 <= end < math.e
    assert end > 2.71


def test_figure_shows_points_on_predicted_lines():
    fig = module.plot_depth()
    for ax in fig.axes:
        for theory, measured in zip(ax.lines[::2], ax.lines[1::2], strict=True):
            assert theory.get_linestyle() == "--"
            k = np.asarray(measured.get_xdata(), dtype=int)
            ratio = measured.get_ydata() / np.asarray(theory.get_ydata())[k]
            assert np.abs(np.log(ratio)).max() < 0.6
    plt.close(fig)


def test_demo(capsys):
    values = module.demo()
    for key in ("plain_24", "norm_24", "norm_96", "scaled_24", "scaled_96"):
        mean, error = values[key]
        assert abs(mean - values[f"{key}_theory"]) < 4 * error
    assert values["scaled_96_theory"] == pytest.approx(2)
    assert len(capsys.readouterr().out.splitlines()) == 8
