"""fan_in and fan_out telescope; the mean of both fans does not."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.initialization import he_fans


def check(x, theory, wrong):
    """Assert a mean against theory, and that the wrong value is rejected."""
    mean, error = float(x.mean()), float(x.std()) / math.sqrt(len(x))
    assert abs(mean - theory) < 4 * error
    assert error < 0.05 * theory
    assert abs(mean - wrong) > 4 * error


@pytest.fixture(scope="module")
def equal():
    generator = torch.Generator().manual_seed(2)
    return he_fans.passes([128] * 13, [2 / 128] * 12, 800, generator)


@pytest.mark.claim("A-21")
def test_forward_and_backward_are_kept_through_equal_widths(equal):
    q, d = equal
    check(q[-1] / 2, 1, 0.5)  # q_1 = 2: the input is not halved by ReLU
    check(d[0], 1, 0.5)


def test_backward_is_autograds():
    generator = torch.Generator().manual_seed(3)
    q, d = he_fans.passes([6, 5, 4], [0.5, 0.5], 1, generator)
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(1, 6, 1, generator=generator)
    w = [torch.randn(1, n, m, generator=generator) * math.sqrt(0.5) for m, n in [(6, 5), (5, 4)]]
    delta = torch.randn(1, 4, 1, generator=generator)
    z = (w[0] @ x).requires_grad_()
    top = w[1] @ z.relu()
    (gradient,) = torch.autograd.grad(top, z, delta)
    assert d[0, 0] == pytest.approx(gradient.square().mean().item(), rel=1e-6)
    assert q[1, 0] == pytest.approx(top.square().mean().item(), rel=1e-6)


@pytest.mark.claim("A-30")
def test_either_fan_telescopes_and_the_mean_of_both_decays(values):
    widths = he_fans.WIDTHS
    first, last = widths[1], widths[-1]
    theory = {
        "fan_in": (1, last / first),
        "fan_out": (first / last, 1),
        "mean of both": (0.64**5 * 0.4, 0.64**5 * 1.6),
    }
    measured = values("he_fans")["measured"]
    for rule, pair in theory.items():
        for expected, (mean, error) in zip(pair, measured[rule], strict=True):
            assert abs(mean - expected) < 4 * error
            assert error < 0.1 * expected
    assert measured["mean of both"][0][0] < 0.1


@pytest.mark.claim("A-44")
def test_xavier_is_harmless_in_the_pyramid():
    generator = torch.Generator().manual_seed(5)
    for scale, theory in ((1, [2, 2, 2]), (0.5, [1.5, 1, 64 / 69])):
        rule = "fan_in" if scale == 1 else "mean of both"
        v = [scale * x for x in he_fans.variances(he_fans.PYRAMID, rule)]
        parts = [he_fans.passes(he_fans.PYRAMID, v, 200, generator)[0] for _ in range(3)]
        q = torch.cat(parts, 1)
        for layer, expected in zip(q, theory, strict=True):
            check(layer, expected, 2 * expected)


@pytest.mark.proves("he-mixed", kind="ratio", seeds=300, effect="1 → ¼ per pair")
def test_mixed_modes_need_not_telescope():
    """fan_in into 64, fan_out into 256: a factor of 4 is lost per pair; with fan_in alone none."""
    widths = [256, 64] * 2 + [256]
    generator = torch.Generator().manual_seed(9)
    mixed = [2 / 256] * 4  # fan_in where the layer is narrow, fan_out where it is wide
    fan_in = he_fans.variances(widths, "fan_in")
    for v, per_pair in ((mixed, 0.25), (fan_in, 1.0)):
        q, _ = he_fans.passes(widths, v, 300, generator)
        check(q[3] / q[1].mean(), per_pair, 2 * per_pair)


def test_rules_agree_for_equal_widths():
    he_in, he_out, both = (he_fans.variances([8, 8, 8], r) for r in he_fans.RULES)
    assert he_in == he_out == both == [0.25, 0.25]
    with pytest.raises(ValueError, match="Received: rule='max'"):
        he_fans.variances([8, 8], "max")


@pytest.mark.proves("he-fans", kind="caption", n=400)
def test_figure_shows_two_bounded_rules_and_one_decaying():
    """fan_in is level forward and fan_out backward; the other way each swings within a factor of 4;
    the mean of both decays both ways."""
    fig = he_fans.plot_passes()
    forward, backward = fig.axes
    for ax, end in ((forward, -1), (backward, 0)):
        predicted, measured = ax.lines[::2], ax.lines[1::2]
        assert len(predicted) == len(measured) == 3
        for p, m in zip(predicted, measured, strict=True):
            assert np.abs(np.log(m.get_ydata() / p.get_ydata())).max() < 0.3
        for bounded in predicted[:2]:
            y = np.asarray(bounded.get_ydata())
            assert y.min() >= 0.25 - 1e-9
            assert y.max() <= 4 + 1e-9
        assert predicted[2].get_ydata()[end] < 0.2
        assert predicted[0 if ax is forward else 1].get_ydata() == pytest.approx(1)
    plt.close(fig)
