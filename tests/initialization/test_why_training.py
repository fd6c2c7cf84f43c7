from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from x0.initialization import why_training
from x0.initialization.why_training import SEEDS, steps_to


@pytest.mark.claim("A-05")
@pytest.mark.proves(
    "why-faster",
    kind="ratio",
    seeds=20,
    range="{val:why_training.lowest:.1f}…{val:why_training.highest:.1f}",
    effect="{val:why_training.ratio:.1f}",
)
def test_he_gets_there_sooner_with_every_seed(values):
    """To bring the loss below 1, Xavier takes 2.5 ± 0.1 times the steps of He."""
    left = values("why_training")
    he, xavier = np.asarray(left["steps"])
    assert np.all(np.isfinite(xavier))
    times = xavier / he
    assert len(times) == SEEDS == 20
    mean, error = left["ratio"]
    assert times.mean() == pytest.approx(mean, abs=4 * error)
    assert 2 < mean < 3
    assert error < 0.05 * mean
    assert 1.2 < times.min() < times.max() < 4


@pytest.mark.claim("A-07")
@pytest.mark.proves(
    "why-lead",
    kind="ratio",
    seeds=20,
    power="80 % for a gap of 0.015",
    effect="{val:why_training.early_gap:.3f} → {val:why_training.gap:.3f}",
)
def test_the_lead_in_accuracy_melts_away(values):
    """He leads after 400 steps by more than 2 SE; after 800 the difference is below 2 SE."""
    left = values("why_training")
    assert np.asarray(left["final"]).mean(-1).max() < 0.03  # both have converged
    early, late = left["early_gap"], left["gap"]
    assert early[0] > 2 * early[1]
    assert abs(late[0]) < 2 * late[1]
    assert late[1] < 0.015 / 2.8  # what 80 % power needs
    assert np.asarray(left["accuracy"])[-1].mean(1).min() > 0.85


def test_steps_to():
    losses = np.array([[3.0] * 10 + [0.5] * 10, [3.0] * 20])
    assert steps_to(losses, 1.0).tolist() == [19.0, np.inf]


def test_the_runs_are_those_of_single_networks(monkeypatch):
    """A few steps of two seeds, network by network, with PyTorch's own layers and optimizer."""
    for name, value in (("SEEDS", 2), ("STEPS", 6), ("HALF", 3)):
        monkeypatch.setattr(why_training, name, value)
    losses, accuracy = why_training.train_both.__wrapped__()
    generator = torch.Generator().manual_seed(why_training.SEED)
    images, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(images, dtype=torch.float32), torch.tensor(labels)
    kept = x[: -why_training.TEST]
    x = (x - kept.mean(0)) / kept.std(0).clamp(min=1e-6)
    widths = [64] + [why_training.WIDTH] * (why_training.DEPTH - 1) + [10]
    draws = [torch.randn(2, m, n, generator=generator) for m, n in pairwise(widths)]
    batches = [
        torch.randint(len(kept), (2, why_training.BATCH), generator=generator) for _ in range(6)
    ]
    for rule in range(2):
        for seed in range(2):
            layers = [nn.Linear(m, n) for m, n in pairwise(widths)]
            for layer, draw in zip(layers, draws, strict=True):
                nn.init.zeros_(layer.bias)
                m, n = layer.in_features, layer.out_features
                layer.weight.data = (2 / (m, m + n)[rule]) ** 0.5 * draw[seed].T
            hidden = [part for layer in layers[:-1] for part in (layer, nn.ReLU())]
            model = nn.Sequential(*hidden, layers[-1])
            optimizer = torch.optim.SGD(
                model.parameters(), why_training.RATE, momentum=why_training.MOMENTUM
            )
            for step, rows in enumerate(batches):
                loss = nn.functional.cross_entropy(model(x[rows[seed]]), y[rows[seed]])
                assert losses[rule, seed, step] == pytest.approx(loss.item(), rel=1e-4)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                if step in (2, 5):
                    guess = model(x[-why_training.TEST :]).argmax(-1)
                    share = (guess == y[-why_training.TEST :]).double().mean().item()
                    assert accuracy[step // 3, rule, seed] == pytest.approx(share, abs=0.006)
