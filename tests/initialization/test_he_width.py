"""Figure he-width-lognormal: ln q is normal with variance 5 D / n."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.initialization import he_width


@pytest.fixture(scope="module")
def samples():
    rng = np.random.default_rng(11)
    return {n: he_width.log_second_moment(n, 30, 20_000, rng) for n in (64, 256, 1024)}


def test_the_mean_is_one_and_the_median_is_below(samples):
    for log_q in samples.values():
        row = he_width.summarize(log_q)
        assert abs(row["mean"] - 1) < 4 * row["mean_se"]
        assert row["mean_se"] < 0.05
        assert row["median"] < 1 - 4 * row["mean_se"]


@pytest.mark.parametrize("n", [256, 1024])
def test_variance_of_the_logarithm(samples, n):
    row = he_width.summarize(samples[n])
    theory = 5 * 30 / n
    # The law is the first order in 1/n: allow its next order.
    assert abs(row["variance"] - theory) < 4 * row["variance_se"] + theory * 6 / n
    assert row["variance_se"] < 0.05 * theory
    linear = 2 * 30 / n  # the law of a linear network
    assert abs(row["variance"] - linear) > 4 * row["variance_se"] + theory * 6 / n


def test_mean_of_the_logarithm_is_minus_half_its_variance(samples):
    log_q = samples[1024]
    error = log_q.std() / math.sqrt(len(log_q))
    assert abs(log_q.mean() + 5 * 30 / 2048) < 4 * error < 0.2 * 5 * 30 / 2048


def test_one_layer_has_relative_variance_five_over_n():
    q = np.exp(he_width.log_second_moment(64, 1, 100_000, np.random.default_rng(3)))
    square = (q - 1) ** 2
    error = square.std() / math.sqrt(len(q))
    assert abs(square.mean() - 5 / 64) < 4 * error < 0.05 * 5 / 64
    assert abs(square.mean() - 2 / 64) > 4 * error


@pytest.mark.proves(
    "finite-width-chain", kind="fact", n=8000, range="width 32, 10 layers", tolerance="4 SE"
)
def test_the_shortcut_has_the_law_of_dense_networks():
    """Binomial and chi-square draws have the distribution of networks with real matrices."""
    generator = torch.Generator().manual_seed(4)
    n, networks, depth = 32, 8000, 10
    h = torch.randn(networks, n, 1, generator=generator).relu()  # s_0 is 1
    for _ in range(depth - 1):
        w = torch.randn(networks, n, n, generator=generator) * math.sqrt(2 / n)
        h = (w @ h).relu()
    log_s = (2 / n * h.square().sum((1, 2))).log().double().numpy()
    dense = he_width.summarize(log_s)
    rng = np.random.default_rng(4)
    many = he_width.log_second_moment(n, depth, 80_000, rng)
    short = he_width.summarize(many)
    assert abs(dense["mean"] - 1) < 4 * dense["mean_se"] < 0.2
    assert abs(dense["variance"] - short["variance"]) < 4 * dense["variance_se"] < 0.2
    for share in (0.05, 0.25, 0.5, 0.75, 0.95):
        below = (log_s < np.quantile(many, share)).mean()
        error = math.sqrt(share * (1 - share) / networks)
        assert abs(below - share) < 4 * error
    linear = np.quantile(np.log(rng.chisquare(n, (depth, 80_000)) / n).sum(0), 0.05)
    assert abs((log_s < linear).mean() - 0.05) > 0.1  # the law of a linear network


@pytest.mark.claim("A-06")
@pytest.mark.proves("finite-width-lognormal", kind="caption", n=20000)
def test_figure_has_wider_and_lower_laws_for_smaller_n():
    """Narrower networks spread more and have a lower median; dashed: close to the points."""
    fig = he_width.plot_lognormal()
    ax = fig.axes[0]
    markers = [line for line in ax.lines if line.get_marker() in ("o", "^", "s")]
    heights = [max(line.get_ydata()) for line in markers]
    assert heights == sorted(heights)
    medians = [
        line.get_xdata()[0] for line in ax.lines if line.get_ls() == ":" and len(line.get_xdata())
    ]
    assert medians == sorted(medians)
    assert max(medians) < 0
    predicted = [line for line in ax.lines if line.get_ls() == "--"]
    for p, m in zip(predicted, markers, strict=True):
        at = np.interp(m.get_xdata(), p.get_xdata(), p.get_ydata())
        assert np.abs(at - m.get_ydata()).max() < 0.1 * p.get_ydata().max()
    plt.close(fig)


def test_standard_errors_are_the_spread_of_repetitions():
    """Of 400 repetitions the means, and the variances, scatter as the stated errors say."""
    log_s = np.random.default_rng(5).normal(-0.1, 0.3, size=(400, 300))
    rows = [he_width.summarize(x) for x in log_s]
    for name in ("mean", "variance"):
        scatter = np.std([row[name] for row in rows])
        assert np.mean([row[f"{name}_se"] for row in rows]) == pytest.approx(scatter, rel=0.15)
    assert np.mean([row["variance"] for row in rows]) == pytest.approx(0.09, rel=0.02)
    assert np.mean([row["median"] for row in rows]) == pytest.approx(np.exp(-0.1), rel=0.01)


@pytest.mark.proves("finite-width-exercise", kind="call", n=20000, tolerance="3 %")
def test_forty_layers_of_width_128_do_what_the_exercise_predicts():
    """log_second_moment(128, 39, 20_000, rng): the standard deviation and the median."""
    log_s = he_width.log_second_moment(128, 39, 20_000, np.random.default_rng(4))
    assert log_s.std() == pytest.approx(math.sqrt(195 / 128), rel=0.03)
    assert np.exp(np.median(log_s)) == pytest.approx(math.exp(-195 / 256), rel=0.03)


def test_errors():
    with pytest.raises(ValueError, match="Received: width=0, depth=1, networks=1"):
        he_width.log_second_moment(0, 1, 1, np.random.default_rng(0))


def test_demo_values(values):
    found = values("he_width")
    assert found["theory"][256] == 5 * 30 / 256
    assert found["median"][64] < found["median"][256] < found["median"][1024] < 1
    assert found["variance"][64][0] > found["theory"][64] + 2 * found["variance"][64][1]
    assert 0.1 < found["top_share"] < 0.4
