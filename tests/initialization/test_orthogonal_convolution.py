"""delta_orthogonal_ keeps every length; orthogonal_ of the flattened kernel does not."""

import pytest
import torch

from x0.initialization import orthogonal_convolution as module


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("shape", [(6, 4, 3), (6, 6, 3, 3), (6, 2, 3, 5, 3)])
def test_convolution_keeps_every_length(shape):
    kernel = torch.empty(shape, dtype=torch.float64)
    assert module.delta_orthogonal_(kernel, 1.5, generator()) is kernel
    dims = len(shape) - 2
    x = torch.randn(2, shape[1], *[6] * dims, dtype=torch.float64, generator=generator())
    convolve = [torch.nn.functional.conv1d, torch.nn.functional.conv2d, torch.nn.functional.conv3d]
    y = convolve[dims - 1](x, kernel, padding=tuple(k // 2 for k in shape[2:]))
    lengths = [t.square().flatten(1).sum(1) for t in (x, y)]
    assert torch.allclose(1.5**2 * lengths[0], lengths[1])


def test_singular_values_are_those_of_the_full_matrix():
    kernel = torch.randn(2, 3, 3, 3, dtype=torch.float64, generator=generator(1))
    images = torch.eye(48, dtype=torch.float64).reshape(48, 3, 4, 4)
    padded = torch.nn.functional.pad(images, (1, 1, 1, 1), mode="circular")
    full = torch.nn.functional.conv2d(padded, kernel).reshape(48, 32)
    expected = torch.linalg.svdvals(full).sort().values
    assert torch.allclose(module.operator_singular_values(kernel, 4), expected)


def test_the_flattened_kernel_is_orthogonal_and_its_convolution_is_not():
    kernel = torch.empty(8, 8, 3, 3, dtype=torch.float64)
    torch.nn.init.orthogonal_(kernel, generator=generator())
    flat = kernel.reshape(8, -1)
    assert torch.allclose(flat @ flat.T, torch.eye(8, dtype=torch.float64), atol=1e-12)
    s = module.operator_singular_values(kernel, 8)
    assert s[0] < 0.2
    assert s[-1] > 1.5


def test_errors():
    with pytest.raises(ValueError, match=r"Received: shape=\(3, 3\)"):
        module.delta_orthogonal_(torch.empty(3, 3))
    with pytest.raises(ValueError, match=r"Received: shape=\(2, 3, 3\)"):
        module.delta_orthogonal_(torch.empty(2, 3, 3))


def test_what_is_shown(values):
    left = values("orthogonal_convolution")
    low, high = left["low"], left["high"]
    assert low["delta_orthogonal_"] == pytest.approx(1)
    assert high["delta_orthogonal_"] == pytest.approx(1)
    assert low["orthogonal_"] < 0.1
    assert high["orthogonal_"] > 1.5
