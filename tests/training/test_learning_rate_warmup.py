"""Figure learning-rate-warmup-runs: 16 times the limit needs warm-up, which lowers the curvature."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.training import learning_rate_warmup as warmup


@pytest.fixture(scope="module")
def study():
    return warmup.warmup_study()


@pytest.mark.proves(
    "learning-rate-sweep",
    kind="best",
    range="0.5, 1, 2, 4, 8, 16, 32 × limit",
    seeds=20,
    effect='{val:learning_rate_warmup.loss[16, "rise"]:.3f} < {val:learning_rate_warmup.loss[4, "none"]:.3f} < {val:learning_rate_warmup.loss[0.5, "none"]:.3f}',
)
def test_the_largest_rate_that_all_survive_is_the_best(study):
    """All train at 4 × the limit, with warm-up at 16 ×; that is where the mean loss is lowest."""
    losses = study[1]
    shares = warmup.digits_one_hot()[1].mean(0)
    assert (1 - shares.square().sum()) / 2 == pytest.approx(0.45, abs=0.002)  # best constant
    for name, top in (("none", 4), ("rise", 16)):
        assert all(warmup.alive(losses[m, name]).all() for m in warmup.MULTIPLES if m <= top)
        assert not warmup.alive(losses[2 * top, name]).all()
        ends = [losses[m, name][:, -1].mean() for m in warmup.MULTIPLES if m <= top]
        assert (np.diff(ends) < 0).all()
    # Paired over networks: 4 against 1 and 0.5 without warm-up, 16 against 4 with it.
    for high, low, name in ((4, 1, "none"), (4, 0.5, "none"), (16, 4, "rise")):
        gain = losses[low, name][:, -1] - losses[high, name][:, -1]
        assert gain.mean() > 3 * gain.std(ddof=1) / np.sqrt(len(gain))


@pytest.mark.proves(
    "learning-rate-warmup-cause",
    kind="cause",
    seeds=20,
    effect="{val:learning_rate_warmup.jumped:.0f} / 20 < 20 / 20",
)
def test_warmup_works_through_the_sharpness(study):
    """50 steps at the limit do not replace the rise; on a quadratic the error grows after it."""
    first, losses, _ = study
    held, before = warmup.held_study()
    assert warmup.alive(losses[16, "rise"]).all()
    assert warmup.alive(held).sum() <= 5
    assert not warmup.alive(losses[16, "none"]).any()
    # Before the jump the sharpness is far above the limit of the rate, 1/16 of the start.
    assert (before / first > 4 / 16).all()
    for multiple in (1.0137, 1.117, 2.03, 16.3):  # of 2 / curvature
        for length in (7, 30, 101):
            curvature = torch.tensor(1.0, dtype=torch.float64)
            e = torch.tensor(1.0, dtype=torch.float64)
            sizes = []
            for t in range(length + 3):
                e = e - 2 * multiple / curvature * min(1.0, (t + 1) / length) * curvature * e
                sizes.append(abs(e.item()))
            assert sizes[-1] > sizes[-2] > sizes[-3] > 0


def test_curvature_ends_at_the_limit_of_the_rate(values):
    edge = values("learning_rate_warmup")["edge"]
    assert all(0.7 < edge[m][0] < 1.3 for m in (2, 4, 8, 16))
    assert edge[0.5][0] < edge[1][0] < 0.7  # nothing pushes it there


def test_the_power_method_has_converged():
    start = warmup.he_regressors()
    _, weights = warmup.descend(16 * 2 / warmup.sharpness(start), warmup.FACTORS["rise"], start)
    for at in (start, weights):
        ratio = warmup.sharpness(at) / warmup.sharpness(at, 300)
        assert ratio.mean().item() == pytest.approx(1, abs=0.01)


def test_sharpness_is_the_largest_eigenvalue_of_the_hessian():
    at = [p[:1, :3, :2].contiguous() for p in warmup.he_regressors()[:1]]
    matrix = torch.randn(6, 6, generator=torch.Generator().manual_seed(0))
    hessian = matrix @ matrix.T

    def quadratic(parameters):
        flat = parameters[0].reshape(1, 6)
        return ((flat @ hessian) * flat).sum(-1) / 2

    original = warmup.one_hot_losses
    warmup.one_hot_losses = quadratic
    try:
        found = warmup.sharpness(at, iterations=200)
    finally:
        warmup.one_hot_losses = original
    assert found.item() == pytest.approx(torch.linalg.eigvalsh(hessian)[-1].item(), rel=1e-4)


def test_start_is_not_changed():
    start = warmup.he_regressors()
    copies = [p.clone() for p in start]
    warmup.descend(torch.full((warmup.NETWORKS,), 0.01), [0.5, 1.0], start)
    assert all(torch.equal(a, b) for a, b in zip(start, copies, strict=True))


@pytest.mark.proves("learning-rate-warmup-runs", kind="caption")
def test_figure_and_values():
    """Without warm-up the loss leaves the figure within two steps; what comes back is constant."""
    figure = warmup.plot_runs()
    axes = figure.axes[0]
    assert len(axes.lines) == 10
    top = axes.get_ylim()[1]
    at_once, risen, limit = (
        [line.get_ydata() for line in axes.lines[i : i + 3]] for i in (0, 3, 6)
    )
    for loss in at_once:
        assert not loss[2] < top  # nan or above
        tail = loss[60:]
        assert np.isnan(tail).all() or np.nanmax(tail) - np.nanmin(tail) < 0.02 * np.nanmax(tail)
    ends = [[loss[-1] for loss in kind] for kind in (risen, limit)]
    assert max(ends[0]) < min(ends[1])
    plt.close(figure)
