"""With a gate of 0 or γ = 0 a block is the identity and learns all the same."""

import pytest
import torch
from torch import nn

from x0.initialization import residual
from x0.initialization import residual_gates as module


def test_a_gate_of_zero_is_the_identity_and_only_the_gate_learns():
    block = module.Gated(nn.Linear(6, 6))
    x, top = torch.randn(2, 5, 6, generator=torch.Generator().manual_seed(0))
    change, moved = module.zero_start(block, x, top)
    assert not change.any()
    assert moved == {"factor": True, "branch.weight": False, "branch.bias": False}
    # The gate's gradient is the inner product of the branch and the gradient.
    expected = (top * block.branch(x)).sum()
    torch.testing.assert_close(block.factor.grad, expected)


def test_zero_gamma_is_the_identity_and_gamma_and_its_bias_learn():
    block = module.ZeroGamma(3)
    x, top = torch.randn(2, 4, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    change, moved = module.zero_start(block, x, top)
    assert not change.any()
    assert [name for name, m in moved.items() if m] == ["branch.4.weight", "branch.4.bias"]


def test_the_gradient_passes_unchanged():
    for block, shape in (
        (module.Gated(nn.Linear(6, 6)), (5, 6)),
        (module.ZeroGamma(3), (4, 3, 5, 5)),
    ):
        generator = torch.Generator().manual_seed(1)
        x = torch.randn(shape, generator=generator).requires_grad_()
        top = torch.randn(shape, generator=generator)
        module.zero_start(block, x, top)
        torch.testing.assert_close(x.grad, top)


@pytest.mark.proves("residual-gate-learns", kind="fact", effect="1 → 5 : 5, 2 → 6 : 6, 2 → 4 : 4")
def test_all_learn_after_one_step(printed):
    """After one step all parameters of a block with a gate, zero-gamma or a zero last layer have a gradient."""
    assert printed("residual_gates").splitlines() == [
        "gate: output - input = 0",
        "  gradient: factor",
        "  after one step: 5 of 5",
        "zero-γ: output - input = 0",
        "  gradient: branch.4.weight branch.4.bias",
        "  after one step: 6 of 6",
    ]
    generator = torch.Generator().manual_seed(3)
    block = residual.Residual(nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8)))
    for p in block.parameters():
        nn.init.normal_(p, std=0.3, generator=generator)
    residual.zero_branches_([block.branch])
    x, top = torch.randn(2, 16, 8, generator=generator)
    _, before = module.zero_start(block, x, top)
    assert [name for name, m in before.items() if m] == ["branch.2.weight", "branch.2.bias"]
    torch.optim.SGD(block.parameters(), lr=0.1).step()
    assert all(module.zero_start(block, x, top)[1].values())
    # A gate of 0 on a branch whose last layer is 0: neither gets a gradient.
    residual.zero_branches_([block.branch])
    assert not any(module.zero_start(module.Gated(block.branch), x, top)[1].values())
