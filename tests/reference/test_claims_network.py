"""The repaired network of the sources: its layers say what the initialization does."""

import pytest
import torch
from torch import nn

from x0.reference import claims_network


@pytest.mark.claim("A-45")
def test_one_seed_gives_one_network_and_each_layer_reports() -> None:
    def draw(seed: int) -> claims_network.Network:
        generator = torch.Generator().manual_seed(seed)
        return claims_network.Network((8, 6, 4), nn.init.xavier_uniform_, generator)

    x = torch.ones(3, 8)
    one, again, other = draw(1)(x), draw(1)(x), draw(2)(x)
    assert [tuple(z.shape) for z in one] == [(3, 6), (3, 4)]
    assert all(torch.equal(a, b) for a, b in zip(one, again, strict=True))
    assert not torch.equal(one[0], other[0])
    # ReLU stands between the layers and is no module that every pass makes anew.
    network = draw(1)
    assert {type(module) for module in network.modules()} == {
        claims_network.Network,
        nn.ModuleList,
        nn.Linear,
    }
    last = network.layers[1]
    assert torch.equal(one[1], last(one[0].clamp(min=0)))
    assert not torch.equal(one[1], last(one[0]))


@pytest.mark.claim("A-45")
def test_the_reported_moments_are_those_of_theory(values) -> None:
    names = values("claims_network")
    for name, wrong in (("xavier", "kaiming"), ("kaiming", "xavier")):
        for layer in (0, 1, 2):
            mean, error = names["measured"][name][layer]
            theory = names["predicted"][name][layer]
            assert abs(mean - theory) < 4 * error
            assert error < 0.05 * theory
            assert abs(mean - names["predicted"][wrong][layer]) > 4 * error


def test_expected_moments_follow_from_the_variance_of_the_weights() -> None:
    n0, n1, n2, n3 = claims_network.WIDTHS
    q1 = n0 * 2 / (n0 + n1)
    q2 = n1 * 2 / (n1 + n2) * q1 / 2
    q3 = n2 * 2 / (n2 + n3) * q2 / 2
    assert claims_network.expected_moments((2, 1, 1)) == pytest.approx([q1, q2, q3])
    assert claims_network.expected_moments((1, 1, 0)) == [1, 0.5, 0.25]
