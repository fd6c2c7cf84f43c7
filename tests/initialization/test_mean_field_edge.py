"""The critical line: chi_1 is 1 on it, and it parts order from chaos."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.initialization import mean_field_edge as module


def test_networks_on_the_line_have_chi_one(values):
    critical = values("mean_field_edge")["critical"]
    bias = torch.tensor([0.01, 0.1], dtype=torch.float64)
    weight = torch.tensor([critical[0.01], critical[0.1]], dtype=torch.float64)
    _, chi = module.settle_grid(torch.tanh, weight, bias, 2000)
    assert chi.tolist() == pytest.approx([1, 1], abs=1e-6)


def test_known_points(values):
    critical = values("mean_field_edge")["critical"]
    assert critical[0.0] == pytest.approx(1, abs=1e-6)
    assert critical[0.01] == pytest.approx(1.424, abs=1e-3)
    assert critical[0.1] == pytest.approx(1.986, abs=1e-3)


@pytest.mark.proves("mean-field-edge", kind="caption", range="bias variance 0…0.3")
def test_figure_order_on_the_left_chaos_on_the_right(values):
    """Order left of the thick line, chaos right; Xavier ends it; gain 5/3 is chaotic."""
    figure = module.plot_diagram()
    (axis,) = figure.axes
    critical, xavier, gain = (
        np.array(line.get_data(), dtype=float).squeeze() for line in axis.lines
    )
    weight, bias = critical
    for shift, ordered in ((0.93, True), (1.07, False)):
        w, b = (torch.from_numpy(np.array(x[5::6])) for x in (shift * weight, bias))
        _, chi = module.settle_grid(torch.tanh, w, b, 4000)
        assert bool(((chi < 1) == ordered).all())
    assert (weight[0], bias[0]) == pytest.approx((1, 0), abs=5e-3)
    assert xavier.tolist() == [1.0, 0.0]
    _, chi = module.settle_grid(
        torch.tanh, torch.tensor([25 / 9]).double(), torch.zeros(1).double()
    )
    assert gain.tolist() == pytest.approx([25 / 9, 0])
    assert float(chi) > 1
    plt.close(figure)
    left = values("mean_field_edge")
    for bias in (0.01, 0.1, 0.3):
        critical = left["critical"][bias]
        weight = torch.tensor([0.9 * critical, 1.1 * critical], dtype=torch.float64)
        _, chi = module.settle_grid(torch.tanh, weight, torch.full_like(weight, bias))
        assert chi[0] < 1 < chi[1]
    first, second, third = left["factors"]
    assert first < second < 1 < third


def test_erf_has_its_closed_form():
    q = torch.tensor([0.1, 1.0, 5.0], dtype=torch.float64)
    weight, _ = module.critical_line(torch.erf, q)
    expected = math.pi / 4 * torch.sqrt(1 + 4 * q)
    assert torch.allclose(weight, expected, rtol=1e-10)


def test_gelu_has_no_line_from_zero():
    q = torch.tensor([0.1, 1.0], dtype=torch.float64)
    _, bias = module.critical_line(torch.nn.functional.gelu, q)
    assert float(bias.max()) < 0.1


def test_errors():
    with pytest.raises(ValueError, match=r"Received: bias=-0\.1"):
        module.critical_weight(torch.tanh, -0.1)
    with pytest.raises(ValueError, match="Received: bias=1000"):
        module.critical_weight(torch.tanh, 1000)
