"""Under Adam a w with the rate a * lr trains like w with lr."""

from itertools import pairwise

import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from x0.initialization import normalization_adam as module


@pytest.mark.proves(
    "normalization-adam", kind="fact", range="a = 0.1, 1, 10; 80 steps", seeds=20, tolerance="1 %"
)
def test_the_factor_of_the_rate_is_a_and_not_its_square():
    """Under Adam a w with a lr runs like w, with lr or a^2 lr it does not; steps are not orthogonal to w."""
    same = module.adam_losses(1)
    assert torch.allclose(same, same[:, 1:2].expand_as(same), rtol=0.01, atol=1e-3)
    for power in (0, 2):
        other = module.adam_losses(power)[-20:].mean(0)
        for i in (0, 2):
            difference = other[i] - other[1]
            error = difference.std() / 20**0.5
            assert abs(difference.mean()) > 10 * error
    found = []
    for seed in range(20):
        generator = torch.Generator().manual_seed(seed)
        x = torch.randn(64, 8, generator=generator).double()
        w = torch.randn(8, 1, generator=generator).double().requires_grad_()
        z = x @ w
        y = (z - z.mean()) / (z - z.mean()).square().mean().sqrt()
        (g,) = torch.autograd.grad((y * x[:, :1]).sum(), w)
        v = w.detach()
        found.append([float((v * s).sum() / v.norm() / s.norm()) for s in (g, g.sign())])
    sgd, adam = torch.tensor(found).square().mean(0).sqrt()
    assert sgd < 1e-12 < 0.1 < adam


def test_what_is_shown(values, printed):
    losses = values("normalization_adam")["losses"]
    assert abs(losses[1, 10.0][0] / losses[1, 1.0][0] - 1) < 0.01
    assert losses[2, 10.0][0] < losses[1, 10.0][0] < losses[0, 10.0][0]
    assert len(printed("normalization_adam").splitlines()) == 4


@pytest.mark.parametrize("power", [0, 1])
def test_the_runs_are_those_of_batch_norm_and_torch_adam(power):
    """The first and the last network of each scale, trained again with PyTorch's own parts."""
    generator = torch.Generator().manual_seed(module.SEED)
    digits = load_digits()
    x = torch.tensor(digits.data / 8 - 1).float()
    y = torch.tensor(digits.target)
    sizes = (64, module.WIDTH, module.WIDTH, 10)
    draws = [
        torch.randn(module.REPEATS, n, m, generator=generator) / n**0.5 for n, m in pairwise(sizes)
    ]
    batches = [
        torch.randint(len(x), (module.BATCH,), generator=generator) for _ in range(module.STEPS)
    ]
    for i, a in enumerate(module.SCALES):
        for repeat in (0, module.REPEATS - 1):
            layers = [nn.Linear(n, m, bias=False) for n, m in pairwise(sizes)]
            with torch.no_grad():
                for layer, w, factor in zip(layers, draws, (a, a, 1), strict=True):
                    layer.weight.copy_(factor * w[repeat].T)
            norms = [nn.BatchNorm1d(module.WIDTH, eps=1e-12, affine=False) for _ in range(2)]
            parts = [layers[0], norms[0], nn.ReLU(), layers[1], norms[1], nn.ReLU(), layers[2]]
            model = nn.Sequential(*parts)
            rates = (module.LR * a**power, module.LR * a**power, module.LR)
            groups = [
                {"params": layer.parameters(), "lr": rate}
                for layer, rate in zip(layers, rates, strict=True)
            ]
            optimizer = torch.optim.Adam(groups)
            expected = []
            for index in batches:
                loss = nn.functional.cross_entropy(model(x[index]), y[index])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                expected.append(loss.item())
            losses = module.adam_losses(power)[:, i, repeat].tolist()
            # Later, rounding parts the two runs.
            assert losses[:50] == pytest.approx(expected[:50], rel=0.02, abs=2e-3)
