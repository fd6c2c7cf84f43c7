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


def test_the_copy_is_the_same_function_and_the_middle_is_worse(values):
    x, _, w, u, other_w, other_u = convex.trained_pair()
    assert torch.allclose(torch.relu(x @ w) @ u, torch.relu(x @ other_w) @ other_u)
    path = values("activations_convex")["paths"]["whole"]
    assert path[0] == pytest.approx(path[-1])
    assert path[10] > 10 * (path[0] + path[-1]) / 2


def test_the_loss_is_convex_in_the_last_layer(values):
    path = np.array(convex.losses_on_path(last_layer_only=True))
    assert (np.diff(path, 2) > 0).all()
    whole = np.array(convex.losses_on_path(last_layer_only=False))
    assert np.diff(whole, 2).min() < -1e-3
    last = values("activations_convex")["paths"]["last"]
    assert last[10] < (last[0] + last[-1]) / 4
    assert last[0] < last[-1]


@pytest.mark.proves("activations-barrier", kind="caption", n="21")
def test_figure():
    """Both layers moved: the middle far above the chord; the last alone: convex and below it."""
    figure = convex.plot_barrier()
    loss, chord = (line.get_ydata() for line in figure.axes[0].lines)
    assert max(loss) > 10 * max(chord)
    last, ends = (np.array(line.get_ydata()) for line in figure.axes[1].lines)
    assert (np.diff(last, 2) > 0).all()
    straight = np.linspace(ends[0], ends[1], len(last))
    assert (last[1:-1] < straight[1:-1]).all()
    plt.close(figure)
