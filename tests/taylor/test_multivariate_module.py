"""A model's loss as a function of one vector."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from x0.taylor.multivariate import hessian_vector_product
from x0.taylor.multivariate_module import flat_loss


def test_the_function_is_the_loss_and_its_derivatives_are_the_models() -> None:
    generator = torch.Generator().manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    inputs = torch.randn(5, 3, generator=generator)
    f, point = flat_loss(model, inputs, lambda y: y.square().mean())
    loss = model(inputs).square().mean()
    torch.testing.assert_close(f(point), loss)
    v = torch.randn(len(point), generator=generator)
    parts = [
        part.view_as(p)
        for part, p in zip(
            v.split([p.numel() for p in model.parameters()]), model.parameters(), strict=True
        )
    ]
    expected = hessian_vector_product(loss, list(model.parameters()), parts)
    product = torch.func.vjp(torch.func.grad(f), point)[1](v)[0]
    torch.testing.assert_close(product, torch.cat([p.flatten() for p in expected]))
    before = [p.clone() for p in model.parameters()]
    f(point + 1)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_tied_weights_count_once() -> None:
    model = torch.nn.Sequential(
        torch.nn.Linear(3, 3, bias=False), torch.nn.Linear(3, 3, bias=False)
    )
    model[1].weight = model[0].weight
    f, point = flat_loss(model, torch.eye(3), torch.sum)
    assert len(point) == 9
    doubled = f(2 * point)
    assert doubled == pytest.approx(4 * f(point).item(), rel=1e-5)  # both layers double


def test_a_model_without_parameters_is_refused() -> None:
    with pytest.raises(ValueError, match="Received: ReLU"):
        flat_loss(torch.nn.ReLU(), torch.ones(2), torch.sum)


def test_half_the_step_divides_the_errors_by_four_and_eight(values: Callable[[str], Any]) -> None:
    falls = values("multivariate_module")["falls"]
    assert float(falls[0]) == pytest.approx(4, rel=0.15)
    assert float(falls[1]) == pytest.approx(8, rel=0.15)
