"""The program with twelve defects stops where the page says, and has them."""

import ast
import inspect
from typing import Any

import numpy as np
import pytest

from x0.taylor import linear_regression_program as program
from x0.taylor.linear_regression_program import fit_line, gradient, loss, model
from x0.taylor.linear_regression_repairs import line_data


def test_it_stops_at_the_first_step_and_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    x, y, _ = line_data()
    with pytest.raises(ValueError, match="non-broadcastable output operand"):
        fit_line(x[:, None], y[:, None])
    assert capsys.readouterr().out == ""


def test_the_gradient_is_not_summed_and_the_loss_is_right() -> None:
    x, y, _ = line_data()
    w, b = np.array([[1.5]]), np.array([[-0.5]])
    by_w, by_b = gradient(x[:, None], y[:, None], w, b)
    assert by_w.shape == by_b.shape == (100, 1)
    assert loss(x[:, None], y[:, None], w, b) == pytest.approx(np.mean((1.5 * x - 0.5 - y) ** 2))
    step = 1e-6
    changes = [loss(x[:, None], y[:, None], w + s, b) for s in (step, -step)]
    assert by_w.sum() == pytest.approx((changes[0] - changes[1]) / (2 * step), rel=1e-6)


@pytest.mark.proves("linear-regression-defects", kind="call", n="12 defects")
def test_the_twelve_defects(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], values: Any
) -> None:
    """The program has the defects of the twelve rows, and their repairs mend them."""
    source = inspect.getsource(program)
    x, y, start = (array.reshape(-1, 1) for array in line_data())
    # the formula, the data, the global seed
    assert "w_i" in str(model.__doc__)
    assert "y = 3 * x + 2 + np.random.rand(100, 1)" in source
    assert np.random.RandomState(0).rand(10**5).mean() == pytest.approx(0.5, abs=0.005)
    assert "np.random.seed(0)" in source
    # the model
    two, w = np.ones((100, 2)), np.ones((2, 1))
    assert model(two, w.T, start[:1]).shape == (100, 2)
    assert (two @ w + start[0]).shape == (100, 1)
    # the loss, a record of it and least squares are nowhere called
    called = {
        ast.unparse(node.func) for node in ast.walk(ast.parse(source)) if type(node) is ast.Call
    }
    assert "gradient" in called
    assert not called & {"loss", "np.linalg.lstsq", "np.sum"}
    # the gradient and the update
    by_w, _ = gradient(x, y, start[:1], start[1:])
    assert by_w.shape == (100, 1)
    assert (start[:1] - 0.01 * by_w).shape != start[:1].shape  # silently
    with pytest.raises(ValueError, match="non-broadcastable"):
        fit_line(x, y)
    # the start and the learning rate are the function's own
    assert list(inspect.signature(fit_line).parameters) == ["x", "y"]
    assert inspect.getsource(fit_line).count("0.01") == 2
    assert values("linear_regression")["limit"] / 0.01 == pytest.approx(80, abs=1)
    # with the sum the program ends, prints arrays, and has expanded nothing: its step is the gradient
    assert "Taylor" in str(gradient.__doc__) + str(fit_line.__doc__)
    summed = lambda *parts: [np.sum(part) for part in gradient(*parts)]  # noqa: E731
    step = 1e-6
    change = loss(x, y, start[:1] + step, start[1:]) - loss(x, y, start[:1] - step, start[1:])
    assert summed(x, y, start[:1], start[1:])[0] == pytest.approx(change / (2 * step), rel=1e-6)
    monkeypatch.setattr(program, "gradient", summed)
    fit_line(x, y)
    shown = capsys.readouterr().out
    assert shown.startswith("w: [[")
    assert "b: [[" in shown


def test_two_features_are_broadcast() -> None:
    assert model(np.ones((100, 2)), np.ones((1, 2)), np.ones((1, 1))).shape == (100, 2)
