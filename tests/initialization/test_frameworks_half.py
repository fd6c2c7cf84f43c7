"""Figure frameworks-half-zeros: where float16 turns weights into zeros."""

import math

import matplotlib.pyplot as plt
import pytest
import torch

from x0.initialization import frameworks_half as half


@pytest.mark.parametrize("std", [3e-8, 1e-7, 3e-7])
def test_share_of_zeros(std):
    theory = math.erf(2**-25 / (std * math.sqrt(2)))
    count = 20_000
    error = math.sqrt(theory * (1 - theory) / count)
    share = half.zero_share(std, torch.float16, count)
    assert abs(share - theory) < 4 * error < 0.2 * theory
    normal = math.erf(2**-14 / (std * math.sqrt(2)))  # without subnormal numbers
    assert abs(share - normal) > 4 * error
    assert half.zero_share(std, torch.bfloat16, count) == 0


@pytest.mark.proves("frameworks-smallest", kind="call")
def test_the_smallest_numbers():
    """The smallest positive float16 is 2^-24; half of it and less rounds to zero, more does not."""
    assert float(torch.tensor(2**-24).half()) == 2**-24
    assert float(torch.tensor(2**-25).half()) == 0
    assert float(torch.tensor(1.01 * 2**-25).half()) == 2**-24


def test_a_small_std_runs_out_of_float16_before_layer_ten():
    generator = torch.Generator().manual_seed(5)
    depth = half.layers_until_zero(0.01, torch.float16, generator)
    theory = -50 * math.log(2) / math.log(256 * 1e-4 / 2)
    assert abs(float(depth.mean()) - theory) < 1.5
    assert float(half.layers_until_zero(0.01, torch.bfloat16, generator).min()) > 4 * theory


def test_rejects_a_std_that_is_not_positive():
    with pytest.raises(ValueError, match=r"Received: std=0\.0"):
        half.zero_share(0.0, torch.float16)


def test_figure_and_values(values):
    figure = half.plot_zeros()
    theory, half_share, brain = figure.axes[0].lines
    assert max(abs(theory.get_ydata() - half_share.get_ydata())) < 0.02
    assert not any(brain.get_ydata())
    plt.close(figure)
    depth = values("frameworks_half")["depth"]
    assert depth["float16"] < 10 < depth["bfloat16"]


@pytest.mark.proves("frameworks-update", kind="search", range="10000 weights, 10⁻⁶…10³")
def test_a_small_step_leaves_a_bfloat16_weight_as_it_was():
    """A step below 2^-9 of a bfloat16 weight leaves it as it was: 1 minus 0.001 is 1."""
    assert torch.tensor(1.0).bfloat16() - 0.001 == 1
    generator = torch.Generator().manual_seed(0)
    w = 10 ** (9 * torch.rand(10_000, generator=generator) - 6)
    w = (w * torch.randn(10_000, generator=generator).sign()).bfloat16()
    step = (w.float() * 2**-9 * 0.99).bfloat16()
    for sign in (1, -1):
        assert torch.equal(w + sign * step, w)
    assert not torch.equal(w + (w.float() * 2**-7).bfloat16(), w)
