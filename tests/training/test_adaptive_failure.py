"""Figure adaptive-failure-walk: Adam walks to the worst point."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.training import adaptive_failure as failure


def test_where_the_walks_end():
    ends = {name: failure.walk_to_the_end(name)[-1] for name in failure.NAMES}
    assert ends["Adam"] == 1
    for name in ("SGD", "AMSGrad", "Adam, default betas"):
        assert ends[name] < -0.95


def test_every_round_goes_up():
    path = failure.walk_to_the_end("Adam")[: 3 * 100 + 1 : 3]
    moves = np.diff(path)
    assert (moves > 0.29 * failure.RATE).all()  # sqrt(2) - sqrt(1 + 1/9) = 0.36, and the start
    assert moves[10:] == pytest.approx(moves[20], rel=1e-6)


@pytest.mark.proves(
    "adaptive-axes",
    kind="ratio",
    seeds=20,
    range="η = 0.4…6.4",
    effect="{val:adaptive_failure.on_axes:.0f} → {val:adaptive_failure.rotated:.0f}; heavy ball {val:adaptive_failure.heavy[0]:.0f}",
)
def test_a_rotation_matters_to_adam(values):
    """Rotated, Adam takes several times as many steps as on the axes, heavy ball as many as before."""
    shown = values("adaptive_failure")
    mean, error = shown["rotated"]
    assert mean > 4 * shown["on_axes"]
    assert abs(shown["heavy"][0] - shown["heavy"][1]) <= 1
    assert mean - 4 * error > 3 * shown["on_axes"]
    rates = shown["rates"]
    assert shown["best_rate"] in rates[1:-1]


@pytest.mark.parametrize("name", ["Adam", "heavy ball"])
def test_steps_are_counted_as_the_formulas_of_the_methods_say(name):
    """Two rotated problems, with Adam and heavy ball written out."""
    _, rotations = failure.axes_and_rotations(2)
    counted = failure.steps_on_quadratic(name, 0.1, rotations)
    curvature = np.geomspace(1, 1e4, 20)
    for basis, steps in zip(rotations.numpy(), counted.tolist(), strict=True):
        theta = basis @ np.linspace(-1, 2, 20)
        m, v, values = 0.0, 0.0, []
        while not values or values[-1] >= 1e-6 * values[0]:
            g = basis @ (curvature * (basis.T @ theta))
            values.append(theta @ g)
            t = len(values)
            if name == "Adam":
                m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
                move = 0.1 * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
            else:  # the best constants for curvatures from 1 to 10000
                m = (99 / 101) ** 2 * m + g
                move = 4 / (1 + 100) ** 2 * m
            theta = theta - move
        assert steps == pytest.approx(len(values) - 1, abs=1)


def test_rejects_an_unknown_name():
    with pytest.raises(ValueError, match="Received: name='Adagrad'"):
        failure.walk_to_the_end("Adagrad")


@pytest.mark.proves("adaptive-walk", kind="caption", n="1500")
def test_figure_and_values():
    """Adam ends at the worst point; SGD, AMSGrad and the default betas near the best."""
    figure = failure.plot_walk()
    ends = {line.get_label(): line.get_ydata()[-1] for line in figure.axes[0].lines}
    assert ends["Adam"] == 1
    for name in ("SGD", "AMSGrad", "Adam, default betas"):
        assert ends[name] < -0.5
        assert failure.walk_to_the_end(name)[-1] < -0.95
    plt.close(figure)
