"""Embeddings, borders and a generator."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from x0.initialization import biases_layers


def test_a_lookup_has_one_term():
    assert biases_layers.lookup(5000, 64, "normal_") == pytest.approx(1, rel=0.02)
    theory = 2 / (5000 + 64)  # Xavier reads the vocabulary as a fan
    assert biases_layers.lookup(5000, 64, "xavier_normal_") == pytest.approx(theory, rel=0.02)


def test_rejects_an_unknown_initializer():
    with pytest.raises(ValueError, match="Received: initialize='he_'"):
        biases_layers.lookup(10, 4, "he_")


@pytest.mark.parametrize("side", [4, 8, 32])
def test_border(side):
    theory = (1 - 2 / (3 * side)) ** 2
    assert biases_layers.border_share(side) == pytest.approx(theory, rel=1e-5)
    layer = nn.Conv2d(64, 64, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(16, 64, side, side, generator=generator)
    measured = float((layer(x).detach().square().mean()) / x.square().mean())
    assert measured == pytest.approx(theory, rel=0.1)


@pytest.mark.proves(
    "biases-border", kind="fact", range="8×8, 24 ReLU layers", effect="0.84, then nearer to 1"
)
def test_the_border_costs_less_in_each_further_layer_but_adds_up():
    """On 8×8 images the share that a layer leaves rises from 0.84 on; of 24 layers little is left."""
    count = torch.ones(1, 1, 3, 3, dtype=torch.float64) / 9  # q is linear in the q below
    q = [torch.ones(1, 1, 8, 8, dtype=torch.float64)]
    for _ in range(24):
        q.append(nn.functional.conv2d(q[-1], count, padding=1))
    means = [float(x.mean()) for x in q]
    shares = [after / before for before, after in pairwise(means)]
    assert shares[0] == pytest.approx(biases_layers.border_share(8))
    assert all(later > earlier for earlier, later in pairwise(shares))
    assert shares[-1] > 0.91 > 0.2 > means[-1] > 3 * shares[0] ** 24
    # Real layers follow: ReLU halves q wherever it is, and He's variance makes up for it.
    generator = torch.Generator().manual_seed(1)
    found = []
    for _ in range(20):
        h = torch.randn(4, 64, 8, 8, generator=generator)
        for layer in range(4):
            w = torch.randn(64, 64, 3, 3, generator=generator)
            z = nn.functional.conv2d(h, w * ((2 if layer else 1) / 576) ** 0.5, padding=1)
            h = z.relu()
        found.append(float(z.square().mean()))
    error = torch.tensor(found).std() / 20**0.5
    assert abs(sum(found) / 20 - means[4]) < 4 * error < 0.2 * means[4]


@pytest.mark.claim("A-50")
@pytest.mark.proves("biases-dcgan", kind="cause", effect="> 10⁻² : < 10⁻⁴")
def test_a_generator_with_the_std_of_the_paper_needs_its_normalization():
    """With 0.02 the output of DCGAN's generator keeps its size with BatchNorm and vanishes without."""
    predicted, measured = biases_layers.generator_moments(0.02, 16)
    for theory, q in zip(predicted, measured, strict=True):
        assert 0.5 < q / theory < 2
    assert measured[-1] < 1e-4
    h = torch.randn(16, 100, 1, 1, generator=torch.Generator().manual_seed(0))
    for i, (c_in, c_out) in enumerate(((100, 512), (512, 256), (256, 128), (128, 64), (64, 3))):
        stride, padding = (1, 0) if i == 0 else (2, 1)
        layer = nn.ConvTranspose2d(c_in, c_out, 4, stride, padding, bias=False)
        nn.init.normal_(layer.weight, 0, 0.02)
        h = layer(h).detach()
        if i < 4:
            h = nn.functional.batch_norm(h, None, None, training=True).relu()
    assert 0.01 < float(h.square().mean()) < 1  # with BatchNorm


def test_values(values):
    found = values("biases_layers")
    theory = 100 * 0.02**2 * math.prod(c * 4 * 0.02**2 / 2 for c in (512, 256, 128, 64))
    assert found["predicted"][-1] == pytest.approx(theory)
    assert found["border"][8] == pytest.approx((11 / 12) ** 2)
