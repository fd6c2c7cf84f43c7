"""Figure learning-rate-warmup-runs: 16 times the limit needs warm-up, which lowers the curvature."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.training import learning_rate_warmup as warmup


@pytest.fixture(scope="module")
def study():
    return warmup.warmup_study()


def test_without_warmup_no_network_survives_sixteen_times_the_limit(study):
    without = np.nan_to_num(study[1][16, 0][0][:, -1], nan=9.0)
    with_it = study[1][16, warmup.WARMUP][0][:, -1]
    assert (without > 0.4).all()
    assert (with_it < 0.1).all()


def test_high_rates_after_warmup_train_faster_than_the_limit(study):
    fast, slow = (study[1][m, warmup.WARMUP][0][:, -1] for m in (16, 1))
    assert (fast < 0.5 * slow).all()


def test_curvature_ends_at_the_limit_of_the_rate(study):
    first, runs = study
    for multiple in (4, 16):
        ratio = runs[multiple, warmup.WARMUP][1] / first * multiple
        assert ((ratio > 0.8) & (ratio < 1.4)).all()
    # At the limit itself it is below: nothing pushes it.
    assert (runs[1, 0][1] / first < 0.8).all()


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
    warmup.descend_with_warmup(torch.full((6,), 0.01), 5, start)
    assert all(torch.equal(a, b) for a, b in zip(start, copies, strict=True))


def test_demo_and_figure(study):
    values = warmup.demo()
    assert values["trained_16_none"] == 0
    assert values["trained_16_with"] == 6
    figure = warmup.plot_runs()
    assert len(figure.axes[0].lines) == 10
    plt.close(figure)
