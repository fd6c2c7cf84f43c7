"""What to_empty loses: values, ties, buffers, parameters without a module of their own."""

import pytest
import torch
from torch import nn

from x0.initialization import frameworks_meta as meta


def on_meta(build):
    with torch.device("meta"):
        return build()


def test_names_what_no_layer_sets():
    model = on_meta(meta.TiedModel)
    assert meta.materialize_(model) == ["token", "positions"]
    assert bool(model.token.isnan().all())
    assert bool(model.positions.isnan().all())


def test_to_empty_breaks_the_tie():
    model = on_meta(meta.TiedModel)
    assert model.head.weight is model.embedding.weight
    meta.materialize_(model)
    assert model.head.weight is not model.embedding.weight
    # Each got the default of its own layer.
    assert float(model.embedding.weight.detach().std()) == pytest.approx(1, rel=0.05)
    assert float(model.head.weight.detach().abs().max()) <= 0.25


def test_initializers_on_meta_do_nothing_and_say_nothing():
    weight = torch.empty(4, 4, device="meta")
    assert nn.init.normal_(weight).is_meta
    assert nn.init.trunc_normal_(weight).is_meta


def test_attention_has_only_a_private_reset():
    layer = nn.MultiheadAttention(16, 4)
    assert not hasattr(layer, "reset_parameters")
    assert hasattr(layer, "_reset_parameters")


def test_the_order_of_the_resets_matters():
    layer = on_meta(lambda: nn.MultiheadAttention(16, 4))
    assert meta.materialize_(layer) == []
    assert not layer.out_proj.bias.detach().any()  # as constructed
    for module in layer.modules():  # parents first
        for name in ("reset_parameters", "_reset_parameters"):
            if hasattr(module, name):
                getattr(module, name)()
    assert bool(layer.out_proj.bias.detach().any())


def test_the_laws_are_those_of_the_constructor():
    build = lambda: nn.Sequential(  # noqa: E731
        nn.Linear(64, 64), nn.LayerNorm(64), nn.BatchNorm1d(64), nn.GRU(64, 64)
    )
    torch.manual_seed(0)
    real, model = build(), on_meta(build)
    assert meta.materialize_(model) == []
    for (name, ours), theirs in zip(model.named_parameters(), real.parameters(), strict=True):
        expected = float(theirs.detach().std())
        assert float(ours.detach().std()) == pytest.approx(expected, rel=0.2), name
    assert bool((model[2].running_var == 1).all())


def test_values():
    values = meta.demo()
    assert values["left"] == 2
    assert values["embedding"] > 5 * values["head"]
