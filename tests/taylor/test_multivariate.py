"""Hessian-vector products and the quadratic model."""

import pytest
import torch

from x0.taylor.multivariate import demo, hessian_vector_product, taylor_terms


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
def test_curvature_needs_no_matrix_and_the_second_order_model_is_the_better_one() -> None:
    values = demo()
    assert values["gap"] < 1e-12
    assert values["second_error"] < 0.2 * values["first_error"]


def test_bad_input_is_refused() -> None:
    x = torch.ones(3, requires_grad=True)
    with pytest.raises(ValueError, match=r"Received: loss of shape \(3,\)"):
        hessian_vector_product(x**2, [x], [torch.ones(3)])
    with pytest.raises(ValueError, match=r"vectors \[\(2,\)\]"):
        hessian_vector_product((x**2).sum(), [x], [torch.ones(2)])
    with pytest.raises(ValueError, match=r"Received: shape=\(2,\)"):
        taylor_terms(lambda y: (y**2).sum(), torch.ones(3), torch.ones(2))
