import pytest
import torch

from x0.initialization.symmetry_width_one import RATE, WIDTH, constant_weights, train_tanh


@pytest.mark.claim("A-71")
def test_constant_start_trains_like_one_unit_per_layer(values):
    left = values("symmetry_width_one")
    assert left["moved"] > 1
    assert left["difference"] < 1e-12
    assert left["same_rate_difference"] > 0.1  # the rates have to be converted
    assert max(left["ranks"]) == 1


def test_a_random_start_is_not_one_unit():
    generator = torch.Generator().manual_seed(0)
    weights = [
        w + 0.1 * torch.randn(w.shape, generator=generator, dtype=w.dtype)
        for w in constant_weights(WIDTH)
    ]
    _, final = train_tanh(weights, [RATE] * 3)
    assert int(torch.linalg.matrix_rank(final[1], rtol=1e-9)) > 1


def test_rates_are_checked():
    with pytest.raises(ValueError, match=r"Received: rates=\[0.1\]"):
        train_tanh(constant_weights(2), [0.1])
