"""Blocks run alone and in order, and the repaired convolution."""

import pytest
import torch
from torch import nn

from x0.reference import claims_blocks


@pytest.mark.claim("A-47")
def test_a_block_without_its_import_raises_and_runs_after_it() -> None:
    block = "layer = nn.Conv2d(3, 32, kernel_size=5)"
    assert claims_blocks.run_code(block) == "NameError: name 'nn' is not defined"
    assert claims_blocks.run_code("from torch import nn", block) == "no error"
    # What one run defines, another does not see.
    assert claims_blocks.run_code("seen = 1") == "no error"
    assert claims_blocks.run_code("seen") == "NameError: name 'seen' is not defined"


@pytest.mark.claim("A-47")
def test_the_repaired_convolution_is_that_of_he_with_zero_bias(values) -> None:
    names = values("claims_blocks")
    layer = claims_blocks.convolution(torch.Generator().manual_seed(5))
    assert layer.bias is not None
    assert not layer.bias.any()
    bound = (6 / (3 * 5 * 5)) ** 0.5
    assert names["bound"] == pytest.approx(bound)
    assert 0.999 * bound < layer.weight.abs().max().item() <= bound
    assert names["largest"] == pytest.approx(bound, rel=1e-3)
    # The constructor alone: weight and bias within 1/√75.
    torch_default = nn.Conv2d(3, 32, kernel_size=5)
    assert torch_default.bias is not None
    for tensor in (torch_default.weight, torch_default.bias):
        assert tensor.abs().max().item() <= names["default"]
    assert torch_default.bias.any()


def test_the_exceptions_are_those_of_the_sources() -> None:
    setup = "import numpy\nw = numpy.zeros((1, 1))"
    assert claims_blocks.run_code(setup, "w -= numpy.ones((100, 1))") == (
        "ValueError: non-broadcastable output operand with shape (1,1) "
        "doesn't match the broadcast shape (100,1)"
    )
    assert claims_blocks.run_code(setup, "w = w - numpy.ones((100, 1))") == "no error"
    assert claims_blocks.run_code("w = gradient_descent(0)").startswith("NameError: name 'gradient")
