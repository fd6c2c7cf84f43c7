"""Every parameter is in one group; matched steps of Muon are 0.2 rates for any shape."""

import pytest
import torch
from torch import nn

from x0.training import adaptive_groups as groups


def small_model():
    head = nn.Linear(8, 20, bias=False)
    norm = nn.LayerNorm(8)
    return nn.Sequential(nn.Embedding(20, 8), nn.Linear(8, 8), nn.Conv1d(8, 8, 3), norm, head), head


@pytest.mark.proves("adaptive-split", kind="call")
def test_each_parameter_is_in_one_group():
    """Muon gets the hidden matrices; AdamW the embeddings, the output layer, kernels, biases and norms."""
    model, head = small_model()
    muon, adamw = groups.muon_and_adamw(model, head, 1e-3)
    mine = [p for g in muon.param_groups for p in g["params"]]
    assert [id(p) for p in mine] == [id(model[1].weight)]
    tables, small = (g["params"] for g in adamw.param_groups)
    assert {id(p) for p in tables} == {
        id(p) for p in (model[0].weight, model[2].weight, head.weight)
    }
    assert [g["weight_decay"] for g in adamw.param_groups] == [0.1, 0.0]
    together = [id(p) for p in (*mine, *tables, *small)]
    assert sorted(together) == sorted(id(p) for p in model.parameters())
    with pytest.raises(ValueError, match="hidden matrix"):
        groups.muon_and_adamw(head, head, 1e-3)


@pytest.mark.proves(
    "adaptive-matched", kind="search", range="8…512 × 8…512, g × 10⁻⁴…10⁴", tolerance="0.13…0.25"
)
def test_matched_steps_have_one_size():
    """With match_rms_adamw and nearly all singular values above 0.002 of the norm, Muon's steps are about 0.2 rates for any shape."""
    generator = torch.Generator().manual_seed(1)
    original = []
    for shape in ((8, 8), (8, 512), (512, 8), (64, 256), (256, 256)):
        matched = groups.muon_size(shape, "match_rms_adamw", generator)
        assert 0.13 < matched < 0.25
        original.append(groups.muon_size(shape, "original", generator))
    assert max(original) > 5 * min(original)  # without it the shape decides
    for scale in (1e-4, 1e4):  # nor does the size of the gradient
        weight = nn.Parameter(torch.zeros(32, 64))
        weight.grad = scale * torch.randn(32, 64, generator=generator)
        torch.optim.Muon([weight], lr=1.0, weight_decay=0.0, adjust_lr_fn="match_rms_adamw").step()
        assert 0.13 < weight.detach().square().mean().sqrt() < 0.25
    u, v = torch.linalg.qr(torch.randn(2, 256, 256, generator=generator)).Q
    index = torch.arange(1, 257)
    for power, low, high in ((0.5, 0.13, 0.25), (1.0, 0.13, 0.25), (2.0, 0.03, 0.1)):
        s = index**-power  # of full rank; the last is mostly below 0.002
        assert ((s / s.norm() > 0.002).float().mean() > 0.95) == (power < 2)
        weight = nn.Parameter(torch.zeros(256, 256))
        weight.grad = u * s @ v
        torch.optim.Muon([weight], lr=1.0, weight_decay=0.0, adjust_lr_fn="match_rms_adamw").step()
        assert low < weight.detach().square().mean().sqrt() < high


@pytest.mark.proves("adaptive-memory", kind="call")
def test_numbers_that_the_optimizers_keep():
    """For a 512 × 256 matrix AdamW keeps two numbers per entry, Muon one, Adafactor 768 in total."""
    kept = {}
    for make in (torch.optim.AdamW, torch.optim.Muon, torch.optim.Adafactor):
        weight = nn.Parameter(torch.zeros(512, 256))
        weight.grad = torch.ones(512, 256)
        optimizer = make([weight], lr=1e-3)
        optimizer.step()
        state = optimizer.state[weight].values()
        kept[make.__name__] = sum(x.numel() for x in state if torch.is_tensor(x) and x.numel() > 1)
    assert kept == {"AdamW": 2 * 512 * 256, "Muon": 512 * 256, "Adafactor": 768}
