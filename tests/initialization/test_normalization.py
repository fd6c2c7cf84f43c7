"""The invariances of a weight before a normalization, and the effective learning rate."""

import pytest
import torch
from torch import nn

from x0.initialization import normalization as module


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


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


def test_errors():
    with pytest.raises(ValueError, match="Received: lr=0"):
        module.effective_learning_rates(nn.Linear(2, 2), torch.zeros(1, 2), lr=0)


def test_eps_ends_the_invariance():
    values = module.demo()
    gaps = [abs(values[f"eps_1e_0{k}"] - 1) for k in (1, 2, 3)]
    assert gaps[0] < 0.001 < gaps[1] < 0.1 < gaps[2]


def test_demo():
    values = module.demo()
    assert values["rate_1e_02"] / values["rate_1e_01"] == pytest.approx(100, rel=0.2)
    for norm in ("batchnorm", "layernorm"):
        assert values[f"loss_{norm}"] == pytest.approx(1, abs=1e-4)
        assert values[f"gradient_{norm}"] == pytest.approx(0.1, abs=1e-4)
    assert values["loss_none"] > 2


def test_eps_zero_is_an_error_for_batch_norm_only():
    x = torch.randn(4, 3, generator=generator())
    with pytest.raises(ValueError, match="eps"):
        nn.BatchNorm1d(3, eps=0)(x)
    assert nn.LayerNorm(3, eps=0)(x).isfinite().all()
    assert (nn.BatchNorm1d(3).eps, nn.LayerNorm(3).eps, nn.BatchNorm1d(3).momentum) == (
        1e-5,
        1e-5,
        0.1,
    )
