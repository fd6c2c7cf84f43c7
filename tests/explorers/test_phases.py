"""The critical line, settled points and correlations: the numerics of phase."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from ports import INPUTS, Port, agree, random_rows

from x0.initialization import mean_field_correlation as correlation
from x0.initialization import mean_field_edge as edge
from x0.initialization.mean_field_gains import ACTIVATIONS

Ports = Callable[..., Port]


@pytest.mark.parametrize("name", ["tanh", "softsign", "relu", "gelu"])
def test_the_critical_line(port: Ports, name: str) -> None:
    q = torch.tensor(
        np.concatenate([[1e-3, 20.0], np.exp(np.random.default_rng(1).uniform(-7, 3, INPUTS // 4))])
    )
    weight, bias = edge.critical_line(ACTIVATIONS[name], q)
    found = np.array(port("activations", "phases")(f'criticalLine(ACTIVATIONS["{name}"], row)', q))
    agree(found[:, 0], weight.detach())
    agree(found[:, 1], bias.detach(), scale=q.numpy())  # q less a number of its size


@pytest.mark.parametrize("name", ["tanh", "softsign"])
def test_settled_points(port: Ports, name: str) -> None:
    """One by one as on a grid, where every point takes as many layers as the slowest."""
    rows = random_rows([0.5, 0.0], [4.0, 0.3], INPUTS // 20)
    found = port("activations", "phases")(f'settle(ACTIVATIONS["{name}"], ...row)', rows)
    wanted = [
        [
            float(x.detach())
            for x in edge.settle_grid(ACTIVATIONS[name], *torch.tensor(row)[:, None])
        ]
        for row in rows
    ]
    agree(found, wanted, scale=1e-6)


def test_the_map_of_relu(port: Ports) -> None:
    c = np.linspace(-1, 1, INPUTS + 1)
    agree(port("phases")("reluMap(row)", c), correlation.relu_map(torch.tensor(c)), scale=1e-6)
    assert port("phases")("reluMap(row)", [-1.5, 1.5]) == pytest.approx([0, 1])


@pytest.mark.parametrize("name", ["tanh", "softsign", "gelu"])
def test_the_map_of_smooth_activations(port: Ports, name: str) -> None:
    phi, phases = ACTIVATIONS[name], port("activations", "phases")
    rows = random_rows([0.5, 0.0, 0.05, -1.0], [4.0, 0.3, 3.0, 1.0], INPUTS // 20)
    wanted = [
        float(correlation.smooth_map(phi, weight, bias, q, torch.tensor([c], dtype=torch.float64)))
        for weight, bias, q, c in rows.tolist()
    ]
    agree(phases(f'smoothMap(ACTIVATIONS["{name}"], ...row)', rows), wanted, scale=1e-3)
    same = f'correlationMap("{name}", ACTIVATIONS["{name}"], row[0], row[1], row[2])(row[3])'
    agree(phases(same, rows[:50]), wanted[:50], scale=1e-3)


def test_correlations_by_layer(port: Ports) -> None:
    starts = np.linspace(-1, 1, 41)
    found = port("phases")("correlations(reluMap, 30, row)", starts)
    for c, path in zip(starts, found, strict=True):
        wanted = correlation.correlations(correlation.relu_map, 30, float(c))
        agree(1 - np.array(path), 1 - wanted, 1e-9, scale=1e-4)
    assert port("phases")("correlations((c) => 2 * c, 3, row)", [0.8]) == [[0.8, 1, 1]]


def test_relu_with_biases_by_samples(port: Ports) -> None:
    """No function of the book has this map: two million draws stand for it."""
    rng = np.random.default_rng(4)
    first, second = rng.standard_normal((2, 2_000_000))
    body = 'correlationMap("relu", ACTIVATIONS.relu, ...row.slice(0, 3))(row[3])'
    for weight, bias, q, c in [(1.6, 0.2, 1.0, 0.3), (2.0, 0.0, 0.5, -0.5), (1.0, 0.3, 0.6, 0.9)]:
        twin = c * first + np.sqrt(1 - c * c) * second
        product = np.maximum(first, 0) * np.maximum(twin, 0) * q
        error = weight / q * product.std() / np.sqrt(len(first))
        (found,) = port("activations", "phases")(body, [[weight, bias, q, c]])
        assert abs(found - (weight * product.mean() + bias) / q) < 4.5 * error
