"""Figure learning-rate-limit-sweep: the cliff at 2 / λmax on source 004's problem."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.training import learning_rate_limit as limit


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


def test_limit_best_rate_and_condition():
    values = limit.demo()
    assert values["limit"] == pytest.approx(0.8067, abs=1e-4)
    assert values["best"] == pytest.approx(0.7653, abs=1e-4)
    assert values["kappa"] == pytest.approx(18.49, abs=0.01)
    assert values["factor"] == pytest.approx((values["kappa"] - 1) / (values["kappa"] + 1))
    assert values["kept"] == pytest.approx(0.26, abs=0.005)
    rates = np.linspace(0.7, 0.8, 101)
    worst = [max(abs(1 - r * values["low"]), abs(1 - r * values["high"])) for r in rates]
    assert abs(rates[int(np.argmin(worst))] - values["best"]) < 0.002


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


def test_figure_has_its_cliff():
    figure = limit.plot_sweep()
    measured = figure.axes[0].lines[1]
    rates, errors = measured.get_xdata(), measured.get_ydata()
    assert errors[(rates > 0.7) & (rates < 0.79)].max() < 1e-4
    assert errors[rates > 0.81].min() > 20
    assert 0.7 < rates[errors.argmin()] < 0.8
    plt.close(figure)
