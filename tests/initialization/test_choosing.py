"""The function that applies the tables: the law of each layer type, and what it leaves alone."""

import math
from pathlib import Path

import pytest
import torch
from torch import nn

from x0.initialization import choosing

ROOT = Path(__file__).parents[2]


def filled(module, activation="relu", **options):
    generator = torch.Generator().manual_seed(2)
    choosing.initialize_(module, activation, generator=generator, **options)
    return module


def second_moment(weight, reads, theory, wrong):
    """Assert reads * E[w^2] = theory within 4 standard errors of at most 5 %."""
    squares = reads * weight.detach().double().square().flatten()
    error = float(squares.std()) / math.sqrt(len(squares))
    assert abs(float(squares.mean()) - theory) < 4 * error < 0.2 * theory
    assert abs(float(squares.mean()) - wrong) > 4 * error


@pytest.mark.parametrize(
    ("activation", "slope", "scale", "wrong"),
    [
        ("linear", 0, 1, 2),
        ("tanh", 0, 1, 2),
        ("selu", 0, 1, 9 / 16),
        ("relu", 0, 2, 1),
        ("leaky_relu", 0.5, 1.6, 2),
        ("normalized", 0, 2, 1),
    ],
)
def test_dense_layers(activation, slope, scale, wrong):
    layer = filled(nn.Linear(100, 150), activation, slope=slope)
    second_moment(layer.weight, 100, scale, wrong)
    assert not layer.bias.any()


@pytest.mark.parametrize(
    ("layer", "reads", "wrong"),
    [
        (nn.Conv2d(20, 30, 3), 180, 3),
        (nn.Conv2d(60, 600, 3, groups=60), 9, 120),
        (nn.Conv1d(20, 90, 5), 100, 9),
        (nn.ConvTranspose2d(20, 40, 4, stride=2), 80, 0.5),  # its shape says fan_in = 40 * 16
        (nn.ConvTranspose2d(40, 80, 4, stride=2, groups=4), 40, 1),
        (nn.ConvTranspose1d(60, 50, 6, stride=3, bias=False), 120, 1),
    ],
)
def test_convolutions_count_what_an_output_reads(layer, reads, wrong):
    second_moment(filled(layer).weight, reads, 2, wrong)


@pytest.mark.parametrize("activation", ["gelu", "silu", "sigmoid", "ReLU"])
def test_without_a_variance_that_holds_it_says_what_to_do(activation):
    with pytest.raises(ValueError, match=f"Put a norm .* Received: activation='{activation}'"):
        choosing.initialize_(nn.Linear(2, 2), activation)


def test_branches_head_and_norms():
    branches = [nn.Sequential(nn.Linear(90, 90), nn.ReLU(), nn.Linear(90, 90)) for _ in range(16)]
    head, norm = nn.Linear(90, 7), nn.LayerNorm(90)
    nn.init.constant_(norm.weight, 3)
    filled(nn.Sequential(norm, *branches, head), branches=branches, head=head)
    for branch in branches:
        second_moment(branch[0].weight, 90, 2, 2 / 16)
        second_moment(branch[2].weight, 90, 2 / 16, 2)
    assert not head.weight.any()
    assert (norm.weight == 3).all()


def test_embedding_and_attention():
    model = nn.ModuleList([nn.Embedding(300, 50), nn.MultiheadAttention(120, 4)])
    filled(model, "normalized")
    second_moment(model[0].weight, 1, 0.02**2, 1)
    for part in model[1].in_proj_weight.chunk(3):
        second_moment(part, 120, 1, 0.5)  # 0.5: Xavier on the stacked matrix
    apart = filled(nn.MultiheadAttention(120, 4, kdim=40, vdim=40), "normalized")
    second_moment(apart.k_proj_weight, 80, 1, 0.5)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_recurrent_layers(kind):
    module = filled(kind(30, 40, num_layers=2))
    for gate in module.weight_hh_l1.split(40):
        torch.testing.assert_close(gate @ gate.T, torch.eye(40), atol=1e-5, rtol=0)
    total = (module.bias_ih_l1 + module.bias_hh_l1).detach()
    expected = torch.zeros_like(total)
    if kind is nn.LSTM:
        expected[40:80] = 1  # PyTorch's order: input, forget, cell, output
    assert torch.equal(total, expected)


@pytest.mark.claim("A-75")
def test_every_row_of_the_page_has_code_that_ran():
    # Each method that the answer names stands in a call of a module that the page runs.
    page = (ROOT / "docs/en/initialization/choosing.md").read_text()
    code = "".join(
        path.read_text() for path in (ROOT / "src/x0/initialization").glob("choosing*.py")
    )
    for call in ("orthogonal_", "xavier_normal_", "kaiming_normal_", "zeros_", "normal_"):
        assert f"`{call}(" in page
        assert f"{call}(" in code
    both = (page, (ROOT / "docs/zh/initialization/choosing.md").read_text())
    for name in ("LSUV", "Fixup", "SkipInit", "ReZero", "SELU"):
        assert all(name in text for text in both)


def test_values():
    values = choosing.demo()
    assert values["first"] == pytest.approx(2, rel=0.03)
    assert values["last"] == pytest.approx(0.5, rel=0.03)
    assert values["forget"] == 1
    assert values["loss"] == pytest.approx(math.log(10), rel=1e-6)
