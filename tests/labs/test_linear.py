from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
import torch

Define = Callable[[str], SimpleNamespace]
Values = Callable[[str], Mapping[str, Any]]
WIDTHS = [16, 64, 256, 1024]
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")


@pytest.fixture(scope="module")
def lab(define: Define) -> SimpleNamespace:
    """The lab's functions, on a few images of noise."""
    lab = define("linear")
    g = torch.Generator().manual_seed(0)
    lab.train.__globals__.update(
        learned=torch.randn(12, 64, generator=g),
        unseen=torch.randn(9, 64, generator=g),
        goal=torch.randn(12, 10, generator=g),
        STEPS=6,
    )
    lab.learned = lab.train.__globals__["learned"]
    lab.goal = lab.train.__globals__["goal"]
    return lab


def small(lab: SimpleNamespace, size: float, n: int = 20) -> tuple[Any, Any]:
    """Return one network and a displacement of about this size in each weight."""
    first, second = (w[0] for w in lab.start(n, 1))
    g = torch.Generator().manual_seed(5)
    by = tuple(size * torch.randn(w.shape, generator=g) for w in (first, second))
    return (first, second), by


def test_the_linearization_differs_by_the_square_of_the_displacement(lab: SimpleNamespace) -> None:
    gaps = []
    for size in (0.04, 0.02, 0.01):
        theta, by = small(lab, size)
        found = [model(theta, by, lab.learned, torch.tanh) for model in (lab.moved, lab.linear)]
        gaps.append(float((found[0] - found[1]).norm()))
    assert gaps[0] / gaps[1] == pytest.approx(4, rel=0.15)
    assert gaps[1] / gaps[2] == pytest.approx(4, rel=0.15)


def test_the_terms_add_up(lab: SimpleNamespace) -> None:
    sizes = [lab.terms(*small(lab, size)) for size in (0.2, 0.1)]
    ratios = (sizes[0] / sizes[1]).tolist()
    # Relative to the first order, order 2 goes with the step, order 3 with its square.
    assert ratios == pytest.approx([2, 4, 8], rel=0.2)


def test_training_the_linear_model_follows_the_kernel(lab: SimpleNamespace) -> None:
    theta = lab.start(20, 1)
    _, losses = lab.train(lab.linear, theta, torch.tanh, rate=0.1)
    single = tuple(w[0] for w in theta)
    rows = torch.func.jacrev(lambda t: lab.network(t, lab.learned, torch.tanh))(single)
    matrix = torch.cat([part.flatten(2).flatten(0, 1) for part in rows], 1).double()
    error = -lab.goal.flatten().double()
    for value in losses[:, 0]:
        assert float(value) == pytest.approx(float(error @ error) / 24, rel=1e-4)
        error = error - 0.1 / 12 * matrix @ (matrix.T @ error)


def test_the_factor_of_the_output_leaves_the_linear_model_alone(lab: SimpleNamespace) -> None:
    theta = lab.start(20, 2)
    by, losses = lab.train(lab.linear, theta, torch.tanh, rate=0.1)
    scaled, others = lab.train(lab.linear, theta, torch.tanh, rate=0.1, scale=4.0)
    assert torch.allclose(losses, others, rtol=1e-4)
    assert torch.allclose(by[0], 4 * scaled[0], atol=1e-5)
    assert float(lab.apart(theta, scaled, by, torch.tanh, 4.0).max()) < float(
        lab.apart(theta, by, by, torch.tanh).max()
    )


@pytest.mark.proves("linear-width", kind="caption", seeds=10, range="width 16…1024")
def test_wider_networks_are_closer_and_tanh_closer_than_relu(values: Values) -> None:
    """Both distances fall with the width; at each width ReLU is further away than tanh."""
    distance = values("linear")["distance"]
    for name in ("tanh", "ReLU"):
        line = [distance[name, n][0] for n in WIDTHS]
        assert line == sorted(line, reverse=True)
    for n in WIDTHS:
        gap = distance["ReLU", n][0] - distance["tanh", n][0]
        assert gap > 3 * math.hypot(distance["ReLU", n][1], distance["tanh", n][1])


@pytest.mark.proves("linear-terms", kind="caption", seeds=10, range="width 16…1024")
def test_later_terms_fall_with_the_width(values: Values) -> None:
    """The terms of order 2 and 3 and the rest fall with the width."""
    found = values("linear")
    for name in ("size2", "size3", "rests"):
        line = [found[name][n][0] for n in WIDTHS]
        assert line == sorted(line, reverse=True)


@pytest.mark.proves("linear-path", kind="fact", seeds=10, n="steps 1, 10, 30, 100")
def test_the_second_order_grows_along_the_path(values: Values) -> None:
    """At width 64 the second-order term is larger after more steps."""
    line = [mean for mean, _ in values("linear")["step2"]]
    assert line == sorted(line)
    assert line[-1] > 2 * line[0]


@pytest.mark.proves("linear-kinks", kind="fact", seeds=10, range="width 16…1024")
def test_more_kinks_but_a_smaller_share(values: Values) -> None:
    """From width to width more pairs change their sign, and they are a smaller share."""
    found = values("linear")
    counts = [found["kinks"][n][0] for n in WIDTHS]
    shares = [found["percent"][n][0] for n in WIDTHS]
    assert counts == sorted(counts)
    assert shares == sorted(shares, reverse=True)


@pytest.mark.proves("linear-scale", kind="caption", seeds=10, range="α from ¼ to 8")
def test_a_smaller_factor_leads_further_away(values: Values) -> None:
    """For both activations the distance falls as the factor of the output grows."""
    found = values("linear")
    for name in ("tanh", "ReLU"):
        line = [found["scaled"][name, scale][0] for scale in found["scales"]]
        assert line == sorted(line, reverse=True)


@pytest.mark.proves("linear-beyond", kind="fact", range="0.9, 1.1, 1.5, 2, 3 × 2/λ")
def test_beyond_the_limit_the_linear_model_diverges_and_the_network_trains(values: Values) -> None:
    """The linear model diverges from 1.1 on, the network trains up to 2 and diverges at 3."""
    found = values("linear")
    network, linear = found["survives"]["network"], found["survives"]["linear"]
    assert linear[0] < 1
    assert all(math.isinf(ratio) for ratio in linear[1:])
    assert max(network[:4]) < 0.5
    assert network[4] > 1
    assert found["beyond"] == 2


@pytest.mark.proves("linear-softplus", kind="fact", seeds=10, effect="width 64")
def test_softplus_is_closer_than_relu(values: Values) -> None:
    """At width 64 softplus ends closer to its linearization than ReLU."""
    found = values("linear")
    gap = found["distance"]["ReLU", 64][0] - found["softplus"][0]
    assert gap > 3 * math.hypot(found["distance"]["ReLU", 64][1], found["softplus"][1])
