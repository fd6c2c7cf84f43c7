"""What normalization leaves to the initialization."""

import math

import torch

from x0.initialization import normalization_limits as module


def test_the_last_layer_sets_the_initial_loss(values):
    losses = values("normalization_limits")["losses"]
    assert abs(losses[0.1] - math.log(10)) < 0.05
    assert losses[10.0] > 2 * math.log(10)


def test_eval_mode_before_training_does_not_normalize(values):
    sizes = values("normalization_limits")["sizes"]
    assert 0.1 < sizes[1.0] < 10
    assert sizes[0.01] < 1e-15
    model = module.network(5, 64).train()
    x = torch.randn(128, 64, generator=torch.Generator().manual_seed(1))
    assert 0.3 < float(model[:-1](x).detach().square().mean()) < 0.7


def test_constant_weights_stay_identical(values):
    assert values("normalization_limits")["units"] == 1
    h = torch.tensor([[1.0, 2.0, 1.0], [0.0, 3.0, 0.0]])
    assert module.distinct_units(h) == 2
