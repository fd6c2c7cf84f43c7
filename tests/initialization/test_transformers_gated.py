"""E[(φ(a) b)²] = E[φ(a)²] q, of second order in q."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.initialization import transformers_gated as module


@pytest.mark.parametrize("gate", module.GATES)
@pytest.mark.parametrize("q", [0.5, 2.0])
def test_moment(gate, q):
    mean, error = module.gated_sample(gate, q)
    theory = module.gated_moment(gate, q)
    assert abs(mean - theory) < 4 * error
    assert error < 0.05 * theory
    assert abs(mean - theory / q) > 4 * error  # without the factor q


def test_doubling_the_input_multiplies_by_sixteen():
    """Four times q: an ungated unit answers with 4, a gated one with 16."""
    assert module.gated_moment("ReGLU", 4) == pytest.approx(16 * module.gated_moment("ReGLU", 1))
    small = module.gated_moment("SwiGLU", 4e-6) / module.gated_moment("SwiGLU", 1e-6)
    assert small == pytest.approx(16, rel=1e-3)


def test_known_values_and_error():
    assert module.gated_moment("SwiGLU") == pytest.approx(0.35578, abs=1e-4)
    assert module.gated_moment("GLU") == pytest.approx(0.29338, abs=1e-4)
    with pytest.raises(ValueError, match="Received: gate='tanh'"):
        module.gated_moment("tanh")


def test_figure_and_values(values):
    """ReLU has slope 1, ReGLU slope 2, SwiGLU slope 2 at both ends."""
    fig = module.plot_scale()
    for line, (low, high) in zip(fig.axes[0].lines[:2], ((1, 1), (2, 2)), strict=True):
        y = np.log(line.get_ydata())
        step = np.log(line.get_xdata()[1] / line.get_xdata()[0])
        assert [(y[1] - y[0]) / step, (y[-1] - y[-2]) / step] == pytest.approx(
            [low, high], abs=0.01
        )
    swiglu = [module.gated_moment("SwiGLU", q) for q in (1e-4, 2e-4, 1e4, 2e4)]
    assert swiglu[1] / swiglu[0] == pytest.approx(4, rel=0.01)
    assert swiglu[3] / swiglu[2] == pytest.approx(4, rel=0.05)
    _, *lines = fig.axes[0].lines
    for theory, measured in zip(lines[::2], lines[1::2], strict=True):
        at = np.asarray(theory.get_ydata())[::10]
        assert np.abs(np.log(np.asarray(measured.get_ydata()) / at)).max() < 0.15
    plt.close(fig)
    assert values("transformers_gated")["n_v"]["ReGLU"] == 2
