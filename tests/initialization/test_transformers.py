"""init_transformer_ on modules of PyTorch and of our own naming."""

import math

import pytest
import torch
from torch import nn

from x0.initialization import transformers


def encoder(depth=3, **options):
    layer = nn.TransformerEncoderLayer(128, 4, 512, batch_first=True, norm_first=True, **options)
    return nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)


@pytest.mark.claim("A-48")
def test_residual_weights_are_smaller_by_root_2d():
    model = encoder(depth=8)
    transformers.init_transformer_(model, 8, generator=torch.Generator().manual_seed(0))
    weights = dict(model.named_parameters())
    scaled = ["self_attn.out_proj", "linear2"]
    for name, parameter in weights.items():
        if parameter.dim() > 1:
            expected = 0.02 / 4 if any(s in name for s in scaled) else 0.02
            error = expected / math.sqrt(2 * parameter.numel())
            assert abs(parameter.std().item() - expected) < 5 * error
    # What makes an LSTM forget is another rule: the bias of its forget gate.
    kept = torch.sigmoid(torch.tensor([0.0, 1.0], dtype=torch.float64)) ** 50
    assert kept[0] < 1e-15
    assert kept[1] > 1e-7


def test_biases_and_norms():
    model = encoder()
    for parameter in model.parameters():
        parameter.data.fill_(7)
    transformers.init_transformer_(model, 3)
    block = model.layers[1]
    assert not block.self_attn.in_proj_bias.any()
    assert not block.linear1.bias.any()
    assert not block.norm1.bias.any()
    assert bool((block.norm1.weight == 1).all())


@pytest.mark.proves("transformers-post", kind="call")
def test_pytorch_default_is_post_norm():
    """nn.TransformerEncoderLayer is post-norm by default."""
    layer = nn.TransformerEncoderLayer(8, 2, dropout=0.0, batch_first=True).eval()
    y = layer(torch.randn(4, 6, 8, generator=torch.Generator().manual_seed(0)))
    assert layer.norm_first is False
    torch.testing.assert_close(y.mean(-1), torch.zeros(4, 6), atol=1e-5, rtol=0)


def test_a_seed_fixes_the_result_and_another_name_is_an_error():
    first, second = encoder(), encoder()
    for model in (first, second):
        transformers.init_transformer_(model, 3, generator=torch.Generator().manual_seed(4))
    torch.testing.assert_close(first.layers[0].linear1.weight, second.layers[0].linear1.weight)
    with pytest.raises(ValueError, match="Expected 6 residual weights, found 0"):
        transformers.init_transformer_(first, 3, residual=("down",))
    with pytest.raises(ValueError, match="Expected 8 residual weights, found 6"):
        transformers.init_transformer_(first, 4)


@pytest.mark.proves("transformers-count", kind="call", range="depth 1, 2, 4, 100 for 3 blocks")
def test_a_wrong_count_changes_nothing():
    """If the number of residual weights is not twice the depth, the model is not changed."""
    model = encoder()
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    for depth in (1, 2, 4, 100):
        with pytest.raises(ValueError, match="residual weights, found 6"):
            transformers.init_transformer_(model, depth)
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, before[name])


def test_standard_deviations_of_one_block(values, printed):
    std = values("transformers")["std"]
    assert std["linear2.weight"] == pytest.approx(0.02 / math.sqrt(24), rel=0.02)
    assert len(printed("transformers").splitlines()) == 4
