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


def test_only_wrong_labels_make_the_minimum_deep(curves):
    noise, found = curves
    at = found[1].argmin(-1)
    best = found[4, np.arange(digits.RUNS), at]
    gain = 100 * (best - found[4, :, -1])
    if noise:
        assert gain.min() > 4
        assert found[1, :, -1].mean() > 1.3 * found[1].min(-1).mean()
    else:
        assert abs(gain.mean()) < 1.5
        assert found[1, :, -1].mean() < 1.2 * found[1].min(-1).mean()


def test_parts_do_not_overlap_and_only_training_labels_are_changed():
    clean, noisy = digits.digit_splits(0.0), digits.digit_splits(0.2)
    assert [len(part[0][0]) for part in clean] == [200, 300, 800]
    for k in range(3):
        assert torch.equal(clean[k][0], noisy[k][0])
        changed = (clean[k][1] != noisy[k][1]).sum(1)
        assert ((changed > 20) & (changed <= 40)).all() if k == 0 else (changed == 0).all()


def test_demo_and_figure():
    values = digits.demo()
    assert values["noisy_best"][0] > values["noisy_end"][0] + 5
    figure = digits.plot_curves()
    for ax in figure.axes:
        training, validation = (ax.lines[i].get_xdata()[0] for i in (1, 3))
        assert validation < training
    plt.close(figure)
