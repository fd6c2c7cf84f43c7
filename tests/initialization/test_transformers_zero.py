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


def test_both_zero_never_moves():
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


def test_demo(capsys):
    values = module.demo()
    assert [values[f"lora_{z}_moves"] for z in ("B", "A", "AB")] == [1, 1, 0]
    assert values["lora_B"] == values["adaln"] == 0
    assert (values["adaln_gate_rows"], values["adaln_other_rows"]) == (8, 0)
    assert len(capsys.readouterr().out.splitlines()) == 4
