"""Figure biases-relu-units: what a positive bias does to the units of a ReLU network."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.datasets import load_digits

from x0.initialization import biases_relu


@pytest.fixture(scope="module")
def units():
    return biases_relu.units()


def test_active_units_of_the_first_layer(units):
    generator = torch.Generator().manual_seed(3)
    z = torch.randn(200, 256, 64, generator=generator).mean(2) * 8 * math.sqrt(2)
    for i, b in enumerate(biases_relu.BIASES):
        theory = stats.norm.cdf(b / math.sqrt(2))
        share = (z + b > 0).float().mean(1)
        error = float(share.std()) / math.sqrt(len(share))
        assert abs(float(share.mean()) - theory) < 4 * error < 0.2 * theory
        assert float(units["active"][i, 0].mean()) == pytest.approx(theory, abs=0.005)
    assert float(units["active"][2, 0].mean()) < 0.54  # b = 0.1 wakes 3 %, not all
    _, share = biases_relu.biased_map(0.1, biases_relu.DEPTH)
    assert share[-1] - 0.5 < 0.4 * (share[0] - 0.5)  # less than 0.4 of it is left in the last layer


def test_the_map_is_an_integral():
    s, active = biases_relu.biased_map(0.5, 2)
    z = stats.norm(0.5, math.sqrt(2))
    moment = z.expect(lambda t: t**2, lb=0)
    assert s[1] == pytest.approx(2 * moment, rel=1e-6)
    assert active[0] == pytest.approx(z.sf(0))


@pytest.mark.proves(
    "biases-square", kind="fact", range="b = 0.1, 1; layers 2000…4000", tolerance="slope ± 0.05"
)
def test_s_grows_like_the_square_of_the_depth():
    """s grows with the square of the depth, and b divided by its root goes to zero."""
    for b in (0.1, 1.0):
        s, _ = biases_relu.biased_map(b, 4000)
        slope = math.log(s[3999] / s[1999]) / math.log(2)
        assert slope == pytest.approx(2, abs=0.05)
        assert b / math.sqrt(s[3999]) < 1e-3
    assert biases_relu.biased_map(0.0, 30)[0] == pytest.approx(2.0)


@pytest.mark.proves(
    "biases-parallel",
    kind="cause",
    range="b = 0, 1; width 256, 64 inputs",
    seeds=20,
    effect='{val:biases_relu.last["dead", 0.0]:.2f} : 0',
)
def test_dead_units_come_from_parallel_inputs(units):
    """On parallel inputs half of the units are off; on independent ones the same weights leave none."""
    generator = torch.Generator().manual_seed(5)
    n, inputs = biases_relu.WIDTH, biases_relu.INPUTS
    w = torch.randn(20, n, n, generator=generator) * math.sqrt(2 / n)
    h = torch.randn(n, inputs, generator=generator)
    dead = {}
    for name, x in {"apart": h, "parallel": h[:, :1] * h[:1].abs()}.items():
        dead[name] = (~((w @ x) > 0).any(2)).float().mean(1)
    assert dead["apart"].max() == 0
    error = dead["parallel"].std() / math.sqrt(20)
    assert abs(dead["parallel"].mean() - 0.5) < 4 * error
    assert units["dead"][0, -1].mean() > 0.3  # with the inputs as they arrive at layer 30


@pytest.mark.claim("A-67")
@pytest.mark.proves(
    "biases-none-dead", kind="search", range="b = 0, 0.01, 0.1, 1; 20 networks, 64 inputs", seeds=20
)
def test_a_positive_bias_saves_no_units(units):
    """Normal inputs: no unit is dead in layer 1 either way; in layer 30 a positive bias leaves no fewer dead."""
    dead = units["dead"]
    assert float(dead[:, 0].max()) == 0
    zero = dead[0, -1]
    assert float(zero.mean()) > 0.2
    for i in (1, 2, 3):
        difference = dead[i, -1] - zero  # the same weights
        error = float(difference.std()) / math.sqrt(len(difference))
        assert float(difference.mean()) > -2 * error
    difference = dead[3, -1] - zero
    assert float(difference.mean()) > 2 * float(difference.std()) / math.sqrt(len(difference))


@pytest.mark.proves(
    "biases-raw-dead",
    kind="ratio",
    range="b = 0, 0.1; 64 inputs",
    seeds=20,
    tolerance="4 SE",
    effect="0.08 → 0.06",
)
def test_a_bias_saves_units_where_the_inputs_are_not_centered():
    """Pixels between 0 and 1: some units of layer 1 are dead, fewer with b = 0.1; centered: none."""
    pixels = torch.tensor(load_digits().data / 16, dtype=torch.float32)
    generator = torch.Generator().manual_seed(6)
    rows = torch.randperm(len(pixels), generator=generator)[: biases_relu.INPUTS]
    raw = pixels[rows]
    w = torch.randn(20, 256, 64, generator=generator) * math.sqrt(2 / 64)
    dead = {}
    for name, x in {"raw": raw, "centered": raw - raw.mean(0)}.items():
        for b in (0.0, 0.1):
            dead[name, b] = (~(w @ x.T + b > 0).any(2)).float().mean(1)
    assert float(torch.stack([dead["centered", b] for b in (0.0, 0.1)]).max()) == 0
    saved = dead["raw", 0.0] - dead["raw", 0.1]
    for x in (dead["raw", 0.1], saved):
        assert float(x.mean()) > 4 * float(x.std()) / math.sqrt(20)
    assert float(dead["raw", 0.0].mean()) == pytest.approx(0.08, abs=0.02)
    assert float(dead["raw", 0.1].mean()) == pytest.approx(0.06, abs=0.02)


def test_inputs_become_parallel(units):
    cosine = units["cosine"].mean(2)
    assert float(cosine[0, -1]) > 0.95
    assert float(cosine[3, -1]) > float(cosine[0, -1])


def test_rejects_no_layers():
    with pytest.raises(ValueError, match="Received: depth=0"):
        biases_relu.biased_map(0.1, 0)


def test_figure(values):
    figure = biases_relu.plot_units()
    top, middle, bottom = figure.axes
    dots = [line for line in top.lines if line.get_label().startswith("b =")]
    assert len(dots) == len(middle.lines) == len(bottom.lines) == 4
    for line in middle.lines:
        y = line.get_ydata()
        assert y[0] == 0
        assert y[-1] > 0.2
    last = [line.get_ydata()[-1] for line in middle.lines]
    assert last[3] == max(last)  # most dead units for b = 1
    assert np.all(dots[3].get_ydata() > 0.45)
    left = values("biases_relu")
    assert left["active"][0.1] == pytest.approx(0.528, abs=1e-3)
    for b, (share, error) in left["first"].items():
        assert abs(share - left["active"][b]) < 4 * error + 0.01
    plt.close(figure)
