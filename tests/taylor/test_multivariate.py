"""Hessian-vector products and the quadratic model."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from x0.taylor.multivariate import hessian_vector_product, taylor_terms


def test_the_product_equals_the_matrix_times_the_vector_in_a_network() -> None:
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2)
    ).double()
    inputs = torch.randn(7, 3, dtype=torch.float64)
    names = [name for name, _ in net.named_parameters()]
    parameters = [p for _, p in net.named_parameters()]
    vectors = [torch.randn_like(p) for p in parameters]
    loss = net(inputs).square().mean()
    product = torch.cat([p.flatten() for p in hessian_vector_product(loss, parameters, vectors)])

    def flat(x: torch.Tensor) -> torch.Tensor:
        parts = x.split([p.numel() for p in parameters])
        shaped = {
            name: part.view_as(p) for name, part, p in zip(names, parts, parameters, strict=True)
        }
        return torch.func.functional_call(net, shaped, (inputs,)).square().mean()

    point = torch.cat([p.detach().flatten() for p in parameters])
    vector = torch.cat([v.flatten() for v in vectors])
    matrix = torch.func.jacrev(torch.func.grad(flat))(point)
    torch.testing.assert_close(product, matrix @ vector, rtol=1e-12, atol=1e-14)
    # linear in the vector, and symmetric: u . (H v) = v . (H u)
    u = torch.randn_like(vector)
    assert u @ (matrix @ vector) == pytest.approx(float(vector @ (matrix @ u)), abs=1e-12)
    assert not torch.allclose(product, matrix.abs() @ vector)


@pytest.mark.proves("multivariate-again", kind="call", n="3 calls, then backward()")
def test_one_loss_serves_many_products_and_a_backward_pass() -> None:
    """Takes a model's parameters, works again with one loss, then `backward()`; attention is refused."""
    generator = torch.Generator().manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    for p in model.parameters():
        torch.nn.init.normal_(p, generator=generator)
    loss = model(torch.randn(6, 3, generator=generator)).square().mean()
    parameters = list(model.parameters())
    ones = [torch.ones_like(p) for p in parameters]
    found = [hessian_vector_product(loss, model.parameters(), ones) for _ in range(3)]
    for again in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], again, strict=True))
    loss.backward()
    assert all(p.grad is not None for p in parameters)
    attention = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0)
    fused = attention(torch.randn(2, 3, 8, generator=generator)).square().mean()
    weights = list(attention.parameters())
    with pytest.raises(ValueError, match="sdpa_kernel"):
        hessian_vector_product(fused, weights, [torch.ones_like(p) for p in weights])


def test_linear_losses_and_untouched_parameters_have_the_product_zero() -> None:
    x = torch.ones(3, requires_grad=True)
    other = torch.ones(2, requires_grad=True)
    ones = [torch.ones(3), torch.ones(2)]
    assert not any(part.any() for part in hessian_vector_product(x.sum(), [x, other], ones))
    found = hessian_vector_product((x**2).sum(), [x, other], ones)
    assert found[0].tolist() == [2.0, 2.0, 2.0]
    assert found[1].tolist() == [0.0, 0.0]


def test_the_terms_are_those_of_a_quadratic_function() -> None:
    matrix = torch.tensor([[2.0, 1.0], [0.0, 3.0]], dtype=torch.float64)
    point = torch.tensor([1.0, -2.0], dtype=torch.float64)
    step = torch.tensor([0.3, 0.7], dtype=torch.float64)
    terms = taylor_terms(lambda x: x @ matrix @ x + x.sum(), point, step)
    end = point + step
    assert sum(terms).item() == pytest.approx((end @ matrix @ end + end.sum()).item(), rel=1e-12)
    assert terms[2].item() == pytest.approx((step @ matrix @ step).item(), rel=1e-12)


@pytest.mark.claim("C-23")
def test_curvature_needs_no_matrix_and_the_second_order_model_is_the_better_one(
    values: Callable[[str], Any],
) -> None:
    shown = values("multivariate")
    assert shown["gap"] < 1e-12
    first = abs(shown["moved"] - shown["linear"])
    second = abs(shown["moved"] - shown["quadratic"])
    assert second < 0.2 * first


def test_bad_input_is_refused() -> None:
    x = torch.ones(3, requires_grad=True)
    with pytest.raises(ValueError, match=r"Received: loss of shape \(3,\)"):
        hessian_vector_product(x**2, [x], [torch.ones(3)])
    with pytest.raises(ValueError, match=r"vectors \[\(2,\)\]"):
        hessian_vector_product((x**2).sum(), [x], [torch.ones(2)])
    with pytest.raises(ValueError, match=r"shape=\(2,\)"):
        taylor_terms(lambda y: (y**2).sum(), torch.ones(3), torch.ones(2))
