"""One batch: without a bug the loss goes to zero, with each of three it does not."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.training import tuning_batch as batch


@pytest.mark.proves(
    "tuning-bugs",
    kind="cause",
    seeds=20,
    effect='{val:tuning_batch.last["none"]:.3f} → {val:tuning_batch.last["softmax twice"]:.1f}, {val:tuning_batch.last["labels reordered"]:.1f}, {val:tuning_batch.last["another model"]:.1f}',
)
def test_bugs_and_their_absence():
    """Without the bugs each run ends below 0.01; with one of them each run stays above 1.4."""
    assert batch.batch_losses("none")[:, -1].max() < 0.01
    twice = batch.batch_losses("softmax twice")
    assert twice.min() > np.log(1 + 9 / np.e)
    assert twice[:, -1].max() < 1.9
    assert batch.batch_losses("labels reordered")[:, -1].min() > 1.4
    frozen = batch.batch_losses("another model")
    assert np.allclose(frozen, frozen[:, :1])


@pytest.mark.proves("tuning-batch", kind="caption", seeds=20)
def test_figure():
    """The four curves begin together and end in the order of the labels."""
    figure = batch.plot_bugs()
    ends = [line.get_ydata()[-1] for line in figure.axes[0].lines]
    starts = [line.get_ydata()[0] for line in figure.axes[0].lines]
    assert max(starts) - min(starts) < 0.1
    assert ends == sorted(ends)
    assert ends[0] < 0.01
    assert ends[3] == pytest.approx(starts[3])
    plt.close(figure)
