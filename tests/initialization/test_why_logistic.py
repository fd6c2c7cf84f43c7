from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from x0.initialization import why_logistic
from x0.initialization.why_logistic import RATES, SCALES, balanced_scale, settled_factor


@pytest.mark.proves(
    "why-logistic-crossing",
    kind="search",
    range="n·v 1e-3…1e5, 49 values, from q = 1e-3 and q = 1e5",
    effect="{val:why_logistic.scale:.1f}",
)
def test_the_factor_of_the_logistic_function_grows_and_is_one_once(values):
    """One factor for both gradients, growing with n·v; it is 1 at n·v = 103.0 and nowhere else."""
    scales = np.geomspace(1e-3, 1e5, 49)
    low, high = ([settled_factor(n_v, q) for n_v in scales] for q in (1e-3, 1e5))
    assert np.allclose(low, high, rtol=1e-9)  # one fixed point
    factor = np.array(low)[:, 1]
    assert np.all(np.diff(factor) > 0)
    scale = balanced_scale()
    assert settled_factor(scale)[1] == pytest.approx(1, abs=1e-9)
    assert np.all(factor[scales < scale] < 1)
    assert np.all(factor[scales > scale] > 1)
    left = values("why_logistic")
    assert left["scale"] == pytest.approx(scale, rel=1e-6)
    assert left["scale"] == pytest.approx(103.0, abs=0.05)
    assert left["gain"] ** 2 == pytest.approx(left["scale"])


def test_both_gradients_share_the_factor_at_the_fixed_point():
    from x0.initialization.why_cases import LOGISTIC, layer_ratios

    for n_v in (0.5, 16.0, 200.0):
        q, factor = settled_factor(n_v)
        again, d, g = layer_ratios(LOGISTIC, n_v, q)
        assert again == pytest.approx(q, rel=1e-6)
        assert d == pytest.approx(factor, rel=1e-5)
        assert g == pytest.approx(factor, rel=1e-5)


@pytest.mark.proves(
    "why-logistic-trains",
    kind="search",
    range="learning rate 0.01…1, 5 values",
    seeds=3,
    effect="{val:why_logistic.accuracy[1.0]:.2f} → {val:why_logistic.accuracy[16.0]:.2f}, {val:why_logistic.accuracy[103.0]:.2f}",
)
def test_n_v_one_learns_nothing_and_16_and_103_do(values):
    """n·v = 1 stays at guessing for each of five rates; 16 and 103 learn, each seed."""
    left = values("why_logistic")
    loss, accuracy = np.asarray(left["loss"]), np.asarray(left["right"])
    assert loss.shape == (len(SCALES), len(RATES), why_logistic.SEEDS)
    assert loss[0].min() > 2.29
    assert accuracy[0].max() < 0.13
    best = loss.mean(2).argmin(1)
    assert np.all((best[1:] > 0) & (best[1:] < len(RATES) - 1))  # not on the border
    assert accuracy[1, best[1]].min() > 0.75
    assert accuracy[2, best[2]].min() > 0.5
    assert loss[1, best[1]].max() < loss[2, best[2]].min()  # 16 trained better
    assert left["accuracy"][16.0] == pytest.approx(accuracy[1, best[1]].mean())


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="Received: n_v=0"):
        settled_factor(0)


def test_the_runs_are_those_of_single_networks(monkeypatch):
    """A few steps, network by network: PyTorch's layers, the losses that the history averages."""
    for name, value in (("SEEDS", 2), ("STEPS", 4), ("RATES", (0.01, 1.0))):
        monkeypatch.setattr(why_logistic, name, value)
    losses, accuracy = why_logistic.train_scales.__wrapped__()
    assert losses.shape == accuracy.shape == (3, 2, 2)
    generator = torch.Generator().manual_seed(why_logistic.SEED)
    images, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(images, dtype=torch.float32), torch.tensor(labels)
    x = (x - x[:-360].mean(0)) / x[:-360].std(0).clamp(min=1e-6)
    widths = [64] + [why_logistic.WIDTH] * (why_logistic.DEPTH - 1) + [10]
    draws = [torch.randn(2, m, n, generator=generator) for m, n in pairwise(widths)]
    size = (why_logistic.BATCH,)
    batches = [torch.randint(len(x) - 360, size, generator=generator) for _ in range(4)]
    for i, n_v in enumerate(SCALES):
        for j, rate in enumerate((0.01, 1.0)):
            for seed in range(2):
                layers = [nn.Linear(m, n) for m, n in pairwise(widths)]
                for layer, draw in zip(layers, draws, strict=True):
                    nn.init.zeros_(layer.bias)
                    layer.weight.data = (n_v / layer.in_features) ** 0.5 * draw[seed].T
                hidden = [part for layer in layers[:-1] for part in (layer, nn.Sigmoid())]
                model = nn.Sequential(*hidden, layers[-1])
                optimizer = torch.optim.SGD(
                    model.parameters(), rate, momentum=why_logistic.MOMENTUM
                )
                seen = []
                for rows in batches:
                    loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    seen.append(loss.item())
                assert losses[i, j, seed] == pytest.approx(np.mean(seen), rel=1e-3)
                share = (model(x[-360:]).argmax(-1) == y[-360:]).double().mean().item()
                assert accuracy[i, j, seed] == pytest.approx(share, abs=0.02)
