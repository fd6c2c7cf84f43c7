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


def test_figure_and_demo(capsys):
    fig = module.plot_loss()
    deep, bare = (np.asarray(fig.axes[0].lines[i].get_ydata()) for i in (1, 3))
    assert deep[-1] < 10 < 20 < bare[-1]
    plt.close(fig)
    values = module.demo()
    assert values["bare_loss"] == pytest.approx(values["bare_theory"], rel=0.02)
    assert len(capsys.readouterr().out.splitlines()) == 3
