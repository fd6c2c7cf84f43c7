"""K-FAC's two factors against the exact Gauss-Newton block of a linear layer."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from x0.taylor.applications_kfac import (
    coarse_digits,
    damped_solve,
    exact_block,
    kfac_factors,
    label_block,
    softmax_curvature,
    trained_logits,
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
@pytest.mark.proves(
    "applications-independent",
    kind="cause",
    effect='0 → {val:applications_kfac.errors["trained"]:.2f}',
)
def test_two_small_factors_replace_the_block_and_are_exact_if_independent(
    values: Callable[[str], Any],
) -> None:
    """The second equality holds if the products are uncorrelated, as under independence."""
    shown = values("applications_kfac")
    assert shown["errors"]["squared"] < 1e-14
    assert shown["errors"]["start"] < 1e-14
    assert 0.1 < shown["errors"]["trained"] < 0.4
    assert shown["block"] == 160**2
    assert shown["factors"] == 16**2 + 10**2
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


@pytest.mark.proves("applications-kfac-exact", kind="fact", tolerance="1e-14")
def test_equal_curvatures_make_it_exact(values: Callable[[str], Any]) -> None:
    """K-FAC is exact for squared error, and for cross-entropy at zero weights: s is equal."""
    h, _ = coarse_digits()
    at_zero = softmax_curvature(torch.zeros(len(h), 10, dtype=h.dtype))
    assert (at_zero == at_zero[0]).all()
    for s in (at_zero, torch.eye(10, dtype=h.dtype).repeat(len(h), 1, 1)):
        inner, outer = kfac_factors(h, s)
        exact = exact_block(h, s)
        assert (torch.kron(outer, inner) - exact).norm() < 1e-14 * exact.norm()


@pytest.mark.proves("applications-no-inverse", kind="search", range="logits × 0…30", n="40")
def test_the_mean_curvature_of_softmax_has_no_inverse() -> None:
    """Rows of s add up to zero because probabilities add up to 1, so its mean has no inverse."""
    generator = torch.Generator().manual_seed(1)
    for scale in (0.0, 0.1, 1.0, 30.0):
        for _ in range(10):
            logits = scale * torch.randn(50, 10, generator=generator, dtype=torch.float64)
            s = softmax_curvature(logits)
            assert s.sum(2).abs().max() < 1e-15
            assert torch.linalg.eigvalsh(s.mean(0)).abs().min() < 1e-15
            # without the cause: probabilities that add up to 0.9
            p = 0.9 * torch.softmax(logits, 1)
            short = (torch.diag_embed(p) - p[:, :, None] * p[:, None]).mean(0)
            assert torch.linalg.eigvalsh(short)[0] > 1e-6 * scale**0


def test_damping_by_eigenvectors_is_exact_and_by_factors_is_not(
    values: Callable[[str], Any],
) -> None:
    shown = values("applications_kfac")
    assert shown["exactly"] < 1e-9
    assert shown["roughly"] == pytest.approx(0.45, abs=0.05)
    assert shown["zero"] < 1e-15
    generator = torch.Generator().manual_seed(0)
    roots = [torch.randn(n, n - 1, generator=generator, dtype=torch.float64) for n in (3, 5)]
    outer, inner = (root @ root.T for root in roots)  # neither has an inverse
    v = torch.randn(3, 5, generator=generator, dtype=torch.float64)
    x = damped_solve(outer, inner, v, 0.3)
    torch.testing.assert_close(outer @ x @ inner + 0.3 * x, v)


def test_labels_of_the_model_give_the_block_and_labels_of_the_data_do_not(
    values: Callable[[str], Any],
) -> None:
    shown = values("applications_kfac")
    mean, error = shown["sampled"]
    assert error < 0.05 * mean
    assert shown["pooled"] < 0.4 * mean  # sampling noise: 20 draws divide it by about 4.5
    assert shown["empirical"] > 2 * mean
    # the expectation over labels, exactly: all classes, weighted by their probabilities
    h, logits = coarse_digits()[0][:30], trained_logits(100)[:30]
    p = torch.softmax(logits, 1)
    total = torch.zeros(160, 160, dtype=torch.float64)
    for i in range(30):
        for c in range(10):
            one = label_block(h[i : i + 1], logits[i : i + 1], torch.tensor([c]))
            total += p[i, c] * one / 30
    torch.testing.assert_close(total, exact_block(h, softmax_curvature(logits)))


@pytest.mark.proves("applications-kfac-inverse", kind="fact")
def test_a_solve_with_the_factors_is_a_solve_with_the_product() -> None:
    """If both factors have an inverse, the product of the inverses is the inverse."""
    h, _ = coarse_digits()
    inner, outer = kfac_factors(h, softmax_curvature(h[:, :10] @ torch.eye(10).double()))
    inner = inner + 0.1 * torch.eye(16)
    outer = outer + 0.1 * torch.eye(10)
    generator = torch.Generator().manual_seed(0)
    g = torch.randn(10, 16, generator=generator, dtype=torch.float64)
    cheap = torch.linalg.solve(outer, torch.linalg.solve(inner, g.T).T)
    full = torch.linalg.solve(torch.kron(outer, inner), g.flatten()).view(10, 16)
    torch.testing.assert_close(cheap, full)
