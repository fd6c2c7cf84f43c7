"""N(μ, σ²) carries the variance: the two readings of a square root."""

import math

import numpy as np
import pytest
import torch

from x0.guide import notation


def test_gaussian_draws_with_the_given_variance() -> None:
    generator = torch.Generator().manual_seed(1)
    w = notation.gaussian_(torch.empty(400, 400).double(), 0.5, 1 / 16, generator)
    square = (w - 0.5).square()
    error = square.std().item() / math.sqrt(square.numel())
    assert abs(w.mean().item() - 0.5) < 4 * math.sqrt(1 / 16 / w.numel())
    assert error < 0.05 / 16
    assert abs(square.mean().item() - 1 / 16) < 4 * error
    # Wrong law: the argument is a standard deviation.
    assert abs(square.mean().item() - (1 / 16) ** 2) > 4 * error


def test_gaussian_is_torch_normal_with_the_root() -> None:
    ours = torch.empty(3, 5)
    filled = notation.gaussian_(ours, 1.0, 0.25, torch.Generator().manual_seed(2))
    theirs = torch.nn.init.normal_(torch.empty(3, 5), 1.0, 0.5, torch.Generator().manual_seed(2))
    assert filled is ours
    assert torch.equal(ours, theirs)


def test_gaussian_defaults_to_the_standard_normal_law() -> None:
    torch.manual_seed(3)
    ours = notation.gaussian_(torch.empty(7))
    torch.manual_seed(3)
    assert torch.equal(ours, torch.nn.init.normal_(torch.empty(7)))


def test_gaussian_refuses_a_negative_variance() -> None:
    with pytest.raises(ValueError, match=r"at least 0\. Received: variance=-1"):
        notation.gaussian_(torch.empty(2), variance=-1)


def products(variance: float, count: int, activation=torch.clone) -> tuple[float, float]:
    """Return the factor over some products, n = 256, and its standard error."""
    means = notation.layer_means(variance, activation, depth=count + 1, networks=40, seed=4)
    ratio = means[:, -1] / means[:, 1].mean()
    return ratio.mean().item(), ratio.std().item() / math.sqrt(len(ratio))


@pytest.mark.claim("A-25")
def test_square_root_read_as_variance_explodes_and_as_std_does_not() -> None:
    n = 256
    wide, wide_error = products(math.sqrt(1 / n), 9)
    right, right_error = products(1 / n, 9)
    assert wide_error < 0.05 * n**4.5
    assert abs(wide - n**4.5) < 4 * wide_error  # √n per layer: 16⁹
    assert right_error < 0.05
    assert abs(right - 1) < 4 * right_error
    # Wrong law: the two readings differ by a constant factor, 16 in all.
    assert abs(wide - 16) > 4 * wide_error


@pytest.mark.claim("A-31")
def test_he_square_root_has_the_same_two_readings() -> None:
    n = 256
    wide, wide_error = products(math.sqrt(2 / n), 4, torch.relu)
    right, right_error = products(2 / n, 4, torch.relu)
    theory = (n / 2) ** 2  # √(n/2) per layer
    assert wide_error < 0.05 * theory
    assert abs(wide - theory) < 4 * wide_error
    assert right_error < 0.05
    assert abs(right - 1) < 4 * right_error
    # Wrong law: ReLU grows by √n per layer, as a linear network does.
    assert abs(wide - n**2) > 4 * wide_error


def test_input_has_second_moment_one() -> None:
    first = notation.layer_means(1 / 256, depth=1)[:, 0]
    assert abs(first.mean().item() - 1) < 4 * math.sqrt(2 / (20 * 256 * 64))


def test_growth_is_the_factor_of_one_layer() -> None:
    factor, error = notation.growth(torch.tensor([[5.0, 2.0, 6.0, 18.0]] * 2).double())
    assert factor == pytest.approx(3)
    assert error == 0


@pytest.mark.proves("notation-readings", kind="caption", n="20")
def test_figure_shows_a_line_of_slope_sixteen_and_a_flat_one() -> None:
    """As a standard deviation the second moment stays; as a variance it grows by 12 orders."""
    axes = notation.plot_readings().axes[0]
    assert axes.get_yscale() == "log"
    theory_wide, wide, theory_right, right = (
        np.asarray(line.get_ydata(), dtype=float) for line in axes.lines
    )
    assert np.allclose(theory_wide, 16.0 ** np.arange(11))
    assert np.allclose(theory_right, 1)
    assert 0.9e12 < wide[10] / wide[0] < 1.4e12
    # All on one marker: within 10 %, over twelve decades.
    assert np.abs(np.log(wide / theory_wide)).max() < 0.1
    assert np.abs(np.log(right / theory_right)).max() < 0.1


@pytest.mark.proves("notation-samplers", kind="call", n="40000", tolerance="4 SE")
@pytest.mark.parametrize(
    ("draw", "takes"),
    [
        (lambda s, n: torch.nn.init.normal_(torch.empty(n), 0.0, s), "std"),
        (lambda s, n: torch.distributions.Normal(0.0, s).sample((n,)), "std"),
        (lambda s, n: np.random.default_rng(5).normal(0.0, s, n), "std"),
        (
            lambda s, n: np.random.default_rng(5).multivariate_normal([0.0], [[s]], n),
            "variance",
        ),
        (
            lambda s, n: torch.distributions.MultivariateNormal(
                torch.zeros(1), torch.tensor([[s]])
            ).sample((n,)),
            "variance",
        ),
    ],
)
def test_what_each_sampler_takes(draw, takes: str) -> None:
    """Univariate normal samplers take a standard deviation, multivariate ones a covariance."""
    torch.manual_seed(5)
    count, argument = 40_000, 0.25
    measured = float(np.square(np.asarray(draw(argument, count))).mean())
    expected, other = (argument**2, argument) if takes == "std" else (argument, argument**2)
    error = expected * math.sqrt(2 / count)
    assert abs(measured - expected) < 4 * error
    assert abs(measured - other) > 4 * error


@pytest.mark.proves("notation-draw", kind="call", n="2000²", tolerance="4 SE")
def test_dividing_by_the_root_gives_the_variance() -> None:
    """torch.randn(n, n) / n ** 0.5 has entries of variance 1 / n."""
    n = 2000
    with torch.random.fork_rng():
        torch.manual_seed(0)
        w = torch.randn(n, n) / n**0.5
    assert w.shape == (n, n)
    assert abs(n * w.var().item() - 1) < 4 * (2 / n**2) ** 0.5
    assert abs(w.mean().item()) < 4 / n**1.5
