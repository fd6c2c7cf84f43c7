from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

Define = Callable[[str], SimpleNamespace]
Values = Callable[[str], Mapping[str, Any]]


@pytest.fixture(scope="module")
def lab(define: Define) -> SimpleNamespace:
    return define("diagnose")


def test_the_lab_holds_the_functions_of_the_page() -> None:
    source = Path(__file__).parents[2] / "src" / "x0"
    page, lab = (
        {
            node.name: ast.dump(node)
            for node in ast.parse((source / path).read_text("utf-8")).body
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
        }
        for path in ("initialization/choosing_diagnosis.py", "labs/diagnose.py")
    )
    assert {
        name: lab.get(name) for name in page if name not in ("chain", "run", "plot_profiles")
    } == {
        name: tree for name, tree in page.items() if name not in ("chain", "run", "plot_profiles")
    }


def mlp(gains: list[float], width: int = 300) -> nn.Sequential:
    """Return a ReLU network whose layers have He's standard deviation times a gain."""
    generator = torch.Generator().manual_seed(1)
    layers: list[nn.Module] = []
    for gain in gains:
        layer = nn.Linear(width, width, bias=False)
        nn.init.normal_(layer.weight, std=gain * math.sqrt(2 / width), generator=generator)
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def batch(width: int = 300) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(64, width, generator=generator)
    return x, torch.randint(0, width, (64,), generator=generator)


def test_the_factor_of_a_layer_is_the_square_of_its_gain(lab: SimpleNamespace) -> None:
    gains = [1.0, 1.0, 0.3, 2.0, 1.0]
    readings = lab.read(mlp(gains), *batch())
    for gain, before, reading in zip(gains[1:], readings, readings[1:], strict=False):
        assert reading.predicted == pytest.approx(gain**2, rel=0.03)
        assert reading.signal / before.signal == pytest.approx(gain**2, rel=0.3)
        # Backward it is the layer's own output that has the smaller gradient behind it.
        assert before.gradient / reading.gradient == pytest.approx(gain**2, rel=0.4)


def test_readings_are_those_of_automatic_differentiation(lab: SimpleNamespace) -> None:
    model = mlp([1.0, 0.5, 1.0], width=20)
    x, y = batch(20)
    readings = lab.read(model, x, y)
    nn.functional.cross_entropy(model(x), y, reduction="sum").backward()
    first = model[0].weight.grad
    assert first is not None
    assert readings[0].weight == pytest.approx(float(first.square().mean()), rel=1e-5)
    signal = model[:3](x).detach().square().mean()
    assert readings[1].signal == pytest.approx(float(signal), rel=1e-5)
    assert not any(module._forward_hooks for module in model), "the hooks stay"


def test_only_bad_layers_are_repaired(lab: SimpleNamespace) -> None:
    model = mlp([0.01, 1.0, 0.1, 1.0, 5.0])
    before = [layer.weight.clone() for layer in lab.weighted(model)]
    assert lab.repair(model, lab.read(model, *batch()), 0) == [3, 5]
    changed = [
        not torch.equal(a, b.weight) for a, b in zip(before, lab.weighted(model), strict=True)
    ]
    assert changed == [False, False, True, False, True]
    assert lab.repair(model, lab.read(model, *batch()), 0) == []


def test_the_patient_has_the_mistake_in_layers_6_to_9(lab: SimpleNamespace) -> None:
    stds = [float(layer.weight.detach().std()) for layer in lab.weighted(lab.build(0))]
    assert [n for n, std in enumerate(stds, 1) if std < 0.05] == [6, 7, 8, 9]


def test_the_finding(values: Values) -> None:
    found = values("diagnose")
    assert found["died"] < -5 < found["kept"]
    assert found["loss_before"] == pytest.approx(math.log(10), abs=0.05)
    assert found["loss_after"] < 0.7
