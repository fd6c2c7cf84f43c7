"""Each row of the first table keeps its promise, and the printed call is the executed one."""

import math
import re
from pathlib import Path

import pytest
import torch
from torch import nn

from x0.initialization import choosing_hidden as hidden

ROOT = Path(__file__).parents[2]
ROWS = {row.name: row for row in hidden.ROWS}
LABELS = {
    "linear, very deep": "linear",
    "tanh, softsign": "tanh",
    "ReLU": "ReLU",
    "leaky ReLU, slope $a$": "Leaky ReLU",
    "SELU": "SELU",
}


@pytest.mark.parametrize("name", ROWS)
def test_signal_and_gradient_are_as_predicted(name):
    networks = 4 if name == "linear" else 160
    for theory, seen in zip(hidden.predicted(ROWS[name]), hidden.measured(ROWS[name]), strict=True):
        assert len(seen) == networks
        error = float(seen.std()) / math.sqrt(networks)
        if name == "linear":
            assert torch.allclose(seen, torch.ones_like(seen), atol=1e-4)
            continue
        assert abs(float(seen.mean()) - theory) < 4 * error < 0.2 * theory


@pytest.mark.claim("A-65")
def test_the_three_rules_are_not_interchangeable():
    # Square layers: Xavier and LeCun have the variance 1/n, He 2/n.
    for name, right, wrong in (("ReLU", 2, 1), ("SELU", 1, 2), ("tanh", 1, 2)):
        row = ROWS[name]
        assert row.weight == right
        q, d = hidden.predicted(row)
        other_q, other_d = hidden.predicted(row._replace(weight=wrong))
        if name == "tanh":  # with He's variance the gradient explodes
            assert d < 1 < other_d
        else:
            assert abs(math.log(q)) < 1e-5 < abs(math.log(other_q))
        for index, value in enumerate((other_q, other_d)):
            seen = hidden.measured(row)[index]
            error = float(seen.std()) / math.sqrt(len(seen))
            assert abs(float(seen.mean()) - value) > 4 * error
    q, _ = hidden.predicted(ROWS["ReLU"]._replace(weight=1))
    assert q == pytest.approx(2.0 ** -(hidden.DEPTH - 1), rel=1e-4)
    assert hidden.demo()["relu_xavier"] == q


@pytest.mark.claim("A-74")
def test_factors_of_layers_multiply(monkeypatch):
    relu = ROWS["ReLU"]._replace(weight=1)
    for depth in (2, 5, 16):
        monkeypatch.setattr(hidden, "DEPTH", depth)
        for factor in hidden.predicted(relu):
            assert factor == pytest.approx(0.5 ** (depth - 1), rel=1e-4)
    assert hidden.predicted(relu)[0] < 1e-4  # 15 steps


@pytest.mark.claim("A-64")
def test_neither_depth_nor_loss_is_in_the_variance_of_a_hidden_layer(monkeypatch):
    # One variance holds at every depth, and for every gradient that a loss may send down.
    for depth in (2, 10, 40):
        monkeypatch.setattr(hidden, "DEPTH", depth)
        assert hidden.predicted(ROWS["ReLU"]) == pytest.approx((1, 1), rel=1e-4)
        q, d = hidden.predicted(ROWS["ReLU"]._replace(weight=1.9))
        assert q == pytest.approx(0.95 ** (depth - 1), rel=1e-4)
        assert d == pytest.approx(q, rel=1e-4)


def test_the_wide_limit_of_the_critical_gelu_is_a_fixed_point():
    assert hidden.predicted(ROWS["GELU"]) == pytest.approx((1, 1), rel=1e-3)
    he = ROWS["GELU"]._replace(weight=2, bias=0, start=1)
    assert hidden.predicted(he)[0] < 0.2


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_call_on_the_page_is_the_call_of_the_row(language):
    pages = {
        key: (ROOT / f"docs/{key}/initialization/choosing.md").read_text().split("{#plain}")[1]
        for key in ("en", language)
    }
    rows = {
        key: [line.split("|") for line in page.split("{#blocks}")[0].splitlines() if "|" in line]
        for key, page in pages.items()
    }
    found = 0
    for line, english in zip(rows[language], rows["en"], strict=True):
        row = ROWS.get(LABELS.get(english[1].strip(), ""))
        call = re.search(r"`(\w+_)\((.*)\)`", line[2])
        if row is None or call is None:
            continue
        found += 1
        generator = torch.Generator().manual_seed(1)
        w = torch.empty(hidden.WIDTH, hidden.WIDTH)
        names = {"init": nn.init, "w": w, "a": 0.2, "g": generator}
        eval(f"init.{call[1]}({call[2]}, generator=g)", names)
        assert torch.equal(w, hidden.fill(row, torch.Generator().manual_seed(1))[0])
    assert found == len(LABELS)


def test_figure_shows_what_was_measured():
    figure = hidden.plot_rows()
    for index, axis in enumerate(figure.axes):
        dots = next(line for line in axis.lines if line.get_label() == "measured")
        for value, row in zip(dots.get_ydata(), hidden.ROWS, strict=True):
            assert value == pytest.approx(hidden.predicted(row)[index], rel=0.25)
