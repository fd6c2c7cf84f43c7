"""The critical line: chi_1 is 1 on it, and it parts order from chaos."""

import math

import pytest
import torch

from x0.initialization import mean_field_edge as module


@pytest.fixture(scope="module")
def values():
    return module.demo()


def test_networks_on_the_line_have_chi_one(values):
    weight = torch.tensor([values["weight_1"], values["weight_10"]], dtype=torch.float64)
    bias = torch.tensor([0.01, 0.1], dtype=torch.float64)
    _, chi = module.settle_grid(torch.tanh, weight, bias, 2000)
    assert chi.tolist() == pytest.approx([1, 1], abs=1e-6)


def test_known_points(values):
    assert values["weight_0"] == pytest.approx(1, abs=1e-6)
    assert values["weight_1"] == pytest.approx(1.424, abs=1e-3)
    assert values["weight_10"] == pytest.approx(1.986, abs=1e-3)


def test_figure_order_on_the_left_chaos_on_the_right(values):
    for bias in (1, 10, 30):
        critical = values[f"weight_{bias}"]
        weight = torch.tensor([0.9 * critical, 1.1 * critical], dtype=torch.float64)
        _, chi = module.settle_grid(torch.tanh, weight, torch.full((2,), bias / 100).double())
        assert chi[0] < 1 < chi[1]
    assert values["chi_80"] < values["chi_100"] < 1 < values["chi_278"]


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
