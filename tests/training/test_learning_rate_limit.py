"""Figure learning-rate-limit-sweep: the cliff at 2 / λmax on source 004's problem."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.training import learning_rate_limit as limit


@pytest.mark.proves("learning-rate-sufficient", kind="fact")
def test_the_condition_of_the_descent_lemma_is_not_necessary():
    """On ln cosh, L = 1, the first step of gradient descent from 2 at a rate of 3 > 2 / L goes down."""
    x, rate = 2.0, 3.0
    after = x - rate * np.tanh(x)
    assert np.log(np.cosh(after)) < np.log(np.cosh(x))
    points = np.linspace(-5, 5, 1001)
    slopes = 1 - np.tanh(points) ** 2
    assert slopes.max() == 1.0  # the Lipschitz constant of the gradient


@pytest.mark.claim("C-11")
def test_the_rate_decides_between_exact_slow_and_divergent():
    # 200 steps from one start: only the learning rate differs.
    assert limit.distance_after(0.7653) < 1e-8
    assert limit.distance_after(0.8) == pytest.approx(0.14, abs=0.01)
    assert limit.distance_after(0.81) == pytest.approx(20.6, abs=0.1)
    assert limit.distance_after(0.81, 400) > 4 * limit.distance_after(0.81)


def test_gradient_descent_follows_the_eigenvalues():
    for rate in (0.005, 0.1, 0.5, 0.79, 0.82):
        measured, predicted = limit.distance_after(rate), limit.predicted_distance(rate)
        assert measured == pytest.approx(predicted, rel=1e-4)


def test_the_hessian_is_that_of_the_loss():
    x, y, _ = limit.line_fit_problem()

    def gradient(theta):
        residual = theta[0] * x + theta[1] - y
        return np.array([(2 * residual * x).mean(), (2 * residual).mean()])

    columns = [gradient(np.eye(2)[i]) - gradient(np.zeros(2)) for i in (0, 1)]
    assert np.allclose(np.stack(columns, 1), limit.mse_hessian())


def test_limit_best_rate_and_condition(values):
    shown = values("learning_rate_limit")
    assert shown["limit"] == pytest.approx(0.8067, abs=1e-4)
    assert shown["best"] == pytest.approx(0.7653, abs=1e-4)
    assert shown["kappa"] == pytest.approx(18.49, abs=0.01)
    assert shown["factor"] == pytest.approx((shown["kappa"] - 1) / (shown["kappa"] + 1))
    assert shown["kept"] == pytest.approx(0.26, abs=0.005)
    rates = np.linspace(0.7, 0.8, 101)
    worst = [max(abs(1 - r * shown["low"]), abs(1 - r * shown["high"])) for r in rates]
    assert abs(rates[int(np.argmin(worst))] - shown["best"]) < 0.002


def test_data_are_those_of_the_source():
    x, y, start = limit.line_fit_problem()
    assert x[:2] == pytest.approx([0.5488135, 0.71518937])
    assert ((y - 3 * x - 2 >= 0) & (y - 3 * x - 2 < 1)).all()
    assert start == pytest.approx([1.127, -1.080], abs=1e-3)


def test_errors():
    with pytest.raises(ValueError, match=r"Received: rate=-1"):
        limit.distance_after(-1)
    with pytest.raises(ValueError, match="steps=-2"):
        limit.distance_after(0.1, -2)


@pytest.mark.proves("learning-rate-cliff", kind="caption")
def test_figure_has_its_cliff():
    """The best rate is at 95 % of the limit; 6 % above it the error grows."""
    figure = limit.plot_sweep()
    measured = figure.axes[0].lines[1]
    rates, errors = measured.get_xdata(), measured.get_ydata()
    assert errors[(rates > 0.7) & (rates < 0.79)].max() < 1e-4
    assert errors[rates > 0.81].min() > 20
    assert 0.7 < rates[errors.argmin()] < 0.8
    best = 2 / np.linalg.eigvalsh(limit.mse_hessian()).sum()
    assert best * np.linalg.eigvalsh(limit.mse_hessian())[1] / 2 == pytest.approx(0.95, abs=0.005)
    errors = [limit.distance_after(1.06 * best, steps) for steps in (0, 200, 400)]
    assert errors[0] < errors[1] < errors[2]
    fine = np.linspace(0.5, 0.85, 351)
    ends = [limit.predicted_distance(float(r)) for r in fine]
    assert fine[int(np.argmin(ends))] == pytest.approx(best, abs=0.015)
    plt.close(figure)
