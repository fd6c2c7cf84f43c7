"""Figure networks-rescaling-importance: one function, two sets of weights."""

import matplotlib.pyplot as plt
import pytest
import torch

from x0.foundations import networks_rescaling as net


@pytest.fixture(scope="module")
def trained():
    return net.trained_digits()


@pytest.mark.claim("A-03")
def test_rescaling_changes_every_weight_and_no_output(trained):
    w, b, u, _, _, x, _ = trained
    original = net.relu_output(w, b, u, x)
    for a in (1e-3, 1000.0):
        v, c, t = net.rescale_units(w, b, u, torch.full((32,), a, dtype=w.dtype))
        assert float((net.relu_output(v, c, t, x) - original).abs().max()) < 1e-10
        assert bool((v != w).all())
        assert bool((t != u).all())
    # A negative factor is no symmetry of ReLU.
    wrong = net.relu_output(-w, -b, -u, x)
    assert float((wrong - original).abs().max()) > 1


@pytest.mark.claim("A-03")
def test_size_depends_on_the_scale_and_sensitivity_does_not(trained):
    w, b, u = trained[:3]
    a = torch.linspace(0.1, 10, 32, dtype=w.dtype)
    one, other = net.weight_scores(w, b, u), net.weight_scores(*net.rescale_units(w, b, u, a))
    assert torch.allclose(one["sensitivity"], other["sensitivity"], rtol=1e-9)
    order = one["size"].argsort(), other["size"].argsort()
    assert float((order[0][:500] == order[1][:500]).double().mean()) < 0.1


def test_sensitivity_is_the_square_of_the_weight_times_its_gradients(trained):
    w, b, u, x, y = trained[:5]
    leaves = [p.clone().requires_grad_() for p in (w, u)]
    total = torch.zeros_like(u)
    for k in range(len(x)):
        out = net.relu_output(leaves[0], b, leaves[1], x[k : k + 1])
        loss = torch.nn.functional.cross_entropy(out, y[k : k + 1])
        total += torch.autograd.grad(loss, leaves[1])[0] ** 2
        if k == 99:
            break
    hidden = torch.relu(x[:100] @ w.T + b)
    delta = torch.softmax(hidden @ u.T, 1) - torch.nn.functional.one_hot(y[:100], 10)
    assert torch.allclose((delta**2).T @ hidden**2, total)


def test_pruning_by_size_depends_on_the_scale(trained):
    values = net.demo()
    assert values["trained_size"] > 0.9
    assert values["rescaled_size"] < 0.6
    assert values["rescaled_sensitivity"] == values["trained_sensitivity"] > 0.9
    assert values["rescaled_size_all"] == values["trained_size_all"] > 0.93


def test_gradient_descent_sees_the_scale():
    values = net.demo()
    assert values["step_1"] == pytest.approx(values["loss"], rel=0.5)
    assert values["step_100"] > 3 * values["loss"]


def test_errors_say_what_was_received():
    one = torch.ones(1, 1)
    with pytest.raises(ValueError, match=r"Received: \[-2.0\]"):
        net.rescale_units(one, torch.ones(1), one, torch.tensor([-2.0]))


def test_figure():
    figure = net.plot_importance()
    labels = figure.axes[0].get_legend_handles_labels()[1]
    assert len(labels) == 4
    plt.close(figure)
