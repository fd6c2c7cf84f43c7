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


@pytest.mark.proves("frameworks-ties", kind="call")
def test_a_shared_weight_stays_shared():
    """to_empty takes shared weights apart; materialize_ keeps them, with the first module's draw."""
    plain, model = on_meta(meta.TiedModel), on_meta(meta.TiedModel)
    assert plain.head.weight is plain.embedding.weight
    plain.to_empty(device="cpu")
    assert plain.head.weight is not plain.embedding.weight
    meta.materialize_(model)
    assert model.head.weight is model.embedding.weight
    assert float(model.embedding.weight.detach().std()) == pytest.approx(1, rel=0.05)
    # The other order, and a whole module that stands in two places.
    model = on_meta(lambda: nn.Sequential(nn.Linear(40, 40, bias=False), nn.Embedding(40, 40)))
    model[1].weight = model[0].weight
    assert meta.materialize_(model) == []
    assert model[1].weight is model[0].weight
    assert float(model[0].weight.detach().abs().max()) <= 40**-0.5
    model = on_meta(lambda: nn.Sequential(*[nn.Linear(3, 3)] * 2))
    assert meta.materialize_(model) == []
    assert model[0] is model[1]


@pytest.mark.proves("frameworks-meta", kind="call", range="12 functions of torch.nn.init")
def test_initializers_on_meta_do_nothing_and_say_nothing():
    """Initializers called on the meta device raise no error and do nothing."""
    weight = torch.empty(4, 4, device="meta")
    names = "normal_ trunc_normal_ uniform_ zeros_ ones_ eye_ xavier_uniform_ xavier_normal_"
    for name in f"{names} kaiming_uniform_ kaiming_normal_ orthogonal_".split():
        assert getattr(nn.init, name)(weight).is_meta, name
    assert nn.init.constant_(weight, 1.0).is_meta


def test_attention_has_only_a_private_reset():
    layer = nn.MultiheadAttention(16, 4)
    assert not hasattr(layer, "reset_parameters")
    assert hasattr(layer, "_reset_parameters")


@pytest.mark.proves("frameworks-reset", kind="cause", effect="0 : ≠ 0")
def test_the_order_of_the_resets_matters():
    """The reset of MultiheadAttention after that of out_proj leaves its bias zero; before it does not."""
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


@pytest.mark.proves("frameworks-skip", kind="call")
def test_skip_init_draws_nothing():
    """skip_init constructs a layer with numbers, on the CPU, and draws none of them."""
    before = torch.get_rng_state()
    layer = nn.utils.skip_init(nn.Linear, 5, 3)
    assert torch.equal(before, torch.get_rng_state())
    assert layer.weight.device.type == "cpu"
    assert layer.weight.shape == (3, 5)


class Buffers(nn.Module):
    """Buffers of all kinds that no method fills."""

    def __init__(self):
        super().__init__()
        for name, dtype in KINDS.items():
            self.register_buffer(name, torch.ones(3, dtype=dtype))


KINDS = {"real": torch.float16, "pair": torch.complex64, "count": torch.int32, "mask": torch.bool}


def test_what_is_forgotten_cannot_pass_for_a_value():
    """Real and complex numbers are NaN, integers the least there is, booleans False."""
    model = on_meta(Buffers)
    assert meta.materialize_(model) == list(KINDS)
    assert bool(model.real.isnan().all())
    assert bool(model.pair.isnan().all())
    assert model.count.tolist() == [-(2**31)] * 3
    assert model.mask.tolist() == [False] * 3
