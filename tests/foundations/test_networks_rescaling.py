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


def test_pruning_by_size_depends_on_the_scale(values):
    curves = values("networks_rescaling")["curves"]
    assert curves["trained, size"][12] > 0.9
    assert curves["rescaled, size"][12] < 0.6
    assert curves["rescaled, sensitivity"][12] == curves["trained, sensitivity"][12] > 0.9
    assert curves["rescaled, size"][0] == curves["trained, size"][0] > 0.93


def test_gradient_descent_sees_the_scale(values):
    names = values("networks_rescaling")
    assert names["after"][1] == pytest.approx(names["loss"], rel=0.5)
    assert names["after"][100] > 3 * names["loss"]


def test_errors_say_what_was_received():
    one = torch.ones(1, 1)
    with pytest.raises(ValueError, match=r"Received: \[-2.0\]"):
        net.rescale_units(one, torch.ones(1), one, torch.tensor([-2.0]))


@pytest.mark.proves("networks-damage", kind="search", range="a = 0.1…10", tolerance="relative 1e-6")
def test_the_score_of_lecun_et_al_is_invariant_too():
    """The second derivative of the loss times the square of the weight survives rescaling."""
    generator = torch.Generator().manual_seed(1)
    w, b, u = (
        torch.randn(s, generator=generator, dtype=torch.float64) for s in ((3, 4), 3, (2, 3))
    )
    x = torch.randn(20, 4, generator=generator, dtype=torch.float64)
    y = torch.randint(2, (20,), generator=generator)

    def scores(w, b, u):
        flat = torch.cat([w.flatten(), u.flatten()])

        def loss(p):
            out = net.relu_output(p[:12].view(3, 4), b, p[12:].view(2, 3), x)
            return torch.nn.functional.cross_entropy(out, y)

        return torch.autograd.functional.hessian(loss, flat).diagonal() * flat**2

    one = scores(w, b, u)
    for factors in ([0.1, 1.0, 10.0], [3.0, 0.2, 7.0]):
        a = torch.tensor(factors, dtype=torch.float64)
        assert torch.allclose(scores(*net.rescale_units(w, b, u, a)), one, rtol=1e-6)


@pytest.mark.proves("networks-importance", kind="caption", range="a = 0.05…20")
def test_figure():
    """By size the two curves differ; by sensitivity they agree point by point."""
    curves = net.pruning_curves()
    assert curves["trained, sensitivity"] == curves["rescaled, sensitivity"]
    gap = [
        abs(a - b) for a, b in zip(curves["trained, size"], curves["rescaled, size"], strict=True)
    ]
    assert max(gap) > 0.4
    figure = net.plot_importance()
    labels = figure.axes[0].get_legend_handles_labels()[1]
    assert len(labels) == 4
    plt.close(figure)


def test_the_scores_are_those_of_autograd_sample_by_sample(trained):
    """Size is |w|; sensitivity w² times the squared gradients of all samples, added up."""
    w, b, u, x, y = trained[:5]
    scores = net.weight_scores(w, b, u)

    def loss(w, u, row, label):
        return torch.nn.functional.cross_entropy(net.relu_output(w, b, u, row[None]), label[None])

    each = torch.func.vmap(torch.func.grad(loss, (0, 1)), (None, None, 0, 0))(w, u, x, y)
    fisher = torch.cat([g.square().sum(0).flatten() for g in each])
    flat = torch.cat([w.flatten(), u.flatten()])
    torch.testing.assert_close(scores["size"], flat.abs())
    torch.testing.assert_close(scores["sensitivity"], flat**2 * fisher)


def test_pruning_removes_the_lowest_scores(trained):
    """One share at a time, weights set to zero by hand."""
    w, b, u, _, _, x, y = trained
    score = torch.rand(w.numel() + u.numel(), generator=torch.Generator().manual_seed(0))
    found = net.pruned_accuracy(w, b, u, score)
    order = score.argsort().tolist()
    assert len(found) == len(net.REMOVED)
    for share, accuracy in list(zip(net.REMOVED.tolist(), found, strict=True))[::6]:
        flat = torch.cat([w.flatten(), u.flatten()])
        for index in order[: round(share * len(order))]:
            flat[index] = 0
        v, t = flat[: w.numel()].view_as(w), flat[w.numel() :].view_as(u)
        right = net.relu_output(v, b, t, x).argmax(1) == y
        assert accuracy == pytest.approx(float(right.double().mean()), abs=2 / len(y))


@pytest.mark.parametrize("a", [0.5, 1.0, 2.0])
def test_a_short_step_lowers_the_loss_by_the_squared_gradients_of_the_copy(trained, a):
    """Factors a divide the gradients of what enters a unit, and multiply those of what leaves it."""
    w, b, u, x, y = trained[:5]
    leaves = [p.clone().requires_grad_() for p in (w, b, u)]
    loss = torch.nn.functional.cross_entropy(net.relu_output(*leaves, x), y)
    squares = [float(g.square().sum()) for g in torch.autograd.grad(loss, leaves)]
    rate = 1e-4
    drop = loss.item() - net.loss_after_step(a, rate)
    expected = rate * ((squares[0] + squares[1]) / a**2 + squares[2] * a**2)
    assert drop == pytest.approx(expected, rel=0.02)
