"""Higher derivatives by autograd, and where they mislead."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch

from x0.taylor.multivariate_traps import bent, central_product, derivatives


@pytest.mark.proves("multivariate-loud", kind="call")
def test_two_traps_raise_and_one_does_not() -> None:
    """Both raise here; `detach` does not, nor a gradient without `create_graph` added to a loss."""
    x = torch.tensor(2.0, requires_grad=True)
    (first,) = torch.autograd.grad(torch.exp(x), x)
    with pytest.raises(RuntimeError, match="does not require grad"):
        torch.autograd.grad(first, x)
    h = torch.tanh(x)
    h += 1
    with pytest.raises(RuntimeError, match="inplace"):
        torch.autograd.grad(h, x)
    (cut,) = torch.autograd.grad(x.detach() ** 2 * x, x)
    assert cut == 4  # a third of the derivative
    for graph, slope in ((False, 12.0), (True, 12.0 + 2 * 12 * 12)):  # x^3 + (3 x^2)^2 at 2
        loss = x**3
        (first,) = torch.autograd.grad(loss, x, create_graph=graph, retain_graph=True)
        assert torch.autograd.grad(loss + first**2, x)[0] == slope


@pytest.mark.proves(
    "multivariate-relu", kind="search", range="depth 2…4, 20 networks each, with biases"
)
def test_a_relu_network_has_curvature_between_layers_only() -> None:
    """For autograd a ReLU output has no curvature in its input, in parameters only between layers."""
    curved = 0
    for depth in (2, 3, 4):
        sizes = [3, *[5] * (depth - 1), 1]
        shapes = list(pairwise(sizes))
        counts = [(a + 1) * b for a, b in shapes]  # weights and biases
        for seed in range(20):
            generator = torch.Generator().manual_seed(seed)
            theta = torch.randn(sum(counts), generator=generator, dtype=torch.float64)
            x = torch.randn(3, generator=generator, dtype=torch.float64)

            def output(p: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
                for part, (a, b) in zip(p.split(counts), shapes, strict=True):  # noqa: B023
                    z = x @ part[: a * b].view(a, b) + part[a * b :]
                    x = torch.relu(z) if b > 1 else z
                return x.sum()

            assert not torch.func.jacrev(torch.func.jacrev(output, 1), 1)(theta, x).any()
            hessian = torch.func.jacrev(torch.func.jacrev(output))(theta, x)
            blocks = [row.split(counts, 1) for row in hessian.split(counts)]
            for i in range(depth):
                assert not blocks[i][i].any()
            curved += bool(hessian.any())
    assert curved > 50  # a unit that is on joins its layer to the next


@pytest.mark.claim("C-25")
def test_autograd_gives_higher_derivatives_with_create_graph_and_an_error_without(
    printed: Callable[[str], str],
) -> None:
    _, second, third = derivatives(2.0, 3)
    assert second == pytest.approx(44 * math.exp(2), rel=1e-12)
    assert third == pytest.approx(86 * math.exp(2), rel=1e-12)
    x = torch.tensor(2.0, requires_grad=True)
    (first,) = torch.autograd.grad(x**3, x)
    with pytest.raises(RuntimeError, match="does not require grad"):
        torch.autograd.grad(first, x)
    message = "no create_graph: element 0 of tensors does not require grad"
    assert message in printed("multivariate_traps")


def test_kinks_have_no_curvature_for_autograd_but_the_function_is_curved(
    values: Callable[[str], Any],
) -> None:
    x = torch.linspace(-0.9, 0.9, 37, dtype=torch.float64)
    assert (bent(x) - (x + 1) ** 2 / 4).abs().max() < 1e-6
    x.requires_grad_()
    (slope,) = torch.autograd.grad(bent(x).sum(), x, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), x)
    assert not curvature.any()
    assert values("multivariate_traps")["measured"] == pytest.approx(0.5, abs=1e-6)


def test_differences_of_gradients_lose_digits(values: Callable[[str], Any]) -> None:
    least = values("multivariate_traps")["least"]
    assert 1e-6 < least["float32"] < 1e-3
    assert 1e-12 < least["float64"] < 1e-8
    point = torch.tensor([0.3], dtype=torch.float64)
    errors = [
        abs(central_product(point, torch.ones_like(point), step).item() - math.exp(0.3))
        for step in (0.02, 0.01)
    ]
    assert errors[0] / errors[1] == pytest.approx(4, abs=0.01)  # second order


@pytest.mark.claim("C-24")
def test_an_array_library_is_not_automatic_differentiation() -> None:
    # the same function on arrays has no derivative; on tensors that record, it has
    import numpy as np

    assert not any("grad" in name and name != "gradient" for name in dir(np))
    samples = np.gradient(np.array([0.0, 1.0, 8.0]))  # differences of samples, not a derivative
    assert samples.tolist() == [1.0, 4.0, 7.0]
    x = torch.tensor([0.0, 1.0, 2.0], requires_grad=True)
    (exact,) = torch.autograd.grad((x**3).sum(), x)
    assert exact.tolist() == [0.0, 3.0, 12.0]
