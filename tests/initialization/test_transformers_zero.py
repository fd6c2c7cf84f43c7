"""LoRA and adaLN-zero at step 0."""

import pytest
import torch
from torch import nn

from x0.initialization import transformers_zero as module


def test_lora_is_the_base_and_only_b_has_a_gradient():
    generator = torch.Generator().manual_seed(0)
    lora = module.LoRA(nn.Linear(5, 3), rank=2, alpha=4)
    x, top = torch.randn(7, 5, generator=generator), torch.randn(7, 3, generator=generator)
    torch.testing.assert_close(lora(x), lora.base(x), rtol=0, atol=0)
    assert module.has_gradient(lora, top, x) == ["B"]
    torch.testing.assert_close(lora.B.grad, 2 * top.T @ (x @ lora.A.T))
    with torch.no_grad():
        lora.B -= 0.1 * lora.B.grad
    assert sorted(module.has_gradient(lora, top, x)) == ["A", "B"]


@pytest.mark.proves("transformers-lora", kind="cause", range="50 steps of Adam", effect="0 : > 0")
def test_both_zero_never_moves():
    """LoRA learns with A or B at zero; with both at zero both gradients are zero and stay so."""
    x, y = torch.randn(2, 32, 5, generator=torch.Generator().manual_seed(0))
    for zero in ("A", "B", "AB"):
        lora = module.LoRA(nn.Linear(5, 5), rank=2, alpha=4, zero=zero)
        optimizer = torch.optim.Adam([lora.A, lora.B], lr=0.05)
        losses = []
        for _ in range(50):
            optimizer.zero_grad()
            loss = (lora(x) - y).square().mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        moved = bool(lora.A.any() and lora.B.any())
        assert moved == (zero != "AB")
        assert (losses[-1] < losses[0]) == moved
    lora = module.LoRA(nn.Linear(5, 3), rank=2, alpha=4, zero="AB")
    assert module.has_gradient(lora, torch.ones(7, 3), torch.ones(7, 5)) == []
    with pytest.raises(ValueError, match="Received: zero='C'"):
        module.LoRA(nn.Linear(5, 3), rank=2, alpha=4, zero="C")


def test_adaln_zero_is_the_identity_and_only_the_gate_learns():
    generator = torch.Generator().manual_seed(0)
    block = module.AdaLNZero(6)
    x, c, top = torch.randn(3, 4, 6, generator=generator)
    torch.testing.assert_close(block(x, c), x, rtol=0, atol=0)
    module.has_gradient(block, top, x, c)
    rows = block.modulation.bias.grad.reshape(3, 6)
    assert not rows[:2].any()  # shift and scale
    assert bool(rows[2].all())
    assert not block.branch[0].weight.grad.any()


def test_adaln_with_ones_is_a_pre_norm_block():
    block = module.AdaLNZero(6)
    with torch.no_grad():
        block.modulation.bias[12:] = 1
    x, c = torch.randn(2, 4, 6, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(block(x, c), x + block.branch(torch.layer_norm(x, (6,))))


def test_what_moves_at_step_0(printed):
    x, c, top = torch.randn(3, 16, 8, generator=torch.Generator().manual_seed(0))
    for zero, moves in (("B", 1), ("A", 1), ("AB", 0)):
        lora = module.LoRA(nn.Linear(8, 8), rank=2, alpha=4, zero=zero)
        assert len(module.has_gradient(lora, top, x)) == moves
        assert torch.equal(lora(x), lora.base(x))
    block = module.AdaLNZero(8)
    assert torch.equal(block(x, c), x)
    module.has_gradient(block, top, x, c)
    moved = block.modulation.weight.grad.any(1)
    assert (moved[16:].sum(), moved[:16].sum()) == (8, 0)
    lines = printed("transformers_zero").splitlines()
    assert len(lines) == 4
    assert all("change 0" in line for line in lines)
