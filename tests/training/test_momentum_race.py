"""Figure momentum-race-error: three methods on a quadratic, as fast as predicted."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.training import momentum_race as race
from x0.training.momentum_stability import heavy_ball_radius


def nesterov_radius(step, beta):
    """The factor per step of one mode of Nesterov's method; arrays are broadcast."""
    x, b = np.broadcast_arrays(step, beta)
    rows = [(1 + b) * (1 - x), -b * (1 - x), np.ones_like(b), np.zeros_like(b)]
    return np.abs(np.linalg.eigvals(np.stack(rows, -1).reshape(*b.shape, 2, 2))).max(-1)


@pytest.mark.proves(
    "momentum-best", kind="best", range="η: 0.3…3 η⋆, β: 0…0.999, κ = 10…1000", n="24400"
)
@pytest.mark.parametrize("kappa", [10.0, 18.5, 100.0, 1000.0])
def test_no_setting_is_better_than_the_best(kappa):
    """No pair of the grid has a smaller factor than the best constants of heavy ball, or of Nesterov."""
    eta, momentum = race.best_nesterov(1.0, kappa)
    ends = np.geomspace(1.0, kappa, 5)[:, None, None]
    best = float(nesterov_radius(eta * ends, momentum).max())
    assert best == pytest.approx(1 - 2 / np.sqrt(3 * kappa + 1), abs=1e-6)
    rates, betas = np.meshgrid(np.geomspace(0.3, 3, 61) * eta, np.linspace(0, 0.999, 400))
    factors = np.max([nesterov_radius(rates * x[0, 0], betas) for x in ends], 0)
    assert factors.min() > best - 1e-6
    usual = float(nesterov_radius(ends / kappa, (kappa**0.5 - 1) / (kappa**0.5 + 1)).max())
    assert usual == pytest.approx(1 - kappa**-0.5, abs=1e-6)
    assert usual > best

    rate, beta = race.best_heavy_ball(1.0, kappa)
    ends = np.array([1.0, kappa])[:, None, None]
    best = float(heavy_ball_radius(rate * ends, beta).max())
    root = np.sqrt(kappa)
    assert best == pytest.approx((root - 1) / (root + 1), abs=1e-6)
    rates, betas = np.meshgrid(np.geomspace(0.3, 3, 61) * rate, np.linspace(0, 0.999, 400))
    assert heavy_ball_radius(rates * ends, betas).max(0).min() > best - 1e-6


@pytest.mark.proves("momentum-double", kind="cause", effect="2^(1/600) = 1.0012 → 1.0000", n="1200")
def test_the_double_root_makes_the_measured_factor_larger(values):
    """A double root gives t γ^t and a measured factor above γ; without it they agree."""
    shown = values("momentum_race")
    for name in ("heavy ball", "Nesterov", "Nesterov, best"):
        ratio = shown["measured"][name] / shown["predicted"][name]
        assert ratio == pytest.approx(2 ** (1 / 600), abs=2e-4)
    ratio = shown["measured"]["gradient descent"] / shown["predicted"]["gradient descent"]
    assert ratio == pytest.approx(1, abs=1e-5)
    # A larger β and the same rate: no double root, complex pairs; the size is that of the envelope.
    rate, beta = race.best_heavy_ball(1.0, race.KAPPA)
    beta = 1.2 * beta
    curvature = np.geomspace(1, race.KAPPA, race.MODES)
    before = now = np.ones(race.MODES)
    norms = []
    for _ in range(1200):
        before, now = now, now - rate * curvature * now + beta * (now - before)
        norms.append(np.linalg.norm(now))
    ends = [np.log(norms[t - 50 : t + 50]).mean() for t in (300, 700)]
    assert np.exp((ends[1] - ends[0]) / 400) / np.sqrt(beta) == pytest.approx(1, abs=2e-4)


@pytest.mark.proves("momentum-first", kind="fact", range="κ = 10⁴")
def test_from_rest_the_first_factor_takes_longer():
    """At κ = 10⁴ the flattest direction falls to 1/e in 107 steps; late in the run 50 are enough."""
    rate, beta = race.best_heavy_ball(1.0, 1e4)
    path, buffer = [1.0], 0.0
    for _ in range(20_000):
        buffer = beta * buffer + path[-1]
        path.append(path[-1] - rate * buffer)
    errors = np.array(path)
    assert (errors < 1 / np.e).argmax() == 107
    late = errors[15_000:]
    assert (late < late[0] / np.e).argmax() in (50, 51)


@pytest.mark.proves("momentum-overshoot", kind="fact", range="κ = 10…10⁶")
def test_the_first_step_overshoots():
    """With the best constants the first step takes the steepest error from 1 to nearly -3."""
    ends = []
    for kappa in (10.0, 100.0, 1e4, 1e6):
        rate, _ = race.best_heavy_ball(1.0, kappa)
        ends.append(1 - rate * kappa)
    assert (np.diff(ends) < 0).all()
    assert ends[1] < -2
    assert ends[-1] == pytest.approx(-3, abs=0.01)


def test_measured_rates(values):
    shown = values("momentum_race")
    for name, slack in (("gradient descent", 1e-4), ("Nesterov", 3e-3), ("heavy ball", 3e-3)):
        # a double root gives k r^k: the rate approaches r from above like 1 / k
        assert -1e-5 < shown["measured"][name] - shown["predicted"][name] < slack
    assert shown["predicted"]["heavy ball"] == pytest.approx(9 / 11)
    steps = shown["steps"]
    assert steps["heavy ball"] < steps["Nesterov"] < steps["gradient descent"] / 4


def test_nesterov_in_theory():
    """The spectral radius of its matrix, at every eigenvalue."""
    beta = 9 / 11
    radius = max(
        np.abs(np.linalg.eigvals([[(1 + beta) * (1 - x), -beta * (1 - x)], [1, 0]])).max()
        for x in np.linspace(0.01, 1, 200)
    )
    assert radius == pytest.approx(0.9, abs=1e-6)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (2.0, 1.0)])
def test_rejects_eigenvalues_out_of_order(low, high):
    with pytest.raises(ValueError, match=f"Received: smallest={low}, largest={high}"):
        race.best_heavy_ball(low, high)


@pytest.mark.proves("momentum-race", kind="caption")
def test_figure():
    """Of the five curves the heavy ball ends lowest; the best Nesterov is below the usual one."""
    figure = race.plot_error()
    ends = {line.get_label(): line.get_ydata()[-1] for line in figure.axes[0].lines}
    assert ends["heavy ball"] < ends["Nesterov, best"] < ends["Nesterov"]
    assert ends["Nesterov"] < ends["gradient descent"]
    assert ends["heavy ball"] < ends["Adam"]
    plt.close(figure)


@pytest.mark.parametrize("name", race.NAMES)
def test_the_race_is_that_of_the_recursions(name):
    """Each method written out for the modes; the step of Adam is that of its paper."""
    curvature = np.geomspace(1, race.KAPPA, race.MODES)
    x, last, m, v = (np.ones(race.MODES), np.ones(race.MODES), 0.0, 0.0)
    eta, beta = {
        "gradient descent": (2 / (1 + race.KAPPA), 0.0),
        "heavy ball": race.best_heavy_ball(1.0, race.KAPPA),
        "Nesterov": (1 / race.KAPPA, (race.KAPPA**0.5 - 1) / (race.KAPPA**0.5 + 1)),
        "Nesterov, best": race.best_nesterov(1.0, race.KAPPA),
        "Adam": (0.05, 0.0),
    }[name]
    expected = [np.linalg.norm(x)]
    for t in range(1, 13):
        if name == "Adam":
            g = curvature * x
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            x = x - eta * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        elif name == "heavy ball":
            x, last = x - eta * curvature * x + beta * (x - last), x
        else:  # the gradient is taken at the point ahead, which is what PyTorch stores
            ahead = x - eta * curvature * x
            x, last = ahead + beta * (ahead - last), ahead
            if t == 1:  # PyTorch begins with a step of 1 + beta
                x, last = np.ones(race.MODES) - (1 + beta) * eta * curvature, ahead
        expected.append(np.linalg.norm(x))
    assert race.error_norms(name, 12, 0.05) == pytest.approx(expected, rel=1e-9)
