"""Figure early-stopping-minimum-optimism: the best of T noisy values is too good."""

import math

import matplotlib.pyplot as plt
import pytest

from x0.training import early_stopping_minimum as minimum


def test_optimism_of_independent_values_is_the_expected_maximum():
    for count, found in zip(minimum.COUNTS, minimum.measured_optimism(0.0), strict=True):
        error = found.std(ddof=1) / math.sqrt(found.size)
        theory = minimum.expected_maximum(count)
        assert abs(found.mean() - theory) < 4 * error < 0.2 * theory
        assert abs(found.mean() - math.sqrt(2 * math.log(count))) > 4 * error  # only a bound


def test_known_maxima():
    assert minimum.expected_maximum(1) == pytest.approx(0, abs=1e-9)
    assert minimum.expected_maximum(2) == pytest.approx(1 / math.sqrt(math.pi))
    assert minimum.expected_maximum(3) == pytest.approx(1.5 / math.sqrt(math.pi))


def test_correlation_lowers_the_optimism_but_leaves_it():
    free, chain = minimum.measured_optimism(0.0), minimum.measured_optimism(0.99)
    assert (chain.mean(1) < 0.75 * free.mean(1)).all()
    assert chain[-1].mean() > 2


def test_chain_has_unit_variance_and_the_stated_correlation():
    # At T = 2 the minimum is that of two values with correlation 0.99.
    expected = math.sqrt((1 - 0.99) / math.pi)
    found = minimum.measured_optimism(0.99, repeats=20_000)[0]
    assert abs(found.mean() - expected) < 4 * found.std() / math.sqrt(found.size)


def test_errors():
    with pytest.raises(ValueError, match=r"at least one value\. Received: 0"):
        minimum.expected_maximum(0)


@pytest.mark.proves("early-stopping-optimism", kind="caption", range="T = 2…1000", n="2000")
def test_figure_and_values(values):
    """With a correlation of 0.99 the optimism is smaller, and still grows with the checks."""
    theory = values("early_stopping_minimum")["theory"]
    assert theory[100] == pytest.approx(2.51, abs=0.01)
    figure = minimum.plot_optimism()
    predicted, bound = (line.get_ydata() for line in figure.axes[0].lines[:2])
    assert all(p < b for p, b in zip(predicted, bound, strict=True))
    free, chain = (line.get_ydata() for line in figure.axes[0].lines[2:4])
    assert all(c < f for c, f in zip(chain, free, strict=True))
    assert (chain[1:] > chain[:-1]).all()
    plt.close(figure)
