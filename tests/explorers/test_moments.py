"""Moments of activations, maps of layers and random networks: the numerics of signal."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from ports import INPUTS, Port, agree, random_rows

from x0.initialization import mean_field, mean_field_fluctuations, mean_field_gains
from x0.initialization import mean_field_networks as networks

Ports = Callable[..., Port]
ACTIVATIONS = mean_field_gains.ACTIVATIONS
SMOOTH = ("tanh", "scaled tanh", "erf", "sigmoid", "gelu", "silu", "softplus")
GAIN = "(([a, b, c]) => [a ** -0.5, b / a, c / a])(activationMoments({}, 1))"
SHARE = INPUTS // len(ACTIVATIONS) + 1  # random inputs for each activation


def test_the_activations_are_those_of_the_module(port: Ports) -> None:
    assert port("activations")("Object.keys(ACTIVATIONS)", [0])[0] == list(ACTIVATIONS)
    names = port("activations")("Object.values(NAMES)", [0])[0]
    assert set(names) <= set(ACTIVATIONS)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_and_its_derivative(port: Ports, name: str) -> None:
    z = np.random.default_rng(1).normal(0, 3, INPUTS)
    z = np.concatenate([z, [-40, -20, -6.5, -3.1, -1e-3, -1e-9, 1e-9, 1e-3, 3.1, 6.5, 21, 40]])
    x = torch.tensor(z, requires_grad=True)
    h = ACTIVATIONS[name](x)
    (slope,) = torch.autograd.grad(h.sum(), x)
    found = np.array(port("activations")(f'ACTIVATIONS["{name}"].map((f) => f(row))', z))
    agree(found[:, 0], h.detach(), scale=1e-6)
    agree(found[:, 1], slope, scale=1e-6)


def test_the_quadrature(port: Ports) -> None:
    nodes, weights = mean_field.gaussian_rule()
    found = port("moments")("gaussianRule()", [0])[0]
    agree(found[0], nodes)
    agree(found[1], weights)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_moments(port: Ports, name: str) -> None:
    q = np.exp(np.random.default_rng(2).uniform(-9, 5, SHARE))
    q = np.concatenate([[1e-6, 0.05, 8.0, 1e4], q])
    wanted = mean_field.activation_moments(ACTIVATIONS[name], torch.tensor(q))
    found = np.array(
        port("activations", "chain")(f'activationMoments(ACTIVATIONS["{name}"], row)', q)
    )
    for column, moment in zip(found.T, wanted, strict=True):
        agree(column, moment.detach(), scale=1e-10)


@pytest.mark.parametrize(
    ("text", "q", "sure"),
    [
        ("exp(z)", 10, [True, True, True]),
        ("exp(z)", 100, [False, False, False]),  # the weight of exp(2z) lies beyond the last panel
        ("exp(z * z)", 0.3, [False, False, False]),  # no second moment
        ("1 / z", 1, [False, False, False]),
        ("sqrt(abs(z))", 1, [True, False, True]),  # that of the derivative is infinite
        ("sin(10 * z)", 100, [False, False, False]),
        ("max(0, z)^3", 100, [True, True, True]),
        ("max(-1, min(1, z))", 1, [True, True, True]),
    ],
)
def test_which_moments_are_trusted(port: Ports, text: str, q: float, sure: list[bool]) -> None:
    found = port("formula", "moments")(f"trustedMoments(parsed({text!r}), row)", [q])[0]
    assert found == sure


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"hardtanh", "hardswish"}))
def test_the_moments_of_the_table_are_trusted(port: Ports, name: str) -> None:
    q = np.geomspace(0.01, 100, 81)
    found = port("activations", "moments")(f'trustedMoments(ACTIVATIONS["{name}"], row)', q)
    assert np.all(found)


@pytest.mark.parametrize(("name", "fourth"), [("linear", 3.0), ("relu", 1.5)])
def test_fourth_moments(port: Ports, name: str, fourth: float) -> None:
    q = np.geomspace(1e-6, 1e4, 50)
    found = port("activations", "moments")(f'fourthMoment(ACTIVATIONS["{name}"], row)', q)
    agree(found, fourth * q**2)


@pytest.mark.parametrize(
    "name", ["relu", "leaky_relu 0.2", "linear", "tanh", "sigmoid", "selu", "gelu", "silu"]
)
def test_where_the_second_moment_ends(port: Ports, name: str) -> None:
    """The limit at values of the sliders, beside 3,000 layers of the map."""
    generator = np.random.default_rng(7)
    weight = np.round(0.2 + 0.05 * np.arange(77), 2)
    bias = np.round(0.05 * generator.integers(0, 21, 77), 2)
    rows = np.concatenate([np.stack([weight, 0 * weight], 1), np.stack([weight, bias], 1)])
    body = f'limitMoment(ACTIVATIONS["{name}"], row[0], row[1], 1)'
    found = np.array(port("activations", "moments")(body, rows))
    weights, biases = torch.tensor(rows).T
    q = torch.ones(len(rows), dtype=torch.float64)
    path = []
    for layer in range(3000):
        q = weights * mean_field.activation_moments(ACTIVATIONS[name], q)[0] + biases
        q = q.clamp(1e-30, 1e30)
        if layer in (1499, 2999):
            path.append(q.numpy())
    half, end = path
    stays = (found > 0) & np.isfinite(found)
    assert np.abs(end[stays] / found[stays] - 1).max(initial=0) < 1e-5
    gone = found == 0
    assert (end[gone] < 1e-3).all()
    assert ((end[gone] < 0.6 * half[gone]) | (end[gone] == 1e-30)).all()
    grown = np.isinf(found)
    assert (end[grown] > 50).all()
    assert ((end[grown] > 1.9 * half[grown]) | (end[grown] == 1e30)).all()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_points_and_gains(port: Ports, name: str) -> None:
    phi = ACTIVATIONS[name]
    chain = port("activations", "chain")
    rows = random_rows([0.2, 0.0, 1e-3], [4.0, 1.0, 8.0], SHARE)
    body = f'Object.values(diagnosePoint(ACTIVATIONS["{name}"], ...row))'
    wanted = [list(mean_field.diagnose_point(phi, *map(float, row)).values()) for row in rows]
    agree(np.array(chain(body, rows))[:, :3], np.array(wanted)[:, :3], scale=1e-10)
    # Where chi_1 is nearly 1 the logarithm loses digits; it is the same number within those.
    for (*_, found), (*_, scale) in zip(chain(body, rows), wanted, strict=True):
        both = [0.0 if math.isinf(x) else 1 / x for x in (found, scale)]
        assert abs(both[0] - both[1]) < 1e-9 * max(1, *both)
    agree(
        chain(GAIN.format(f'ACTIVATIONS["{name}"]'), [0])[0],
        mean_field_gains.normalizing_gain(phi),
    )


@pytest.mark.parametrize("name", ["relu", "leaky_relu 0.2", "linear", "tanh", "sigmoid", "gelu"])
def test_paths_of_signal_and_gradient(
    port: Ports, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second moments by layer, and those of the gradient against the other quadrature."""
    monkeypatch.setattr(networks, "DEPTH", 6)
    phi = ACTIVATIONS[name]
    rows = random_rows([0.2, 0.0], [4.0, 1.0], INPUTS // 12)
    signal = f'iterateMap(ACTIVATIONS["{name}"], ...row, 1, 6)'
    chain = port("activations", "chain")
    paths = chain(signal, rows)
    agree(paths, [mean_field.iterate_map(phi, *map(float, row), 1.0, 6) for row in rows])
    body = f'gradientPath(ACTIVATIONS["{name}"], row[0], {signal})'
    some = rows[:40]
    wanted = [networks.predict_layers(phi, *map(float, row), 0.5)[2] for row in some]
    agree(chain(body, some), wanted, 1e-9 if name in SMOOTH else 2e-3)
    # And without any quadrature: the product of the factors of the points.
    for row, path in zip(rows, chain(body, rows), strict=True):
        layers = mean_field.iterate_map(phi, *map(float, row), 1.0, 6)
        factors = [mean_field.diagnose_point(phi, *map(float, row), q)["chi_1"] for q in layers]
        agree(path, [math.prod(factors[k:-1]) for k in range(6)])


# Kinks beside 0 meet no edge of the panels but at q = 1: their moments are nearly right, here as there.
@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"hardtanh", "hardswish"}))
def test_the_spread_of_one_layer(port: Ports, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a fixed point the noise of a layer and its memory give the level of the module."""
    phi = ACTIVATIONS[name]
    rng = np.random.default_rng(3)
    rows, wanted = [], []
    for q, bias_share, width in zip(
        rng.uniform(0.2, 3, SHARE),
        rng.uniform(0, 0.9, SHARE),
        rng.integers(16, 1024, SHARE),
        strict=True,
    ):
        share = float(mean_field.activation_moments(phi, torch.tensor(q))[0])
        weight, bias = (1 - bias_share) * q / share, bias_share * q
        monkeypatch.setitem(mean_field_fluctuations.NETWORKS, "here", (phi, weight, bias, q))
        chi, level = mean_field_fluctuations.settled("here", int(width))
        rows.append([weight, bias, int(width), q])
        wanted.append((chi, level))
    found = port("activations", "chain")(f'layerSpread(ACTIVATIONS["{name}"], ...row)', rows)
    for (noise, kept), (chi, level) in zip(found, wanted, strict=True):
        close = 1e-9 if name in SMOOTH else 2e-5  # the module's grid meets kinks only nearly
        assert math.sqrt(kept) == pytest.approx(chi, rel=close)
        if math.isfinite(level) and kept < 0.98:
            assert math.sqrt(noise / (1 - kept)) == pytest.approx(level, rel=max(close, 1e-8))


@pytest.mark.parametrize("name", ["ReLU, He", "ReLU, biases", "tanh, gain 5/3", "tanh, critical"])
def test_networks_are_drawn_from_the_same_distribution(port: Ports, name: str) -> None:
    """The means and spreads of ln s and ln d in every layer, within 4.5 standard errors."""
    phi, weight, bias, q = mean_field_fluctuations.NETWORKS[name]
    width, depth, count = 32, 6, INPUTS
    generator = torch.Generator().manual_seed(5)
    wanted = mean_field_fluctuations.scale_chain(name, width, depth, count, generator)
    kind = {torch.relu: "relu", torch.tanh: "tanh"}[phi]
    body = (
        f'scaleChain(ACTIVATIONS["{kind}"], {weight}, {bias}, {width}, {depth}, {q}, normals(row))'
    )
    found = np.log(port("activations", "chain")(body, range(1, count + 1)))  # count, 2, depth
    for part, module in enumerate(wanted):
        here, there = found[:, part].T, module.numpy()
        for layer in range(depth):
            a, b = here[layer], there[layer]
            if a.std() < 1e-9:
                agree(a, b)  # where the chain starts
                continue
            error = math.sqrt((a.var() + b.var()) / count)
            assert abs(a.mean() - b.mean()) < 4.5 * error, (part, layer)
            fourth = [((x - x.mean()) ** 4).mean() - x.var() ** 2 for x in (a, b)]
            assert abs(a.var() - b.var()) < 4.5 * math.sqrt(sum(fourth) / count), (part, layer)
    # The layers of one network are as correlated as there: memory is part of the distribution.
    both = [np.corrcoef(x[1:, :]) for x in (found[:, 0].T, wanted[0].numpy())]
    assert np.abs(both[0] - both[1]).max() < 4.5 * math.sqrt(2 / count)


def test_the_band_holds_what_is_drawn(port: Ports) -> None:
    """The predicted spread of ln s in a deep ReLU network is that of drawn ones."""
    chain = port("activations", "chain")
    setting = 'ACTIVATIONS["relu"], 1.6, 0.2, 160'
    path = 'iterateMap(ACTIVATIONS["relu"], 1.6, 0.2, 1, 12)'
    (predicted,) = chain(f"spreads({setting}, {path})", [0])
    drawn = np.log(chain(f"scaleChain({setting}, 12, 1, normals(row))[0]", range(1000)))
    assert predicted[0] == 0
    agree(predicted[1:], drawn.std(axis=0)[1:], 0.08)


def test_the_numbers_are_normal_and_a_seed_fixes_them(port: Ports) -> None:
    body = "(() => { const n = normals(row); return Array.from({length: 4000}, () => n()); })()"
    first, again, other = np.array(port("chain")(body, [1, 1, 2]))
    assert (first == again).all()
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.07
    for power, moment, spread in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        error = math.sqrt(spread / len(first))
        assert abs((first**power).mean() - moment) < 4.5 * error
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 0.07
