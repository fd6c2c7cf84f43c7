"""Figure activations-linear-width: what a layer can do without a nonlinear function."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.foundations import activations_linear as linear


@pytest.mark.claim("A-13")
def test_linear_layers_are_one_and_polynomial_units_stay_polynomials():
    rng = np.random.default_rng(3)
    layers = [(rng.normal(size=s), rng.normal(size=s[0])) for s in ((6, 4), (5, 6), (2, 5))]
    w, b = linear.collapse_affine(layers)
    x = rng.normal(size=(4, 50))
    deep = x
    for weight, bias in layers:
        deep = weight @ deep + bias[:, None]
    assert np.abs(deep - (w @ x + b[:, None])).max() < 1e-12
    # With ReLU in between, no affine map fits.
    deep = x
    for weight, bias in layers:
        deep = np.maximum(weight @ deep + bias[:, None], 0)
    design = np.vstack([x, np.ones(50)]).T
    fit = design @ np.linalg.lstsq(design, deep.T, rcond=None)[0]
    assert np.abs(fit - deep.T).max() > 0.1
    # Width does not take a polynomial below the best polynomial of its degree.
    for name, degree in (("linear", 1), ("square", 2)):
        error = linear.fitting_error(linear.UNITS[name], 64, rng)
        assert error == pytest.approx(linear.polynomial_error(degree), rel=1e-6)
    for name in ("ReLU", "tanh"):
        assert linear.fitting_error(linear.UNITS[name], 64, rng) < 0.1


def test_a_narrow_layer_limits_the_rank():
    rng = np.random.default_rng(4)
    layers = [(rng.normal(size=s), np.zeros(s[0])) for s in ((2, 9), (9, 2))]
    assert np.linalg.matrix_rank(linear.collapse_affine(layers)[0]) == 2


def test_errors_and_values(values):
    with pytest.raises(ValueError, match=r"Received: \[\]"):
        linear.collapse_affine([])
    names = values("activations_linear")
    assert names["gap"] < 1e-12
    errors = names["errors"]
    assert names["best"][2] == pytest.approx(errors["square"], rel=1e-6)
    assert names["best"][1] == pytest.approx(errors["linear"], rel=1e-6)
    assert errors["tanh"] < errors["ReLU"] < 0.1


@pytest.mark.proves("activations-width", kind="caption", range="n = 1…64", n="10")
def test_figure():
    """Linear and square units stop at the best polynomials; ReLU and tanh improve with width."""
    figure = linear.plot_width()
    flat, square, relu, tanh = (line.get_ydata() for line in figure.axes[0].lines[:4])
    assert max(flat) == pytest.approx(min(flat))
    assert flat[-1] == pytest.approx(linear.polynomial_error(1), rel=1e-6)
    assert square[3:] == pytest.approx([linear.polynomial_error(2)] * 4, rel=1e-6)
    assert (np.diff(relu) < 0).all()
    low = figure.axes[0].get_ylim()[0]
    assert [t < low for t in tanh] == [width >= 16 for width in linear.WIDTHS]
    assert relu[-1] < relu[0] / 10
    assert tanh[-1] < tanh[0] / 10
    plt.close(figure)
