"""Figure early-stopping-digits-curves: the validation minimum comes before the training minimum."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.training import early_stopping_digits as digits


@pytest.fixture(scope="module", params=[0.0, 0.2])
def curves(request):
    return request.param, digits.train_on_few(request.param)


def test_validation_minimum_comes_before_the_training_minimum(curves):
    _, found = curves
    training, validation = found[0].mean(0), found[1].mean(0)
    assert training.argmin() >= len(training) - 2
    assert validation.argmin() < 0.8 * len(validation)
    assert validation[-1] > validation.min()


def test_only_wrong_labels_make_stopping_pay(curves):
    noise, found = curves
    at = found[1].argmin(-1)
    best = found[4, np.arange(digits.RUNS), at]
    gain = 100 * (best - found[4, :, -1])
    if noise:
        assert gain.mean() > 10 * gain.std(ddof=1) / np.sqrt(digits.RUNS)
        assert found[1, :, -1].mean() > 1.3 * found[1].min(-1).mean()
    else:
        assert abs(gain.mean()) < 0.4
        assert found[1, :, -1].mean() < 1.2 * found[1].min(-1).mean()


def test_parts_do_not_overlap_and_only_training_labels_are_changed():
    clean, noisy = digits.digit_splits(0.0), digits.digit_splits(0.2)
    assert [len(part[0][0]) for part in clean] == [200, 300, 800]
    for k in range(3):
        assert torch.equal(clean[k][0], noisy[k][0])
        changed = (clean[k][1] != noisy[k][1]).sum(1)
        assert ((changed > 20) & (changed <= 40)).all() if k == 0 else (changed == 0).all()


@pytest.mark.proves(
    "early-stopping-memory",
    kind="ratio",
    seeds=20,
    effect='{val:early_stopping_digits.fitted["noisy"][0][1]:.2f} → {val:early_stopping_digits.fitted["noisy"][1][0]:.2f}',
)
def test_the_rule_is_learned_before_the_wrong_labels():
    """Wrongly labeled images get their true class at the minimum and the wrong one at the end."""
    curves = digits.train_on_few(0.2)
    at = curves[1].argmin(-1)
    wrong, true = (curves[k, np.arange(digits.RUNS), at] for k in (5, 6))
    assert true.min() > 0.6
    assert wrong.max() < 0.3
    assert curves[5, :, -1].min() > 0.9
    assert curves[6, :, -1].max() < 0.1


@pytest.mark.proves("early-stopping-digits", kind="caption", seeds=20)
def test_figure_and_values(values):
    """With random labels the minimum is higher, comes early, and the loss rises far above it."""
    shown = values("early_stopping_digits")
    assert shown["loss"]["noisy"] > 1.5 * shown["loss"]["clean"]
    assert shown["epoch"]["noisy"][0] < 0.5 * shown["epoch"]["clean"][0]
    assert shown["rise"]["noisy"] > 30
    assert 0 < shown["rise"]["clean"] < 5
    assert shown["best"]["noisy"][0] > shown["end"]["noisy"][0] + 5
    figure = digits.plot_curves()
    for ax in figure.axes:
        training, validation = (ax.lines[i].get_xdata()[0] for i in (1, 3))
        assert validation < training
    plt.close(figure)
