"""Gains of six regularizers on 100 digits, and what label smoothing does to confidence."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.training import regularization_digits as digits

METHODS = (*digits.STRENGTHS, "early stopping")


def test_parts_are_disjoint_and_noise_is_in_the_training_labels_alone():
    clean, noisy = digits.digit_parts(0.0), digits.digit_parts(0.2)
    assert [part[0].shape[1] for part in clean] == [100, 300, 800]
    changed = [(a[1] != b[1]).sum(1) for a, b in zip(clean, noisy, strict=True)]
    assert ((changed[0] > 8) & (changed[0] <= 20)).all()
    assert (changed[1] == 0).all()
    assert (changed[2] == 0).all()


def test_shifts_and_smoothed_loss_are_what_they_say():
    x = torch.rand(3, 5, 64)
    moved = digits.shifted(x)
    assert torch.equal(moved[4], x)
    image, up = x[0, 0].view(8, 8), moved[7, 0, 0].view(8, 8)  # i = 2, j = 1
    assert torch.equal(up[:7], image[1:])
    assert (up[7] == 0).all()
    z, y = torch.randn(2, 6, 10), torch.randint(10, (2, 6))
    ours = digits.label_loss(z, y, 0.3)
    loss = torch.nn.CrossEntropyLoss(label_smoothing=0.3)
    assert torch.allclose(ours, torch.stack([loss(z[i], y[i]) for i in range(2)]))


def test_calibration_error_on_known_probabilities():
    p = torch.tensor([[[0.95, 0.05]] * 10 + [[0.65, 0.35]] * 10], dtype=torch.float64)
    y = torch.tensor([[0] * 9 + [1] + [0] * 3 + [1] * 7])  # right: 9 and 3 of 10
    assert digits.calibration_error(p, y).item() == pytest.approx((0.05 + 0.35) / 2)


@pytest.mark.proves(
    "regularization-gain",
    kind="ratio",
    seeds=20,
    effect='{val:regularization_digits.gain["clean", "input noise"]:.1f} → {val:regularization_digits.gain["noisy", "input noise"]:.1f}',
)
def test_gains(values):
    """Less than 2 points with clean labels, more than 2 for each method with a fifth of them random."""
    gain = values("regularization_digits")["gain"]
    for method in METHODS:
        mean, error = gain["clean", method]
        assert mean + 2 * error < 2
        mean, error = gain["noisy", method]
        assert mean - 2 * error > 2
    figure = digits.plot_gain()
    found = [container.lines[0].get_xdata().tolist() for container in figure.axes[0].containers]
    for labels, row in zip(("clean", "noisy"), found, strict=True):
        assert row == pytest.approx([gain[labels, method][0] for method in METHODS], abs=1e-6)
    plt.close(figure)


@pytest.mark.proves("regularization-inner", kind="best", range="four strengths of each method")
def test_the_best_strength_is_inside(values):
    """With random labels the strength chosen on validation images is at no end of the four."""
    best = values("regularization_digits")["best"]
    for method, tried in digits.STRENGTHS.items():
        assert min(tried) < best["noisy", method] < max(tried)


@pytest.mark.proves("regularization-strong", kind="ratio", seeds=20)
def test_too_much_is_worse_than_nothing(values):
    """With clean labels the largest strength of each of the five methods lowers the accuracy."""
    edge = values("regularization_digits")["edge"]
    for method in digits.STRENGTHS:
        mean, error = edge["clean", method]
        assert mean + 2 * error < 0


@pytest.mark.proves("regularization-confidence", kind="caption", seeds=20)
def test_smoothing_turns_too_sure_into_not_sure_enough(values):
    """Confidence minus accuracy is positive without smoothing and negative from 0.1 on."""
    smoothed = values("regularization_digits")["smoothed"]
    for labels in ("clean", "noisy"):
        mean, error = smoothed[labels, 0.0]["excess"]
        assert mean - 2 * error > 0
        for e in (0.1, 0.2, 0.3):
            mean, error = smoothed[labels, e]["excess"]
            assert mean + 2 * error < 0
    figure = digits.plot_confidence()
    for line, labels in zip(figure.axes[0].lines, ("clean", "noisy"), strict=False):
        expected = [smoothed[labels, e]["excess"][0] for e in digits.SMOOTHED]
        assert np.allclose(line.get_ydata(), expected, atol=1e-6)
    plt.close(figure)


def test_logits_are_as_far_apart_as_predicted(values):
    smoothed = values("regularization_digits")["smoothed"]
    for e in (0.1, 0.2, 0.3):
        predicted = np.log(1 + 10 * (1 - e) / e)
        assert smoothed["clean", e]["gap"] == pytest.approx(predicted, rel=0.1)
    assert smoothed["clean", 0.0]["gap"] > 10
