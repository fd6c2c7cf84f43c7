"""K a^(2(m-1)) is what a step changes; Fixup makes it constant."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn

from x0.initialization import residual, residual_fixup


@pytest.mark.parametrize("weights", [2, 3])
def test_the_law_of_the_step(weights):
    generator = torch.Generator().manual_seed(weights)
    for count, factor in ((8, 1.0), (8, 0.6), (2, 0.6)):
        size = residual_fixup.step_size(count, weights, factor, 400, generator)
        mean, error = size.mean(), size.std() / math.sqrt(400)
        theory = count * factor ** (2 * weights - 2) / 2
        assert abs(mean - theory) < 4 * error
        assert error < 0.05 * theory
        wrong = count * factor**weights if factor < 1 else theory / 2
        assert abs(mean - wrong) > 4 * error


def test_the_exponent_makes_it_constant():
    for weights in (2, 3):
        zero, fixup = (residual_fixup.step_means(weights, f) for f in (False, True))
        slope = [
            np.polyfit(np.log(residual_fixup.COUNTS), np.log([m for m, _ in means]), 1)[0]
            for means in (zero, fixup)
        ]
        assert slope == pytest.approx([1, 0], abs=0.08)


def test_a_step_changes_the_function_by_the_sum_of_squared_gradients():
    """The definition that step_size rests on, on a module made by fixup_."""
    generator = torch.Generator().manual_seed(0)
    layers = [(nn.Linear(8, 8, bias=False), nn.Linear(8, 8, bias=False)) for _ in range(4)]
    branches = [nn.Sequential(a, nn.ReLU(), b).double() for a, b in layers]
    residual.fixup_(branches)
    model = nn.Sequential(*map(residual.Residual, branches))
    x = torch.randn(8, generator=generator, dtype=torch.float64)
    parameters = list(model.parameters())
    gradients = torch.autograd.grad(model(x).sum(), parameters)
    total = sum(g.square().sum() for g in gradients)
    before = model(x).sum()
    with torch.no_grad():
        for p, g in zip(parameters, gradients, strict=True):
            p -= 1e-6 * g
    assert ((before - model(x).sum()) / 1e-6).item() == pytest.approx(total.item(), rel=1e-4)


def test_scalars_change_nothing_at_first():
    layers = (nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
    branch = residual_fixup.fixup_branch(*layers)
    x = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(branch(x), nn.Sequential(*layers)(x))
    assert len(residual.branch_layers(branch)) == 2  # scalars are no weights
    assert sum(isinstance(m, residual_fixup.Shift) for m in branch) == 3
    assert not residual_fixup.Multiply(0)(x).any()


def test_figure_has_two_slopes():
    fig = residual_fixup.plot_step()
    measured = fig.axes[0].lines[:4]
    for line, theory in zip(measured, (1, 1, 0, 0), strict=True):
        x, y = (np.asarray(v) for v in (line.get_xdata(), line.get_ydata()))
        assert abs(np.polyfit(np.log(x), np.log(y), 1)[0] - theory) < 0.1
    plt.close(fig)


def test_only_the_last_zero_moves_the_output_by_half_the_branches():
    mean, error = residual_fixup.step_means(2, False)[-1]
    assert abs(mean - 32) < 4 * error


def test_what_is_shown(values, printed):
    assert len(printed("residual_fixup").splitlines()) == 6
    assert values("residual_fixup")["scalars"] == 4  # three biases and a multiplier
