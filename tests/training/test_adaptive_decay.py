"""Figure adaptive-decay-shrink: L2 in Adam is not weight decay."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn

from x0.training import adaptive_decay as decay


@pytest.mark.parametrize("size", decay.SIZES)
def test_adamw_shrinks_all_alike_and_l2_does_not(size):
    last = decay.STEPS
    every = (1 - decay.RATE * decay.DECAY) ** last
    assert float(decay.mean_weight(True, size)[-1]) == pytest.approx(every, rel=1e-3)
    theory = (1 - decay.RATE * decay.DECAY / size) ** last
    assert float(decay.mean_weight(False, size)[-1]) == pytest.approx(theory, rel=0.01)


def test_for_sgd_both_are_the_same():
    g = torch.tensor([0.3, -2.0], dtype=torch.float64)
    weight = nn.Parameter(torch.tensor([1.0, 4.0], dtype=torch.float64))
    theta = weight.detach().clone()
    optimizer = torch.optim.SGD([weight], lr=0.1, weight_decay=0.2)
    for _ in range(10):
        weight.grad = g.clone()
        optimizer.step()
        theta = (1 - 0.1 * 0.2) * theta - 0.1 * g
    assert torch.allclose(theta, weight.detach())


def test_rejects_no_gradient():
    with pytest.raises(ValueError, match=r"Received: size=0\.0"):
        decay.mean_weight(True, 0.0)


@pytest.mark.proves("adaptive-decay", kind="caption", n="500")
def test_figure_and_values(values):
    """AdamW decays alike under all three noises; the decay by L2 slows down with the noise."""
    figure = decay.plot_shrink()
    lines = {line.get_label(): line.get_ydata()[-1] for line in figure.axes[0].lines}
    assert lines["Adam, L2, 100"] > 0.98
    assert lines["AdamW, 100"] < 0.5
    assert lines["Adam, L2, 1"] < lines["Adam, L2, 10"] < lines["Adam, L2, 100"]
    for line in figure.axes[0].lines:
        if str(line.get_label()).startswith("AdamW"):
            expected = (1 - decay.RATE * decay.DECAY) ** np.array(line.get_xdata())
            assert np.array(line.get_ydata()) == pytest.approx(expected, rel=1e-3)
    shown = values("adaptive_decay")
    assert float(shown["left"]["Adam, L2"][1]) == pytest.approx(shown["predicted"][1], rel=0.01)
    plt.close(figure)
