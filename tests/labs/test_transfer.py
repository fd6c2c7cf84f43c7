from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_images

Define = Callable[[str], SimpleNamespace]
Values = Callable[[str], Mapping[str, Any]]


@pytest.fixture
def lab(define: Define) -> SimpleNamespace:
    """The lab's functions, with photographs of noise and three seeds."""
    lab = define("transfer")
    generator = torch.Generator().manual_seed(0)
    inside = torch.ones(16, 16, dtype=torch.bool)
    inside[6:10, 6:10] = False
    hole = ~inside
    photos = [torch.rand(40, 50, generator=generator) for _ in range(2)]
    lab.train.__globals__.update(photos=photos, HOLE=hole, SEEDS=3, STEPS=4, ROWS=5)
    lab.photos = photos
    return lab


def test_a_patch_is_split_into_what_is_seen_and_what_is_covered(lab: SimpleNamespace) -> None:
    for i, photo in enumerate(lab.photos):
        photo.copy_(1000.0 * i + torch.arange(40)[:, None] * 50 + torch.arange(50))
    x, y = lab.patches(4, torch.Generator().manual_seed(1))
    assert x.shape == (8, 240)
    assert y.shape == (8, 16)
    for around, covered in zip(0.15 * x, 0.15 * y, strict=True):
        corner = around[0]
        wanted = [50.0 * a + b for a in range(6, 10) for b in range(6, 10)]
        assert torch.allclose(covered - corner, torch.tensor(wanted), atol=1e-2)
        assert abs(around.mean()) < 1e-2


def test_at_the_base_width_both_ways_are_one_network(lab: SimpleNamespace) -> None:
    for a, b in zip(
        lab.train(32, 0.01, lab.Rule()),
        lab.train(32, 0.01, lab.Rule(hidden=False, output=False, start=False)),
        strict=True,
    ):
        assert torch.equal(a, b)


def test_rates_and_variances_scale_with_the_width(lab: SimpleNamespace) -> None:
    standard = lab.Rule(hidden=False, output=False, start=False)
    for rule, factors in ((lab.Rule(), (1, 1 / 4, 1 / 4)), (standard, (1, 1, 1))):
        before, after = lab.initial(128, rule), lab.train(128, 1e-3, rule, steps=1)
        steps = [float((b - a).abs().median()) for a, b in zip(before, after, strict=True)]
        # the first step of Adam is one learning rate long
        assert steps == pytest.approx([1e-3 * factor for factor in factors], rel=0.02)
        variance = float(before[2].var())
        assert variance == pytest.approx(factors[2] / 128, rel=0.1)
    assert not lab.initial(128, lab.Rule(zero=True))[2].any()


def test_seeds_do_not_mix(lab: SimpleNamespace) -> None:
    three = lab.train(32, 0.01, lab.Rule())
    first = [w[:1] for w in lab.initial(32, lab.Rule())]
    lab.train.__globals__.update(initial=lambda n, rule: first, SEEDS=1)
    one = lab.train(32, 0.01, lab.Rule())
    for a, b in zip(three, one, strict=True):
        assert torch.allclose(a[:1], b, atol=1e-5)


def test_the_vertex_is_that_of_a_parabola(lab: SimpleNamespace) -> None:
    powers = range(-9, -4)
    tops = torch.tensor([-7.3, -6.8, -7.0])
    found = (torch.tensor(list(powers))[:, None] - tops) ** 2 + 0.4
    # For parabolas of one shape the jackknife values are the vertices themselves.
    assert torch.allclose(lab.optimum(powers, found), tops, atol=1e-3)
    with pytest.raises(ValueError, match="at an end"):
        lab.optimum(powers, found + torch.arange(5.0)[:, None] * 9)


@pytest.mark.proves(
    "transfer-first", kind="cause", n="10", effect="slope 0.47 → 0.95", range="width 32…512"
)
def test_the_change_of_the_first_layer_does_not_grow_with_the_width(define: Define) -> None:
    """Standard: what layer 2 gets from its own matrix grows with n, from the first layer does not."""
    lab = define("transfer")
    images = load_sample_images().images
    photos = [torch.tensor(image / 255).float().mean(2) for image in images]
    lab.train.__globals__["photos"] = photos
    x = lab.patches(256, torch.Generator().manual_seed(999))[0][:64]

    def slope(changed: tuple[int, ...]) -> float:
        sizes = []
        for n in (32, 512):
            before = lab.initial(n, lab.STANDARD)
            after = lab.train(n, 2.0**-7, lab.STANDARD, steps=1)
            w = [after[i] if i in changed else before[i] for i in range(3)]
            change = lab.forward(w, x)[0] - lab.forward(before, x)[0]
            sizes.append(float(change.square().mean().sqrt()))
        return float(np.log(sizes[1] / sizes[0]) / np.log(16))

    assert slope((0, 1)) == pytest.approx(0.47, abs=0.1)
    assert slope((1,)) == pytest.approx(1, abs=0.15)
    assert abs(slope((0,))) < 0.15


@pytest.mark.proves("transfer-change", kind="caption", n="10", range="width 32…512")
def test_one_step_changes_wider_networks_more_unless_scaled(values: Values) -> None:
    """Standard: both changes rise with the width. μP: layer 2 level, output falling to over half."""
    changes = values("transfer")["changes"]
    standard, mup = np.array(changes["standard"]), np.array(changes["μP"])
    assert (np.diff(standard, axis=0) > 0).all()
    assert np.ptp(mup[:, 0]) < 0.1 * mup[0, 0]
    assert (np.diff(mup[:, 1]) < 0).sum() >= 3
    assert mup[-1, 1] > mup[0, 1] / 2


@pytest.mark.proves("transfer-rates", kind="best", range="5 rates, a factor 2 apart", seeds=10)
def test_valleys_move_left_in_the_standard_way_only(values: Values) -> None:
    """Each valley is inside its grid; standard: further left when wider; μP: within half a step."""
    found = values("transfer")
    for losses in found["table"].values():
        assert 0 < int(np.argmin(np.mean(losses, axis=1))) < 4
    powers = found["powers"]
    moving = [powers["standard", n][0] for n in (32, 128, 512)]
    assert moving[0] > moving[1] > moving[2]
    staying = [powers["μP", n][0] for n in (32, 128, 512)]
    assert max(staying) - min(staying) < 0.5
    assert abs(found["shift"]["μP"][0]) < 3 * found["shift"]["μP"][1]
    assert found["shift"]["standard"][0] < -4 * found["shift"]["standard"][1]


@pytest.mark.proves("transfer-price", kind="ratio", seeds=10, power="carried over: ≥ 5 SE")
def test_the_rate_can_be_carried_over_under_mup(values: Values) -> None:
    """At 512 the rate of 32 costs the standard way more than a rate of its own would."""
    found = values("transfer")
    assert found["worse"][0] > 5 * found["worse"][1]
    assert abs(found["at_best"][0]) < found["worse"][0] / 2


@pytest.mark.proves("transfer-alike", kind="ratio", seeds=10, power="errors of 0.06 to 0.09")
def test_without_one_rule_the_valley_moves_by_a_similar_amount(values: Values) -> None:
    """Without one of the three rules the best rate falls; the three differ by less than 3 SE."""
    moved = values("transfer")["moved"]
    found = [value for name, value in moved.items() if name.startswith("without")]
    assert len(found) == 3
    assert np.mean([mean for mean, _ in found]) < -0.08
    for mean, error in found:
        assert -0.5 < mean < 0
        assert all(abs(mean - other) < 3 * np.hypot(error, e) for other, e in found)
