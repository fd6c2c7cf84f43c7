"""The invariances of a weight before a normalization, and the effective learning rate."""

import re

import pytest
import torch
from torch import nn

from x0.initialization import normalization as module


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.proves("normalization-calls", kind="call", range="n = 1, 64")
def test_the_calls_of_the_table(table):
    """The eps of the PyTorch calls in the table is the one in their row."""
    rows = [row for row in table("initialization/normalization", "frameworks") if "torch" in row[1]]
    assert len(rows) == 2
    for _, calls, eps in rows:
        for call in re.findall("`([^`]+)`", calls):
            for n in (1, 64):
                assert eval(call, {"torch": torch, "n": n}).eps == float(eps)


@pytest.mark.claim("A-39")
@pytest.mark.parametrize("norm", [nn.BatchNorm1d(16, eps=1e-30), nn.LayerNorm(16, eps=1e-30)])
@pytest.mark.parametrize("a", [10, 0.01])
def test_scale_changes_the_gradient_and_not_the_loss(norm, a):
    found = module.identities(norm.double(), a)
    assert found["loss"] == pytest.approx(1, rel=1e-12)
    assert found["gradient"] == pytest.approx(1 / a, rel=1e-10)
    assert abs(found["cosine"]) < 1e-12
    plain = module.identities(nn.Identity(), a)  # the same test rejects no normalization
    assert abs(plain["loss"] - 1) > 0.1
    assert abs(plain["gradient"] * a - 1) > 0.5
    assert abs(plain["cosine"]) > 0.1


def test_batch_norm_ignores_the_scale_of_one_row_and_layer_norm_does_not():
    x = torch.randn(32, 8, generator=generator(), dtype=torch.float64)
    w = torch.randn(4, 8, generator=generator(1), dtype=torch.float64)
    row = w * torch.tensor([[5.0], [1], [1], [1]])
    for norm, same in ((nn.BatchNorm1d(4, eps=1e-30), True), (nn.LayerNorm(4, eps=1e-30), False)):
        norm = norm.double()
        assert torch.allclose(norm(x @ w.T), norm(x @ row.T)) == same
    # Layer normalization also ignores the scale of each sample.
    layer = nn.LayerNorm(4, eps=1e-30).double()
    scaled = x * torch.linspace(0.1, 9, 32, dtype=torch.float64)[:, None]
    assert torch.allclose(layer(x @ w.T), layer(scaled @ w.T))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.bn = nn.BatchNorm2d(4)
        self.plain = nn.Linear(64, 8)
        self.before = nn.Linear(8, 8)
        self.ln = nn.LayerNorm(8)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        h = self.bn(self.conv(x)).relu().mean(1).flatten(1)
        h = self.drop(self.plain(h)).relu()
        return self.head(self.ln(self.before(h) - self.before.bias))


def test_any_module_is_probed_and_left_as_it_is():
    model = Net().eval()
    for p in model.parameters():
        nn.init.normal_(p, 0.4, generator=generator(2))
    before = {k: v.clone() for k, v in model.state_dict().items()}
    x = torch.randn(32, 1, 8, 8, generator=generator(3))
    rates = module.effective_learning_rates(model, x, lr=0.5)
    assert list(rates) == ["conv.weight", "before.weight"]
    expected = 0.5 / float(model.conv.weight.detach().square().sum())
    assert rates["conv.weight"] == pytest.approx(expected, rel=1e-5)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert not model.training


@pytest.mark.proves(
    "normalization-which", kind="search", range="width 16…64, scales 1…10, 5 models", seeds=3
)
def test_which_weights_ignore_their_scale():
    """conv-BatchNorm and weight norm have free weights, QK-norm has q and k, pre- and post-norm none."""
    free = {
        "conv-BatchNorm": ["1.weight", "4.weight"],
        "pre-norm": [],
        "post-norm": [],
        "QK-norm": ["q.weight", "k.weight"],
        "weight norm": ["parametrizations.weight.original1"],
    }
    for width in (16, 32, 64):
        torch.manual_seed(width)
        x = torch.randn(8, width, width)
        for name, model in module.architectures(width).items():
            for scale in (1, 3, 10):
                with torch.no_grad():
                    for p in model.parameters():
                        p.mul_(scale if p.dim() > 1 else 1)
                found = module.effective_learning_rates(model, x, 0.1)
                assert list(found) == free[name], (name, width, scale)
                with torch.no_grad():
                    for p in model.parameters():
                        p.div_(scale if p.dim() > 1 else 1)


class Gated(nn.Module):
    """A residual block whose branch is multiplied by a gate, at first 0."""

    def __init__(self, gate):
        super().__init__()
        self.gate = nn.Parameter(torch.tensor(gate))
        self.free, self.bound = nn.Linear(8, 8, bias=False), nn.Linear(8, 8)

    def forward(self, x):
        return x + self.gate * self.bound(nn.functional.layer_norm(self.free(x), (8,)))


@pytest.mark.proves("normalization-hidden", kind="call", range="gate 0, 1; last layer 0")
def test_weights_without_an_effect_are_left_out():
    """Weights behind a gate or a last layer of 0 have no effect and are not returned."""
    torch.manual_seed(0)
    x = torch.randn(32, 8)
    assert list(module.effective_learning_rates(Gated(1.0), x, lr=0.1)) == ["free.weight"]
    assert module.effective_learning_rates(Gated(0.0), x, lr=0.1) == {}
    model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
    nn.init.zeros_(model[2].weight)
    assert module.effective_learning_rates(model, x, lr=0.1) == {}


def test_dropout_inside_other_layers_hides_nothing():
    class Model(nn.Module):
        def __init__(self, tail):
            super().__init__()
            self.free, self.norm = nn.Linear(16, 16, bias=False), nn.LayerNorm(16)
            self.tail = tail

        def forward(self, x):
            y = self.tail(self.norm(self.free(x)))
            return nn.functional.dropout(y[0] if isinstance(y, tuple) else y, 0.2)

    x = torch.randn(8, 10, 16, generator=generator())
    for tail in (
        nn.TransformerEncoderLayer(16, 2, 32, dropout=0.1, batch_first=True),
        nn.LSTM(16, 16, 2, dropout=0.1, batch_first=True),
    ):
        model, state = Model(tail), torch.get_rng_state()
        assert list(module.effective_learning_rates(model, x, lr=0.1)) == ["free.weight"]
        assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.proves("normalization-lists", kind="call", range="5 seeds")
def test_a_bias_before_layer_norm_ties_the_scale_down():
    """Of the model of the exercise 0.weight is free and no other; without the bias 3.weight too."""
    for seed in range(5):
        for bias, free in ((True, ["0.weight"]), (False, ["0.weight", "3.weight"])):
            torch.manual_seed(seed)
            model = nn.Sequential(
                *(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.ReLU()),
                *(nn.Linear(8, 8, bias=bias), nn.LayerNorm(8), nn.ReLU()),
                nn.Linear(8, 2),
            )
            found = module.effective_learning_rates(model, torch.randn(32, 8), lr=0.1)
            assert list(found) == free


@pytest.mark.proves("normalization-bias", kind="fact", range="b = 10⁻³…10³")
def test_batch_norm_subtracts_a_bias_and_layer_norm_only_its_mean():
    """A bias before BatchNorm has no effect; before LayerNorm it has one."""
    z = torch.randn(32, 4, generator=generator(), dtype=torch.float64)
    b = torch.randn(4, generator=generator(1), dtype=torch.float64)
    for size in (1e-3, 1, 1e3):
        for norm, same in ((nn.BatchNorm1d(4), True), (nn.LayerNorm(4), False)):
            norm = norm.double()
            assert torch.allclose(norm(z), norm(z + size * b), atol=1e-6) == same
    layer = nn.LayerNorm(4).double()
    assert torch.allclose(layer(z), layer(z + 3))


@pytest.mark.proves("normalization-restored", kind="call", range="a = 0.1, 10")
@pytest.mark.parametrize("a", [0.1, 10])
def test_a_rescaled_weight_keeps_the_output_in_training_mode_only(a):
    """A rescaled weight before BatchNorm keeps the output in training mode and changes it in eval()."""
    net = nn.Sequential(nn.Linear(8, 4, bias=False), nn.BatchNorm1d(4))
    x = torch.randn(64, 8, generator=generator(4))
    for _ in range(100):  # the statistics settle
        net(x)
    before = [net.train(mode)(x).detach() for mode in (True, False)]
    with torch.no_grad():
        net[0].weight *= a
    after = [net.train(mode)(x).detach() for mode in (False, True)][::-1]
    gaps = [float((y - z).norm() / y.norm()) for y, z in zip(before, after, strict=True)]
    assert gaps[0] < 0.01
    assert gaps[1] > 0.5


def test_the_rate_of_adam_is_over_the_length():
    net = nn.Sequential(nn.Linear(8, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    x = torch.randn(32, 8, generator=generator(3))
    found = module.effective_learning_rates(net, x, 0.1, optimizer="adam")
    assert found["0.weight"] == pytest.approx(0.1 / net[0].weight.detach().norm().item(), rel=1e-5)
    with pytest.raises(ValueError, match="Received: optimizer='lion'"):
        module.effective_learning_rates(net, x, 0.1, optimizer="lion")


def test_errors():
    with pytest.raises(ValueError, match="Received: lr=0"):
        module.effective_learning_rates(nn.Linear(2, 2), torch.zeros(1, 2), lr=0)


def test_eps_ends_the_invariance(values):
    small = values("normalization")["small"]
    gaps = [abs(small[std]["loss"] - 1) for std in (0.1, 0.01, 0.001)]
    assert gaps[0] < 0.001 < gaps[1] < 0.1 < gaps[2]


def test_what_is_shown(values):
    left = values("normalization")
    rates, ratios = left["rates"], left["ratios"]
    assert list(rates[0.1]) == ["0.weight"]
    quotient = rates[0.01]["0.weight"] / rates[0.1]["0.weight"]
    assert quotient == pytest.approx(100, rel=0.2)
    for norm in ("BatchNorm", "LayerNorm"):
        assert ratios[norm]["loss"] == pytest.approx(1, abs=1e-4)
        assert ratios[norm]["gradient"] == pytest.approx(0.1, abs=1e-4)
    assert ratios["none"]["loss"] > 2


@pytest.mark.proves("normalization-eps", kind="call")
def test_eps_zero_is_an_error_for_batch_norm_only():
    """BatchNorm1d(n, eps=0) raises in training mode; LayerNorm(n, eps=0) works."""
    x = torch.randn(4, 3, generator=generator())
    with pytest.raises(ValueError, match="eps"):
        nn.BatchNorm1d(3, eps=0)(x)
    assert nn.LayerNorm(3, eps=0)(x).isfinite().all()
    assert (nn.BatchNorm1d(3).eps, nn.LayerNorm(3).eps, nn.BatchNorm1d(3).momentum) == (
        1e-5,
        1e-5,
        0.1,
    )
