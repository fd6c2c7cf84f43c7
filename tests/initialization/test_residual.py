"""Scaling, zero start and Fixup on any nn.Module with residual branches."""

import copy

import pytest
import torch
from torch import nn

from x0.initialization import residual


def branches(count=4, weights=2, width=16):
    layers = []
    for _ in range(count):
        modules = []
        for _ in range(weights):
            modules += [nn.Linear(width, width), nn.ReLU()]
        layers.append(nn.Sequential(*modules[:-1]))
    return layers


def test_scaling_touches_the_last_weight_only():
    made = branches(count=9)
    before = [[layer.weight.clone() for layer in residual.branch_layers(b)] for b in made]
    residual.scale_branches_(made)
    for branch, (first, last) in zip(made, before, strict=True):
        torch.testing.assert_close(branch[0].weight, first, rtol=0, atol=0)
        torch.testing.assert_close(branch[2].weight, last / 3)


def test_a_layer_that_branches_share_is_scaled_once():
    shared = nn.Linear(16, 16), nn.Linear(16, 16)
    before = [layer.weight.clone() for layer in shared]
    residual.scale_branches_([nn.Sequential(shared[0], nn.ReLU(), shared[1]) for _ in range(4)])
    torch.testing.assert_close(shared[1].weight, before[1] / 2)
    residual.fixup_([nn.Sequential(shared[0], nn.ReLU(), nn.Linear(16, 16)) for _ in range(4)])
    torch.testing.assert_close(shared[0].weight, before[0] / 2)


def test_a_weight_that_layers_share_is_scaled_once():
    made = branches()
    before = [layer.weight.detach().clone() for layer in (made[0][0], made[0][2])]
    for branch in made[1:]:
        branch[0].weight, branch[2].weight = made[0][0].weight, made[0][2].weight
    residual.scale_branches_(made)
    torch.testing.assert_close(made[3][2].weight, before[1] / 2)
    residual.fixup_(made)
    torch.testing.assert_close(made[3][0].weight, before[0] / 2)


def test_scaling_finds_the_output_projection_of_attention():
    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.MultiheadAttention(8, 2)

    made = [Attention() for _ in range(4)]
    before = made[0].inner.out_proj.weight.clone()
    stacked = made[0].inner.in_proj_weight.clone()
    residual.scale_branches_(made)
    torch.testing.assert_close(made[0].inner.out_proj.weight, before / 2)
    torch.testing.assert_close(made[0].inner.in_proj_weight, stacked)


@pytest.mark.proves("residual-scale-weights", kind="fact", range="K = 9, s = 1/3")
def test_the_factor_may_be_part_of_the_weights():
    """x + s f(x) and a last weight multiplied by s are the same function at step 0."""
    made = branches(count=9)
    for branch in made:
        torch.nn.init.zeros_(branch[2].bias)
    x = torch.randn(5, 16, generator=torch.Generator().manual_seed(0))
    y = x
    for branch in made:
        y = y + branch(y) / 3
    residual.scale_branches_(made)
    torch.testing.assert_close(nn.Sequential(*map(residual.Residual, made))(x), y)


@pytest.mark.proves("residual-norm-ends", kind="cause", effect="< 10⁻³ : > 0.5")
def test_a_norm_at_the_end_of_a_branch_divides_the_factor_out():
    """scale_branches_ leaves the output of a branch that ends in BatchNorm; without the norm it does not."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(64, 16, generator=generator)
    for norm, low, high in ((nn.BatchNorm1d(16), 0, 1e-3), (nn.Identity(), 0.5, 1)):
        made = [
            nn.Sequential(
                nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 16, bias=False), copy.deepcopy(norm)
            )
            for _ in range(16)
        ]
        for branch in made:
            for layer in residual.branch_layers(branch):
                nn.init.kaiming_normal_(layer.weight, generator=generator)
        before = made[0](x)
        residual.scale_branches_(made)
        change = (made[0](x) - before).norm() / before.norm()
        assert low <= change < high
    made = [nn.Sequential(nn.Linear(16, 16), nn.BatchNorm1d(16))]
    residual.zero_branches_(made)
    assert not made[0](x).any()


class BasicBlock(nn.Module):
    """A ResNet block as torchvision writes it: the addition stands in forward."""

    def __init__(self, width):
        super().__init__()
        self.conv1, self.conv2 = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        self.bn1, self.bn2 = nn.BatchNorm2d(width), nn.BatchNorm2d(width)

    def forward(self, x):
        out = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        out += x
        return torch.relu(out)


@pytest.mark.proves(
    "residual-last-layers", kind="call", range="BasicBlock, TransformerEncoderLayer"
)
def test_the_layers_that_feed_the_addition_may_be_passed():
    """[b.bn2 for b in blocks] and out_proj, linear2 of encoder layers stand for their branches."""
    blocks = [BasicBlock(3) for _ in range(2)]
    residual.zero_branches_([b.bn2 for b in blocks])
    x = torch.rand(2, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(nn.Sequential(*blocks)(x), x)  # x is not negative
    layers = [nn.TransformerEncoderLayer(8, 2, 16, norm_first=True) for _ in range(2)]
    before = [p.clone() for layer in layers for p in layer.parameters()]
    last = [m for layer in layers for m in (layer.self_attn.out_proj, layer.linear2)]
    residual.scale_branches_(last)
    after = [(n, p) for layer in layers for n, p in layer.named_parameters()]
    changed = [n for (n, p), old in zip(after, before, strict=True) if not torch.equal(p, old)]
    assert changed == 2 * ["self_attn.out_proj.weight", "linear2.weight"]


def test_zero_start_is_the_identity_with_and_without_a_norm():
    convs = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3))
    x = torch.randn(2, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    (plain,) = branches(count=1, width=5)
    residual.zero_branches_([convs, plain])
    assert not convs(x).any()
    assert convs[0].weight.any()  # the norm was zeroed, not the convolution
    assert not plain(x).any()
    torch.testing.assert_close(residual.Residual(plain)(x), x)


@pytest.mark.parametrize("weights", [2, 3, 4])
def test_fixup_scales_all_but_the_last_weight(weights):
    made = branches(count=16, weights=weights)
    before = [layer.weight.clone() for layer in residual.branch_layers(made[3])]
    head = nn.Linear(16, 10)
    residual.fixup_(made, head)
    factor = 16 ** (-1 / (2 * weights - 2))
    *others, last = (layer.weight for layer in residual.branch_layers(made[3]))
    for old, new in zip(before[:-1], others, strict=True):
        torch.testing.assert_close(new, factor * old)
    assert not last.any()
    assert not made[3][-1].bias.any()
    assert made[3][0].bias.any()
    assert not head.weight.any()
    assert not head.bias.any()


def test_fixup_zeroes_the_last_layer_of_a_head_only():
    """With both layers of a head at 0, its weights would never get a gradient."""
    made, head = branches(), nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3))
    before = head[0].weight.detach().clone()
    residual.fixup_(made, head)
    assert torch.equal(head[0].weight, before)
    assert not any(p.any() for p in head[2].parameters())
    x = torch.randn(5, 16, generator=torch.Generator().manual_seed(0))
    (nn.Sequential(*map(residual.Residual, made), head)(x) - 1).square().sum().backward()
    assert head[2].weight.grad.any()


@pytest.mark.proves("residual-zero-head", kind="cause", effect="0 : > 0")
def test_a_zero_head_leaves_the_branches_without_gradient():
    """With a zero classifier the branches have no gradient in the first step, and one in the second."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(5, 16, generator=generator)
    for zero, moved in ((True, False), (False, True)):
        made = branches(count=3)
        head = nn.Linear(16, 10)
        residual.fixup_(made, head if zero else None)
        model = nn.Sequential(*map(residual.Residual, made), head)
        nn.functional.cross_entropy(model(x), torch.arange(5)).backward()
        assert bool(made[0][2].weight.grad.any()) is moved
        assert not made[0][0].weight.grad.any()
        assert head.weight.grad.any()
        torch.optim.SGD(model.parameters(), lr=0.1).step()
        model.zero_grad()
        nn.functional.cross_entropy(model(x), torch.arange(5)).backward()
        assert made[0][2].weight.grad.any()


@pytest.mark.proves("residual-dead", kind="cause", effect="0 : > 0")
def test_a_zeroed_branch_that_ends_in_relu_gets_no_gradient():
    """If a ReLU follows the zeroed last layer, no parameter of the branch gets a gradient."""
    x = torch.randn(8, 16, generator=torch.Generator().manual_seed(2))
    for end, learns in ((nn.ReLU(), False), (nn.Identity(), True)):
        for start in (residual.zero_branches_, residual.fixup_):
            made = [nn.Sequential(*branch, end) for branch in branches()]
            start(made)
            nn.Sequential(*map(residual.Residual, made))(x).square().sum().backward()
            for branch in made:
                assert any(p.grad.any() for p in branch.parameters()) is learns


def test_one_weight_cannot_be_scaled_but_is_zeroed():
    branch = nn.Linear(4, 4)
    residual.fixup_([branch])
    assert not branch.weight.any()
    with pytest.raises(ValueError, match=r"no weight. Received: ReLU\(\)"):
        residual.scale_branches_([nn.ReLU()])


def integers(layer):
    layer.weight = nn.Parameter(torch.ones(4, 4, dtype=torch.int8), requires_grad=False)
    return layer


UNSETTABLE = {
    "spectral_norm": lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(4, 4)),
    "old weight_norm": lambda: nn.utils.weight_norm(nn.Linear(4, 4)),
    "lazy": lambda: nn.LazyLinear(4),
    "meta": lambda: nn.Linear(4, 4, device="meta"),
    "integers": lambda: integers(nn.Linear(4, 4)),
}


@pytest.mark.proves(
    "residual-refuses", kind="call", range="5 layers, 3 functions", effect="0 weights changed"
)
@pytest.mark.parametrize("name", UNSETTABLE)
@pytest.mark.filterwarnings("ignore")
def test_what_cannot_be_set_is_refused_before_anything_has_changed(name):
    """Weights that cannot be set raise an error, and no other branch has changed."""
    functions = (residual.scale_branches_, residual.zero_branches_, residual.fixup_)
    for function in functions:
        good = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
        before = copy.deepcopy(good.state_dict())
        with pytest.raises(ValueError, match="Cannot set a weight"):
            function([good, nn.Sequential(nn.Linear(4, 4), UNSETTABLE[name]())])
        for key, value in good.state_dict().items():
            assert torch.equal(value, before[key])


def test_what_is_shown(values, printed):
    after = values("residual")["after"]
    assert after["zero"] == after["Fixup"] == pytest.approx(1)
    assert after["scaled"] == pytest.approx(values("residual")["predicted"], rel=0.1)
    assert 1.5 < after["scaled"] < 4 < 2**20 < after["as they are"]
    assert len(printed("residual").splitlines()) == 5
