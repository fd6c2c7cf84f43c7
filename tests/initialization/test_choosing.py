"""The function that applies the tables: the law of each layer type, and what it leaves alone."""

import math
from pathlib import Path

import pytest
import torch
from torch import nn

from x0.initialization import choosing, choosing_hidden, choosing_layers

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


@pytest.mark.parametrize("activation", ["mish", "GELU", "ReLU"])
def test_without_a_variance_that_holds_it_says_what_to_do(activation):
    with pytest.raises(ValueError, match=f"Put a norm .* Received: activation='{activation}'"):
        choosing.initialize_(nn.Linear(2, 2), activation)


@pytest.mark.parametrize("name", ["softsign", "GELU", "SiLU", "sine", "sigmoid"])
def test_the_rows_of_the_table_hold_in_networks(name):
    """After initialize_ the second moment of layer 8 over that of layer 1 is what the row says."""
    row = next(row for row in choosing_hidden.ROWS if row.name == name)
    assert choosing.SCALES[name.lower()] == pytest.approx((row.weight, row.bias))
    generator = torch.Generator().manual_seed(3)
    ratios = []
    for _ in range(40):
        layers = nn.Sequential(*(nn.Linear(128, 128) for _ in range(choosing_hidden.DEPTH - 1)))
        assert choosing.initialize_(layers, name.lower(), generator=generator) == []
        z = math.sqrt(row.start) * torch.randn(64, 128, generator=generator)
        for layer in layers:
            z = layer(row.phi(z))
        ratios.append(z.square().mean().item() / row.start)
    mean, error = torch.tensor(ratios).mean().item(), torch.tensor(ratios).std().item() / 40**0.5
    expected = choosing_hidden.predicted(row)[0]
    assert abs(mean - expected) < 4 * error + 0.03 * expected
    assert error < 0.12 * expected


def test_gelu_needs_biases_and_says_so_first():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4, bias=False))
    before = model[0].weight.clone()
    with pytest.raises(ValueError, match="Biases are needed"):
        choosing.initialize_(model, "gelu")
    assert torch.equal(before, model[0].weight)
    assert choosing.initialize_(model, "gelu", head=model[1]) == []
    assert not model[1].weight.any()


def test_branches_head_and_norms():
    branches = [nn.Sequential(nn.Linear(90, 90), nn.ReLU(), nn.Linear(90, 90)) for _ in range(16)]
    head, norm = nn.Linear(90, 7), nn.LayerNorm(90)
    nn.init.constant_(norm.weight, 3)
    filled(nn.Sequential(norm, *branches, head), branches=branches, head=head)
    for branch in branches:
        second_moment(branch[0].weight, 90, 1, 2)  # it reads the stream, not a ReLU
        second_moment(branch[2].weight, 90, 2 / 16, 2)
    assert not head.weight.any()
    assert (norm.weight == 3).all()


def test_embedding_and_attention():
    model = nn.ModuleList([nn.Embedding(300, 50), nn.MultiheadAttention(120, 4)])
    filled(model, "normalized")
    second_moment(model[0].weight, 1, 0.02**2, 1)
    for part in model[1].in_proj_weight.chunk(3):
        second_moment(part, 120, 1, 0.5)  # 0.5: Xavier on the stacked matrix
    tied = nn.ModuleDict({"words": nn.Embedding(300, 50), "head": nn.Linear(50, 300)})
    tied["head"].weight = tied["words"].weight
    assert choosing.initialize_(tied, "tanh") == []
    second_moment(tied["head"].weight, 1, 0.02**2, 1 / 50)
    assert not tied["head"].bias.any()
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


def test_half_precision_is_filled_and_integers_are_refused():
    lstm = nn.LSTM(4, 4).bfloat16()
    choosing.initialize_(nn.Sequential(lstm), "relu")
    for gate in lstm.weight_hh_l0.detach().float().chunk(4):
        assert torch.allclose(gate @ gate.T, torch.eye(4), atol=0.05)
    layer = nn.Linear(2, 2)
    layer.weight = nn.Parameter(torch.ones(2, 2, dtype=torch.int8), requires_grad=False)
    with pytest.raises(ValueError, match="integers"):
        choosing.initialize_(nn.Sequential(layer), "relu")


def test_a_branch_that_begins_with_relu_reads_half():
    for activation in (nn.ReLU(), nn.LeakyReLU()):
        branches = [nn.Sequential(activation, nn.Linear(90, 90), nn.ReLU(), nn.Linear(90, 90))]
        filled(nn.Sequential(*branches), branches=branches)
        second_moment(branches[0][1].weight, 90, 2, 1)
    norm_first = [nn.Sequential(nn.LayerNorm(90), nn.Linear(90, 90), nn.ReLU(), nn.Linear(90, 90))]
    filled(nn.Sequential(*norm_first), branches=norm_first)
    second_moment(norm_first[0][1].weight, 90, 1, 2)


@pytest.mark.parametrize("count", [4, 12, 48])
def test_the_stream_stays_below_e(count):
    """What the table promises for branches: (1 + 1/K)^K, here with real modules."""
    generator = torch.Generator().manual_seed(count)
    ends = []
    for _ in range(20):
        make = lambda: nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64))  # noqa: E731
        branches = [make() for _ in range(count)]
        choosing.initialize_(
            nn.Sequential(*branches), "relu", branches=branches, generator=generator
        )
        x = y = torch.randn(16, 64, generator=generator)
        for branch in branches:
            y = y + branch(y).detach()
        ends.append(y.square().mean() / x.square().mean())
    ends = torch.stack(ends)
    error = ends.std() / math.sqrt(20)
    theory = (1 + 1 / count) ** count
    assert abs(ends.mean() - theory) < 4 * error < 0.25 * theory
    assert abs(ends.mean() - (1 + 2 / count) ** count) > 4 * error


@pytest.mark.proves("choosing-order", kind="call")
def test_the_initialization_overwrites_what_was_scaled_before():
    """Initialization after scaling and zeroing overwrites both; before them it does not."""
    branch, head = nn.Sequential(nn.Linear(90, 90), nn.ReLU(), nn.Linear(90, 90)), nn.Linear(90, 7)
    model = nn.Sequential(branch, head)

    def scale_and_zero():
        with torch.no_grad():
            branch[2].weight.div_(10)
            head.weight.zero_()

    scale_and_zero()
    filled(model)
    second_moment(branch[2].weight, 90, 2, 0.02)
    assert head.weight.all()
    filled(model)
    scale_and_zero()
    second_moment(branch[2].weight, 90, 0.02, 2)
    assert not head.weight.any()


# Where the method of a name in the answer is run: a row of the tables, or a module.
METHODS = {
    "LeCun": 'kaiming_normal_(w, nonlinearity="linear")',
    "orthogonal.md": "orthogonal_(w)",
    "LSUV": "orthogonal_lsuv",
    "GELU": "normal_(w, 0, (1.98306 / w[0].numel()) ** 0.5)",
    "Fixup": "residual_fixup",
    "SkipInit": "zeros_(gate)",
    "ReZero": "zeros_(gate)",
    "K ** 0.5": "kaiming_normal_(w).div_(K ** 0.5)",
    "norm.weight": "zeros_(norm.weight)",
    "zeros_(w)": "zeros_(w)",
}


@pytest.mark.claim("A-75")
def test_the_page_names_the_methods_of_the_answer_and_each_has_run(values):
    """Each method of the answer is named on the page, as a call that is executed or a module."""
    executed = "\n".join(
        [*(row.call for row in choosing_hidden.ROWS), *choosing_layers.CALLS.values()]
    )
    for language in ("zh", "en"):
        page = (ROOT / f"docs/{language}/initialization/choosing.md").read_text()
        for name, proof in METHODS.items():
            assert name in page
            assert proof in executed if "(" in proof else values(proof)


def test_values(values):
    found = values("choosing")
    assert found["n_v"][0] == pytest.approx(1, rel=0.03)
    assert found["n_v"][1] == pytest.approx(0.5, rel=0.03)
    assert found["stream"] == pytest.approx((1 + 1 / 4) ** 4, rel=0.1)
    assert found["forget"] == 1
    assert found["loss"] == pytest.approx(math.log(10), rel=1e-6)
