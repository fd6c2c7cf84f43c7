"""What model.apply misses, each case with a test that a new PyTorch could break."""

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from x0.initialization import frameworks_apply as apply


@pytest.mark.proves("frameworks-untouched", kind="call", range="9 parameters")
def test_misses_what_has_no_type_of_its_own():
    """untouched finds parameters without a type, in_proj_weight, recurrent and parametrized ones."""
    missed = apply.untouched(apply.Model(), apply.common)
    assert "token" in missed
    assert {"attention.in_proj_weight", "attention.in_proj_bias"} <= set(missed)
    assert {name for name in missed if name.startswith("memory")} == {
        "memory.weight_ih_l0",
        "memory.weight_hh_l0",
        "memory.bias_ih_l0",
        "memory.bias_hh_l0",
    }
    reached = {name for name, _ in apply.Model().named_parameters()} - set(missed)
    assert {"head.weight", "embedding.weight", "attention.out_proj.weight"} <= reached


def test_the_model_stays_as_it_is():
    model = apply.Model()
    before = [p.detach().clone() for p in model.parameters()]
    apply.untouched(model, apply.common)
    for old, new in zip(before, model.parameters(), strict=True):
        assert torch.equal(old, new)


@pytest.mark.proves("frameworks-parametrized", kind="call")
def test_weight_norm_ignores_the_initializer_silently():
    """After weight_norm an initializer fills a temporary tensor, without an error."""
    layer = weight_norm(nn.Linear(8, 8))
    assert isinstance(layer, nn.Linear)
    before = layer.weight.detach().clone()
    nn.init.zeros_(layer.weight)
    assert torch.equal(layer.weight, before)


def test_out_proj_is_a_linear_of_another_type():
    out_proj = nn.MultiheadAttention(16, 4).out_proj
    assert isinstance(out_proj, nn.Linear)
    assert type(out_proj) is not nn.Linear


@pytest.mark.proves("frameworks-last", kind="call")
def test_a_tied_weight_is_drawn_twice_and_the_last_one_wins():
    """model.apply initializes tied weights twice, and the last one counts."""
    order = []
    model = nn.Sequential(nn.Embedding(50, 16), nn.Linear(16, 50, bias=False))
    model[1].weight = model[0].weight

    def visit(module):
        order.append(type(module).__name__)
        if hasattr(module, "weight"):
            nn.init.constant_(module.weight, len(order))

    model.apply(visit)
    assert order == ["Embedding", "Linear", "Sequential"]  # children before parents
    assert bool((model[0].weight == 2).all())


def test_a_lazy_layer_has_nothing_to_fill():
    layer = nn.LazyLinear(8)
    assert isinstance(layer, nn.Linear)
    with pytest.raises(ValueError, match="uninitialized parameter"):
        nn.init.zeros_(layer.weight)


def test_encoder_layers_are_copies_and_transformer_layers_are_not():
    first, last = apply.encoder_copies()
    assert torch.equal(first, last)
    layers = nn.Transformer(16, 4, 2, 2, 32, batch_first=True).encoder.layers
    assert not torch.equal(layers[0].linear1.weight, layers[1].linear1.weight)
    # … but only the matrices: the biases are still copies.
    assert torch.equal(layers[0].linear1.bias, layers[1].linear1.bias)


def test_rejects_a_model_without_parameters():
    with pytest.raises(ValueError, match="no parameters"):
        apply.untouched(nn.ReLU(), apply.common)


def test_nine_are_missed():
    model = apply.Model()
    assert len(apply.untouched(model, apply.common)) == 9 < len(list(model.parameters()))
