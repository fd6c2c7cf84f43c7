"""K-FAC's two factors against the exact Gauss-Newton block of a linear layer."""

import pytest
import torch

from x0.taylor.applications_kfac import (
    coarse_digits,
    demo,
    exact_block,
    kfac_factors,
    softmax_curvature,
)


def test_the_block_of_a_linear_layer_is_its_hessian_matrix() -> None:
    h, y = coarse_digits()
    h, y = h[:50], y[:50]
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(10, 16, generator=generator, dtype=torch.float64)
    hessian = torch.autograd.functional.hessian(
        lambda w: torch.nn.functional.cross_entropy(h @ w.T, y), weight
    )
    expected = hessian.reshape(160, 160)
    torch.testing.assert_close(exact_block(h, softmax_curvature(h @ weight.T)), expected)


@pytest.mark.claim("C-48")
def test_two_small_factors_replace_the_block_and_are_exact_if_independent() -> None:
    values = demo()
    assert values["squared"] < 1e-14
    assert values["start"] < 1e-14
    assert 0.1 < values["trained"] < 0.4
    assert values["block"] == 160**2
    assert values["factors"] == 16**2 + 10**2
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(7, 3, generator=generator, dtype=torch.float64)
    forms = softmax_curvature(torch.randn(5, 4, generator=generator, dtype=torch.float64))
    h, s = inputs.repeat_interleave(5, 0), forms.repeat(7, 1, 1)  # all pairs
    inner, outer = kfac_factors(h, s)
    torch.testing.assert_close(torch.kron(outer, inner), exact_block(h, s))
    # in pairs that are not independent the product is wrong
    h, s = inputs[:5], forms * inputs[:5, 0].square()[:, None, None]
    inner, outer = kfac_factors(h, s)
    gap = (torch.kron(outer, inner) - exact_block(h, s)).norm() / exact_block(h, s).norm()
    assert gap > 0.1


def test_a_solve_with_the_factors_is_a_solve_with_the_product() -> None:
    h, _ = coarse_digits()
    inner, outer = kfac_factors(h, softmax_curvature(h[:, :10] @ torch.eye(10).double()))
    inner = inner + 0.1 * torch.eye(16)
    outer = outer + 0.1 * torch.eye(10)
    generator = torch.Generator().manual_seed(0)
    g = torch.randn(10, 16, generator=generator, dtype=torch.float64)
    cheap = torch.linalg.solve(outer, torch.linalg.solve(inner, g.T).T)
    full = torch.linalg.solve(torch.kron(outer, inner), g.flatten()).view(10, 16)
    torch.testing.assert_close(cheap, full)
