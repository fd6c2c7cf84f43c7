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


@pytest.mark.claim("A-58")
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


@pytest.mark.proves(
    "residual-inverse",
    kind="cause",
    range="24 branches, width 64, 256",
    seeds=1000,
    tolerance="4 SE",
    effect="25 : {val:residual_stream.inverse[64]:.1f}",
)
def test_the_mean_of_the_inverse_stream_is_the_excess_of_the_gradient(values):
    """The gradient grows by the product of 1 + (1 - 1/n)/r of one network, with the mean of r by less than 25."""
    left = values("residual_stream")["inverse"]
    growth, error = left[64]
    measured, own = values("residual_gradients")["ratios"]["pre-norm"]
    assert abs(measured - growth) < 4 * math.hypot(own, error)
    assert growth - 25 > 4 * error
    assert growth - left[256][0] > 4 * math.hypot(error, left[256][1])
    rng = np.random.default_rng(9)  # the cause taken away: every network has the mean stream
    r = module.stream_moments(24, 1, True, 64, 4000, rng).mean(1)
    kept = 1 - 1 / 64
    law = np.prod(1 + kept / np.arange(1, 25))
    assert np.prod(1 + kept / r[:-1]) == pytest.approx(law, rel=0.01)
    assert law < 25


def test_the_error_is_that_of_the_mean():
    """Two sets of networks differ by what the stated standard errors say."""
    mean, error = module.measured_stream(24, "no norm")[:, 1:]
    rng = np.random.default_rng(21)
    other = module.stream_moments(24, 1.0, False, module.WIDTH, module.NETWORKS, rng)[1:]
    own = other.std(1) / math.sqrt(module.NETWORKS)
    assert np.all(np.abs(mean - other.mean(1)) < 5 * np.hypot(error, own))
    assert error == pytest.approx(own, rel=0.3)


def test_figure_shows_points_on_predicted_lines():
    """Without a norm the stream leaves the lower panel; with 1/√K it ends at 2 in both."""
    fig = module.plot_depth()
    for ax in fig.axes:
        scaled = ax.lines[-1].get_ydata()
        assert abs(scaled[-1] - 2) < 0.1
    top = fig.axes[1].get_ylim()[1]
    assert fig.axes[0].lines[1].get_ydata()[-1] < top < fig.axes[1].lines[1].get_ydata()[-1]
    for ax in fig.axes:
        for theory, measured in zip(ax.lines[::2], ax.lines[1::2], strict=True):
            assert theory.get_linestyle() == "--"
            k = np.asarray(measured.get_xdata(), dtype=int)
            ratio = measured.get_ydata() / np.asarray(theory.get_ydata())[k]
            assert np.abs(np.log(ratio)).max() < 0.6
    plt.close(fig)


def test_what_is_shown(values, printed):
    left = values("residual_stream")
    plain, norm, scaled = module.RULES
    for case in ((plain, 24), (norm, 24), (norm, 96), (scaled, 24), (scaled, 96)):
        mean, error = left["measured"][case]
        assert abs(mean - left["predicted"][case]) < 4 * error
    assert left["predicted"][scaled, 96] == pytest.approx(2)
    assert len(printed("residual_stream").splitlines()) == 3
