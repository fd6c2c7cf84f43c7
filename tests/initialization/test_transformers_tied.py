"""Logits and loss of step 0 with tied embeddings."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.initialization import transformers_tied as module


def test_logits_of_other_words_and_of_the_own():
    own, others = module.tied_logits(0.05, 0.5)
    assert others.var().item() == pytest.approx(256 * 0.05**2, rel=0.03)
    theory = 256 * 0.05**2 / math.sqrt(0.05**2 + 0.5)
    error = own.std().item() / 10
    assert abs(own.mean().item() - theory) < 4 * error
    assert abs(own.mean().item()) > 4 * error  # not zero as for another word


@pytest.mark.parametrize("added", [0.0, 0.01, 1.0])
@pytest.mark.parametrize("std", module.STDS)
def test_loss(std, added):
    assert module.measured_loss(std, added) == pytest.approx(
        module.start_loss(std, added), rel=0.02
    )


def test_a_shallow_tied_model_repeats_its_input():
    own, others = module.tied_logits(0.1, 0.0)
    assert own.min() > others.max()
    assert module.start_loss(0.1, 0.0) > 3 * math.log(module.WORDS)


def test_figure_and_losses(values, printed):
    fig = module.plot_loss()
    deep, bare = (np.asarray(fig.axes[0].lines[i].get_ydata()) for i in (1, 3))
    assert deep[-1] < 10 < 20 < bare[-1]
    near = [i for i, std in enumerate(module.STDS) if std <= 0.04]
    chance = np.log(module.WORDS)
    assert np.abs(deep[near] - chance).max() < 0.3
    assert (bare[: near[-1]] < chance + 0.3).all()
    assert (bare[near[-1] :] > chance + 2).all()
    plt.close(fig)
    left = values("transformers_tied")
    assert left["loss"][0.0] == pytest.approx(left["predicted"][0.0], rel=0.02)
    assert len(printed("transformers_tied").splitlines()) == 3


def test_the_words_that_are_left_out_are_made_up_for():
    """Without a scale all logits are 0, and the loss is the logarithm of the number of words."""
    assert module.measured_loss(1e-5, 1.0) == pytest.approx(math.log(module.WORDS), abs=1e-4)
