"""What normalization leaves to the initialization."""

import math

import torch

from x0.initialization import normalization_limits as module


def test_the_last_layer_sets_the_initial_loss():
    values = module.demo()
    assert abs(values["loss_0_1"] - math.log(10)) < 0.05
    assert values["loss_10"] > 2 * math.log(10)


def test_eval_mode_before_training_does_not_normalize():
    values = module.demo()
    assert 0.1 < values["eval_1"] < 10
    assert values["eval_0_01"] < 1e-15
    model = module.network(5, 64).train()
    x = torch.randn(128, 64, generator=torch.Generator().manual_seed(1))
    assert 0.3 < float(model[:-1](x).detach().square().mean()) < 0.7


def test_constant_weights_stay_identical():
    assert module.demo()["units"] == 1
    h = torch.tensor([[1.0, 2.0, 1.0], [0.0, 3.0, 0.0]])
    assert module.distinct_units(h) == 2
