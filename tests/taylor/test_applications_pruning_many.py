"""Many deletions at once, in 20 networks."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from scipy.stats import spearmanr

from x0.taylor import applications_pruning_many
from x0.taylor.applications_pruning import digits_loss
from x0.taylor.applications_pruning_many import (
    mean_of_networks,
    network_losses,
    three_prices,
    trained_networks,
    training_sets,
)


def test_the_networks_are_those_of_the_single_one() -> None:
    theta = trained_networks(3)
    x, y = training_sets()
    assert x.shape == (20, 300, 64)
    losses = network_losses(theta)
    for i in (0, 7, 19):
        torch.testing.assert_close(losses[i], digits_loss(theta[i], x[i], y[i], 1e-3))
    assert len({tuple(row.tolist()) for row in y}) == 20  # each has digits of its own


def test_the_whole_quadratic_is_right_for_short_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    theta = trained_networks(3).clone().requires_grad_()
    (g,) = torch.autograd.grad(network_losses(theta).sum(), theta, create_graph=True)
    columns = [torch.autograd.grad(g[:, j].sum(), theta, retain_graph=True)[0] for j in range(610)]
    here = g.detach(), torch.stack(columns, 2)
    monkeypatch.setattr("x0.taylor.applications_pruning_many.all_derivatives", lambda: here)
    monkeypatch.setattr(
        "x0.taylor.applications_pruning_many.trained_networks", lambda: theta.detach()
    )
    generator = torch.Generator().manual_seed(0)
    step = torch.randn(20, 610, generator=generator).double() / 100
    gaps = []
    for scale in (1.0, 0.5):
        _, quadratic, truth = three_prices(scale * step)
        gaps.append((truth - quadratic).abs().mean().item())
    assert gaps[0] / gaps[1] == pytest.approx(8, rel=0.1)  # third order


@pytest.mark.proves(
    "applications-many",
    kind="cause",
    seeds=20,
    effect="× {val:applications_pruning_many.beyond[0]:.1f} → × {val:applications_pruning_many.tenth[0]:.2f}",
)
def test_what_is_missing_is_beyond_the_second_order(values: Callable[[str], Any]) -> None:
    """With all cross terms the truth is a multiple of the prediction; on a tenth of the step not."""
    shown = values("applications_pruning_many")
    singles, quadratic, truth = (mean for mean, _ in shown["table"][70])
    assert abs(singles - quadratic) < 0.2 * quadratic  # the cross terms change little
    assert truth > 2.5 * quadratic
    assert shown["cross"][0] == pytest.approx(1, abs=0.2)
    mean, error = shown["beyond"]
    assert mean > 3 > 10 * error
    assert shown["tenth"][0] == pytest.approx(1.08, abs=0.02)
    for each, model in zip(shown["truth"], shown["quadratic"], strict=True):
        assert float(each) > 2 * float(model)
    extra, error = shown["extra"][50]  # of the same networks: magnitude minus saliency
    assert extra > 3 * error
    assert extra == pytest.approx(shown["rises"][50][0] - shown["table"][50][2][0])


@pytest.mark.proves("applications-early", kind="ratio", seeds=20, tolerance="0.02")
def test_early_the_sum_ranks_the_change_and_its_absolute_value_the_size(
    values: Callable[[str], Any],
) -> None:
    """Early the sum ranks the change and |sum| its size; without the second, first and |first|."""
    ranks = values("applications_pruning_many")["ranks"]
    change = {name: row[0] for name, row in ranks.items()}
    size = {name: row[1] for name, row in ranks.items()}
    simple = ("magnitude", "first", "absolute first")
    for column, winner in (
        (change, "both"),
        (size, "absolute both"),
        ({name: change[name] for name in simple}, "first"),
        ({name: size[name] for name in simple}, "absolute first"),
    ):
        best, error = column.pop(winner)
        for mean, other in column.values():
            assert best - mean > 4 * (error**2 + other**2) ** 0.5
    assert values("applications_pruning_many")["lowered"] == 20


@pytest.mark.proves(
    "applications-trained",
    kind="ratio",
    seeds=20,
    effect='{val:applications_pruning_many.ranks["first"][2][0]:.2f}',
)
def test_trained_the_signed_first_order_ranks_nothing(values: Callable[[str], Any]) -> None:
    """At the minimum the signed first order ranks nothing; its size ranks worse than |w|."""
    ranks = values("applications_pruning_many")["ranks"]
    late = {name: row[2] for name, row in ranks.items()}
    assert abs(late["first"][0]) < 4 * late["first"][1]
    gap = late["magnitude"][0] - late["absolute first"][0]
    assert gap > 4 * (late["magnitude"][1] ** 2 + late["absolute first"][1] ** 2) ** 0.5
    assert late["both"][0] > 0.999
    assert late["second"][0] > 0.995


def test_a_mean_comes_with_its_standard_error() -> None:
    mean, error = mean_of_networks(torch.arange(20.0))
    assert mean == 9.5
    assert error == pytest.approx(torch.arange(20.0).std().item() / 20**0.5)
    assert mean_of_networks(torch.tensor([1.0, 3.0])) == pytest.approx((2.0, 1.0))


def test_ranks_and_steps_of_a_loss_that_is_its_own_quadratic(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the change of a deletion is known by formula, SciPy ranks it."""
    generator = torch.Generator().manual_seed(1)
    theta = torch.randn(20, 610, generator=generator).double()
    a = torch.randn(20, 610, generator=generator).double() / 3
    b = torch.rand(20, 610, generator=generator).double()
    place = "x0.taylor.applications_pruning_many."
    derivatives = a + b * theta, torch.diag_embed(b)
    monkeypatch.setattr(place + "trained_networks", lambda steps=800: theta)
    monkeypatch.setattr(place + "all_derivatives", lambda steps=800: derivatives)
    monkeypatch.setattr(place + "network_losses", lambda t: (a * t + b * t**2 / 2).sum(1))
    used = (training_sets()[0] > 0).any(1)
    found = applications_pruning_many.deletion_ranks(3)
    w, g, h = (x[:, :592] for x in (theta, a + b * theta, b))
    change = -(a * theta + b * theta**2 / 2)[:, :592]
    prices = {
        "magnitude": w.abs(),
        "absolute first": (g * w).abs(),
        "first": -g * w,
        "second": h * w**2,
        "both": change,
    }
    for i in (0, 19):
        kept = torch.cat([*[used[i]] * 8, torch.ones(80, dtype=torch.bool)])
        for name, price in prices.items():
            for kind, truth in (("change", change), ("size", change.abs())):
                expected = spearmanr(price[i][kept], truth[i][kept]).statistic
                assert float(found[name, kind][i]) == pytest.approx(expected, abs=1e-4)
    torch.testing.assert_close(found["change", "least"], change.min(1).values)
    for rule, price in (("magnitude", w.abs()), ("saliency", h * w**2)):
        step = applications_pruning_many.pruning_step(25, rule)
        for i in (0, 19):
            cheapest = price[i].topk(148, largest=False).indices
            expected = torch.zeros(610, dtype=torch.float64)
            expected[cheapest] = -theta[i, cheapest]
            torch.testing.assert_close(step[i], expected)
    singles, quadratic, truth = three_prices(-theta)
    torch.testing.assert_close(quadratic, truth)
    torch.testing.assert_close(singles, truth)
