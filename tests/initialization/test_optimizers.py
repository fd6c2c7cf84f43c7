"""Figure optimizers-epsilon: the first step of SGD and of Adam."""

import matplotlib.pyplot as plt
import pytest
import torch

from x0.initialization import optimizers


def test_adam_ignores_the_scale_of_the_gradient_down_to_epsilon():
    def adam(p):
        return torch.optim.Adam(p, lr=0.1)

    g = torch.tensor([2.0, -0.3, 1e-3], dtype=torch.float64)
    step = optimizers.optimizer_step(adam, g)
    assert torch.allclose(step, -0.1 * g.sign(), rtol=1e-4)
    assert torch.allclose(optimizers.optimizer_step(adam, 1000 * g), step, rtol=1e-4)
    tiny = optimizers.optimizer_step(adam, torch.tensor([1e-12], dtype=torch.float64))
    assert float(tiny) == pytest.approx(-0.1 * 1e-4, rel=1e-3)


def test_sgd_moves_in_proportion():
    g = torch.tensor([2.0, -0.3], dtype=torch.float64)
    step = optimizers.optimizer_step(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), g)
    assert torch.allclose(step, -0.1 * g)


@pytest.mark.proves("optimizers-velocity", kind="call", effect="1, 10")
def test_the_velocity_adds_up_whole_gradients():
    """With momentum 0.9 the first step is that of SGD; at a constant gradient later ones near 10 times it."""
    weight = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = torch.optim.SGD([weight], lr=0.1, momentum=0.9)
    steps = []
    for _ in range(200):
        before = weight.item()
        weight.grad = torch.ones_like(weight)
        optimizer.step()
        steps.append(before - weight.item())
    assert steps[0] == pytest.approx(0.1)
    assert steps[-1] == pytest.approx(1.0, rel=1e-6)


@pytest.mark.proves("optimizers-half", kind="fact", effect="10⁻⁸ → 0")
def test_epsilon_is_zero_in_half_precision():
    """1e-8 is zero in float16 and not in float32."""
    assert torch.tensor(1e-8, dtype=torch.float16) == 0
    assert torch.tensor(1e-8, dtype=torch.float32) > 0


def test_rejects_a_gradient_that_is_not_finite():
    with pytest.raises(ValueError, match="Received: gradient="):
        optimizers.optimizer_step(lambda p: torch.optim.SGD(p), torch.tensor([float("nan")]))


def test_figure_and_values(values):
    figure = optimizers.plot_epsilon()
    _, _, sgd, adam = figure.axes[0].lines
    assert sgd.get_ydata()[0] < 1e-14
    assert adam.get_ydata()[-1] == pytest.approx(0.1)
    assert adam.get_ydata()[0] < 1e-6
    assert values("optimizers")["steps"]["Adam"][2] == pytest.approx(-0.05)
    plt.close(figure)
