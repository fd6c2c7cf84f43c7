"""Shapes, conventions and symbols of a layer."""

import re
from pathlib import Path

import pytest
import torch

from x0.guide import notation_layer

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.claim("B-08")
def test_both_conventions_are_one_layer_and_do_not_mix() -> None:
    generator = torch.Generator().manual_seed(0)
    weight, bias, h = (
        torch.randn(shape, generator=generator).double() for shape in ((2, 3), (2,), (5, 3))
    )
    by_row = notation_layer.rows(weight, bias, h)
    by_column = notation_layer.columns(weight, bias, h.T)
    assert by_row.shape == (5, 2)
    assert by_column.shape == (2, 5)
    assert torch.allclose(by_row, torch.nn.functional.linear(h, weight, bias))
    assert torch.allclose(by_row, by_column.T)
    # X W, samples in rows, asks for a weight of the transposed shape.
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        h @ weight
    assert (h @ weight.T).shape == (5, 2)


@pytest.mark.parametrize("shape", [(2, 3), (7, 4, 3), (32, 3, 5, 5), (6, 2, 3, 4, 5), (1, 1)])
def test_fans_agree_with_torch(shape: tuple[int, ...]) -> None:
    expected = torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))
    assert notation_layer.fans(shape) == expected


@pytest.mark.parametrize("shape", [(), (3,)])
def test_fans_need_two_dimensions(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"at least 2 dimensions\. Received: shape=\("):
        notation_layer.fans(shape)


def connections(layer: torch.nn.Module, channels: int, outputs: int) -> tuple[int, int]:
    """Count what one inner output reads and what one inner input reaches."""
    size = 9
    for parameter in layer.parameters():
        torch.nn.init.ones_(parameter)
    x = torch.zeros(1, channels, size, size)
    jacobian = torch.autograd.functional.jacobian(layer, x)[0, :, :, :, 0]
    middle_out, middle_in = jacobian.shape[1] // 2, size // 2
    reads = int(jacobian[0, middle_out, middle_out].count_nonzero())
    reaches = int(jacobian[:, :, :, 0, middle_in, middle_in].count_nonzero())
    assert jacobian.shape[0] == outputs
    return reads, reaches


def test_fans_count_the_connections_of_a_convolution() -> None:
    conv = torch.nn.Conv2d(3, 4, kernel_size=3)
    assert connections(conv, 3, 4) == notation_layer.fans(conv.weight.shape) == (27, 36)


def test_fans_of_a_transposed_convolution_are_swapped() -> None:
    conv = torch.nn.ConvTranspose2d(3, 4, kernel_size=3)
    fan_in, fan_out = notation_layer.fans(conv.weight.shape)
    assert connections(conv, 3, 4) == (fan_out, fan_in)


def test_groups_make_fan_out_too_large() -> None:
    conv = torch.nn.Conv2d(4, 6, kernel_size=3, groups=2)
    fan_in, fan_out = notation_layer.fans(conv.weight.shape)
    assert connections(conv, 4, 6) == (fan_in, fan_out // 2)


@pytest.mark.proves("notation-connections", kind="call")
def test_where_fans_and_connections_differ() -> None:
    """Fans count connections of a plain convolution; not with transposition, groups, strides."""
    plain = torch.nn.Conv2d(4, 6, kernel_size=3)
    fan_in, fan_out = notation_layer.fans(plain.weight.shape)
    assert connections(plain, 4, 6) == (fan_in, fan_out)
    swapped = torch.nn.ConvTranspose2d(4, 6, kernel_size=3)
    assert connections(swapped, 4, 6) == notation_layer.fans(swapped.weight.shape)[::-1]
    grouped = torch.nn.Conv2d(4, 6, kernel_size=3, groups=2)
    fan_in, fan_out = notation_layer.fans(grouped.weight.shape)
    assert connections(grouped, 4, 6) == (fan_in, fan_out // 2)
    for size in (1, 3):  # with size 1 a quarter of the inputs reach all, the others nothing
        strided = torch.nn.Conv2d(4, 6, kernel_size=size, stride=2)
        fan_in, fan_out = notation_layer.fans(strided.weight.shape)
        torch.nn.init.ones_(strided.weight)
        jacobian = torch.autograd.functional.jacobian(strided, torch.zeros(1, 4, 9, 9))[
            0, ..., 0, :, :, :
        ]
        assert int(jacobian[0, 2, 2].count_nonzero()) == fan_in
        assert jacobian.count_nonzero() / (4 * 9 * 9) < fan_out / 2
    padded = torch.nn.Conv2d(1, 1, kernel_size=3, padding=1)
    torch.nn.init.ones_(padded.weight)
    x = torch.zeros(1, 1, 5, 5)
    corner = torch.autograd.functional.jacobian(padded, x)[0, 0, :, :, 0, 0, 0, 0]
    assert int(corner.count_nonzero()) == 4 < 9


@pytest.mark.claim("B-17")
def test_derivative_at_a_point_is_not_derivative_of_a_constant() -> None:
    # The notation differentiates act(E{Z}), a constant in Z: 0.
    z = torch.tensor(0.3, requires_grad=True)
    constant = torch.tanh(torch.tensor(1.0)) + 0 * z
    (derivative,) = torch.autograd.grad(constant, z)
    assert derivative.item() == 0
    # What is meant is φ′ at the point: 1 − tanh² there, and the finite difference.
    meant = notation_layer.derivative_at(torch.tanh, 1.0)
    up, down = (torch.tanh(torch.tensor(1.0 + e, dtype=torch.float64)) for e in (1e-5, -1e-5))
    assert meant == pytest.approx(1 - torch.tanh(torch.tensor(1.0).double()).item() ** 2)
    assert meant == pytest.approx(((up - down) / 2e-5).item(), rel=1e-8)
    assert meant > 0.4


def symbols(language: str) -> list[str]:
    """Return the first column of the symbol tables of a notation page."""
    text = (DOCS / language / "guide" / "notation.md").read_text(encoding="utf-8")
    section = text.split("{#symbols}")[1].split("{#assumptions}")[0]
    found: list[str] = []
    for line in section.splitlines():
        if line.startswith("| $"):
            found += re.findall(r"\$([^$]+)\$", line.split("|")[1])
    return found


@pytest.mark.claim("B-22")
def test_each_symbol_has_one_meaning_and_the_batch_size_its_own() -> None:
    chinese, english = symbols("zh"), symbols("en")
    assert chinese == english
    assert len(chinese) == len(set(chinese)) > 40
    assert {"m", r"\E{\cdot}"} <= set(chinese)
    # The clash of the source: E for the sample count.
    assert "E" not in chinese
