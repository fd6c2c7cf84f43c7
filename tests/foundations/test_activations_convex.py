"""Figure activations-convex-barrier: convex in the input, not in the weights."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.foundations import activations_convex as convex


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_positive_weights_make_the_network_convex_in_its_input(seed):
    assert convex.midpoint_violations(signed=False, seed=seed) == 0
    assert convex.midpoint_violations(signed=True, seed=seed) > 0.05


def test_the_copy_is_the_same_function_and_the_middle_is_worse():
    x, _, w, u, other_w, other_u = convex.trained_pair()
    assert torch.allclose(torch.relu(x @ w) @ u, torch.relu(x @ other_w) @ other_u)
    values = convex.demo()
    assert values["whole_start"] == pytest.approx(values["whole_end"])
    assert values["whole_middle"] > 10 * values["whole_chord"]


def test_the_loss_is_convex_in_the_last_layer():
    path = np.array(convex.losses_on_path(last_layer_only=True))
    assert (np.diff(path, 2) > 0).all()
    whole = np.array(convex.losses_on_path(last_layer_only=False))
    assert np.diff(whole, 2).min() < -1e-3
    values = convex.demo()
    assert values["last_middle"] < values["last_chord"] / 2
    assert values["last_start"] < values["last_end"]


def test_figure():
    figure = convex.plot_barrier()
    loss, chord = (line.get_ydata() for line in figure.axes[0].lines)
    assert max(loss) > 10 * max(chord)
    plt.close(figure)
