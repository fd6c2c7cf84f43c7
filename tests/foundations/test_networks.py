"""Forward pass, reverse mode and update: PyTorch as the oracle, and what each one changes."""

import numpy as np
import pytest
import torch

from x0.foundations import networks


def setup(widths=(5, 7, 4, 3), m=6):
    rng = np.random.default_rng(1)
    layers = networks.random_layers(widths, rng)
    for _, bias in layers:
        bias += rng.normal(size=bias.shape)
    return layers, rng.normal(size=(m, widths[0])), rng.normal(size=(m, widths[-1]))


def as_module(layers):
    modules = []
    for weight, bias in layers:
        linear = torch.nn.Linear(*weight.shape[::-1], dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weight))
            linear.bias.copy_(torch.from_numpy(bias))
        modules += [linear, torch.nn.Tanh()]
    return torch.nn.Sequential(*modules[:-1])


@pytest.mark.claim("A-15")
def test_forward_is_a_function_of_inputs_weights_and_biases():
    layers, x, _ = setup()
    ours, inputs = networks.forward_pass(layers, x)
    theirs = as_module(layers)(torch.from_numpy(x)).detach().numpy()
    assert np.allclose(ours, theirs, rtol=1e-13)
    assert [h.shape[1] for h in inputs] == [5, 7, 4]
    layers[0][1][0] += 0.5  # the biases take part
    assert not np.allclose(networks.forward_pass(layers, x)[0], ours)


@pytest.mark.proves(
    "networks-autograd",
    kind="search",
    range="5-3, 2-9-1, 5-7-4-3",
    tolerance="relative 1e-12",
)
@pytest.mark.parametrize("widths", [(5, 3), (2, 9, 1), (5, 7, 4, 3)])
def test_backward_is_autograds_gradient(widths):
    """`reverse_pass` is the gradient of autograd for one to three layers of unequal widths."""
    layers, x, y = setup(widths)
    output, inputs = networks.forward_pass(layers, x)
    found = networks.reverse_pass(layers, inputs, (output - y) / len(x))
    model = as_module(layers)
    loss = (model(torch.from_numpy(x)) - torch.from_numpy(y)).square().sum() / (2 * len(x))
    theirs = torch.autograd.grad(loss, list(model.parameters()))
    flat = [g for pair in found for g in pair]
    for ours, oracle in zip(flat, theirs, strict=True):
        assert np.allclose(ours, oracle.numpy(), rtol=1e-12, atol=1e-14)
    for ours, oracle in zip(flat, networks.autograd_gradients(layers, x, y), strict=True):
        assert np.allclose(ours, oracle, rtol=1e-12, atol=1e-14)


@pytest.mark.claim("A-16")
def test_reverse_mode_changes_no_parameter_and_the_update_does():
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before = model.weight.detach().clone()
    loss = model(torch.ones(4, 3)).square().sum()
    torch.autograd.backward(loss)
    assert torch.equal(model.weight, before)
    assert float(model.weight.grad.abs().sum()) > 0
    optimizer.step()
    assert not torch.equal(model.weight, before)

    layers, x, y = setup()
    copy = [p.copy() for layer in layers for p in layer]
    output, inputs = networks.forward_pass(layers, x)
    found = networks.reverse_pass(layers, inputs, output - y)
    assert all(np.array_equal(a, b) for a, b in zip(copy, sum(layers, ()), strict=True))
    networks.update_parameters_(layers, found, 0.1)
    assert not any(np.array_equal(a, b) for a, b in zip(copy, sum(layers, ()), strict=True))


@pytest.mark.proves("networks-three", kind="call")
def test_each_function_does_one_thing():
    """forward_pass keeps inputs, reverse_pass changes no parameter, the update all of them."""
    layers, x, y = setup()
    before = [p.copy() for layer in layers for p in layer]
    output, inputs = networks.forward_pass(layers, x)
    assert np.array_equal(inputs[0], x)
    assert [h.shape[1] for h in inputs] == [5, 7, 4]
    found = networks.reverse_pass(layers, inputs, output - y)
    assert all(np.array_equal(a, b) for a, b in zip(before, sum(layers, ()), strict=True))
    networks.update_parameters_(layers, found, 0.1)
    for old, new, g in zip(before, sum(layers, ()), sum(found, ()), strict=True):
        assert np.allclose(new, old - 0.1 * g)


@pytest.mark.proves("networks-calls", kind="call")
def test_each_call_changes_one_thing():
    """Of the three calls, the last one alone changes parameters: graph, then .grad, then the step."""
    model, criterion = torch.nn.Linear(3, 2), torch.nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = torch.ones(4, 3), torch.zeros(4, 2)
    before = [p.detach().clone() for p in model.parameters()]

    def unchanged():
        return all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))

    loss = criterion(model(x), y)
    assert loss.grad_fn is not None
    assert all(p.grad is None for p in model.parameters())
    assert unchanged()
    loss.backward()
    gradients = [p.grad.clone() for p in model.parameters()]
    assert all(g.abs().sum() > 0 for g in gradients)
    assert unchanged()
    optimizer.step()
    for old, p, g in zip(before, model.parameters(), gradients, strict=True):
        assert torch.allclose(p, old - 0.1 * g)
        assert torch.equal(p.grad, g)


@pytest.mark.proves("networks-no-graph", kind="call")
def test_without_a_graph_no_activation_is_kept():
    """Under no_grad and inference_mode nothing is saved for a backward pass."""
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t) or t, lambda t: t):
        for context in (torch.no_grad(), torch.inference_mode()):
            with context:
                assert model(torch.ones(2, 3)).grad_fn is None
        assert saved == []
        model(torch.ones(2, 3))
    assert saved


@pytest.mark.proves("networks-grad", kind="call")
def test_grad_returns_and_does_not_write():
    """torch.autograd.grad(loss, parameters) returns the gradients and leaves .grad alone."""
    model = torch.nn.Linear(3, 2)
    parameters = list(model.parameters())
    gradients = torch.autograd.grad(model(torch.ones(4, 3)).sum(), parameters)
    assert [g.shape for g in gradients] == [p.shape for p in parameters]
    assert all(p.grad is None for p in parameters)


@pytest.mark.proves("networks-add", kind="call")
def test_gradients_add_up_unless_they_are_cleared():
    """`backward` adds to .grad; after zero_grad it starts again."""
    w = torch.ones(1, requires_grad=True)
    for _ in range(2):
        torch.autograd.backward((3 * w).sum())
    assert w.grad.item() == 6
    torch.optim.SGD([w], lr=0.1).zero_grad()
    torch.autograd.backward((3 * w).sum())
    assert w.grad.item() == 3


def test_errors_say_what_was_received():
    layers, _, y = setup()
    with pytest.raises(ValueError, match="Received: 1 inputs, 3 layers"):
        networks.reverse_pass(layers, [y], y)


def test_what_each_computation_changes(values, printed):
    assert values("networks")["after"] < values("networks")["before"]
    assert printed("networks").splitlines()[:4] == [
        "forward  changed a parameter: False",
        "backward changed a parameter: False",
        "equal to autograd: True",
        "update   changed a parameter: True",
    ]
