"""Figure networks-cost-ways: what a gradient costs, counted."""

import itertools

import matplotlib.pyplot as plt
import pytest

from x0.foundations import networks_cost as cost


@pytest.mark.parametrize("widths", [(3, 4, 5), (8,) * 5, (784, 256, 128, 10)])
def test_reverse_mode_costs_what_the_law_says(widths):
    found = cost.gradient_cost(*cost.draw_network(widths))
    products = [a * b for a, b in itertools.pairwise(widths)]
    assert found["reverse"] == pytest.approx(3 - products[0] / sum(products), rel=1e-12)
    assert found["reverse"] < 3
    assert found["parameters"] == sum(products)


def test_the_other_ways_grow_with_the_parameters():
    small, large = (cost.gradient_cost(*cost.draw_network((n,) * 5)) for n in (4, 64))
    ratio = large["parameters"] / small["parameters"]
    assert large["forward"] / small["forward"] == pytest.approx(ratio)
    assert large["reverse"] == small["reverse"] == 2.75
    assert large["differences"] == large["parameters"] + 1


@pytest.mark.parametrize("depth", [4, 16])
def test_memory_is_the_inputs_and_outputs_of_all_layers(depth):
    weights, x = cost.draw_network((32,) * (depth + 1))
    assert cost.kept_numbers(weights, x) == (depth + 1) * x.numel()
    root = round(depth**0.5)
    assert cost.kept_numbers(weights, x, root) == (root + 1) * x.numel()


def test_checkpoints_change_the_cost_and_not_the_gradient():
    import torch

    weights, x = cost.draw_network((6,) * 5)
    found = []
    for every in (0, 2):
        leaves = [w.clone().requires_grad_() for w in weights]
        found.append(torch.autograd.grad(cost.tanh_loss(leaves, x, every), leaves))
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_demo_and_figure():
    values = cost.demo()
    assert values["pyramid"] == pytest.approx(3 - 784 * 256 / (784 * 256 + 256 * 128 + 1280))
    assert (values["kept_64"], values["saved_64"]) == (65 * 32, 9 * 32)
    figure = cost.plot_ways()
    reverse = figure.axes[0].lines[2].get_ydata()
    assert max(reverse) == min(reverse)
    plt.close(figure)
