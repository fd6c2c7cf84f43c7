"""Figure networks-cost-ways: what a gradient costs, counted."""

import itertools

import matplotlib.pyplot as plt
import pytest
from torch.utils.flop_counter import FlopCounterMode

from x0.foundations import networks_cost as cost


@pytest.mark.proves("networks-counted", kind="search", range="3-4-5, 8-8-8-8-8, 784-256-128-10")
@pytest.mark.parametrize("widths", [(3, 4, 5), (8,) * 5, (784, 256, 128, 10)])
def test_reverse_mode_costs_what_the_formula_says(widths):
    """The counted cost of a gradient equals 3 - n_1 n_0 / Σ n_l n_(l-1), and is below 3."""
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


@pytest.mark.proves("networks-checkpoints", kind="search", range="L = 4, 16, 64, 144")
def test_checkpoints_hold_two_roots_of_the_depth():
    """With checkpoints about 2 √L layers are held instead of L, for one more forward pass."""
    for depth in (4, 16, 64, 144):
        weights, x = cost.draw_network((32,) * (depth + 1))
        root = round(depth**0.5)
        assert depth < cost.live_numbers(weights, x) / 32 <= depth + 6
        assert 2 * root <= cost.live_numbers(weights, x, root) / 32 <= 2 * root + 3
        leaves = [w.requires_grad_() for w in weights]
        spent = []
        for every in (0, root):
            with FlopCounterMode(display=False) as counter:
                cost.tanh_loss(leaves, x, every).backward()
            spent.append(counter.get_total_flops())
        forward = depth * 2 * 8 * 32 * 32
        assert forward * (1 - 1 / root) <= spent[1] - spent[0] <= forward


def test_checkpoints_change_the_cost_and_not_the_gradient():
    import torch

    weights, x = cost.draw_network((6,) * 5)
    found = []
    for every in (0, 2):
        leaves = [w.clone().requires_grad_() for w in weights]
        found.append(torch.autograd.grad(cost.tanh_loss(leaves, x, every), leaves))
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_values_and_figure(values):
    names = values("networks_cost")
    assert names["pyramid"]["reverse"] == pytest.approx(
        3 - 784 * 256 / (784 * 256 + 256 * 128 + 1280)
    )
    assert names["with_checkpoints"][64] < 0.3 * names["live"][64]
    figure = cost.plot_ways()
    reverse = figure.axes[0].lines[2].get_ydata()
    assert max(reverse) == min(reverse)
    plt.close(figure)
