"""Figure mini-batches-noise-variance: the noise of the gradient against the batch size."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn

from x0.training import mini_batches_noise as noise


def test_row_gradients_average_to_the_gradient():
    model, y = nn.Linear(5, 3), torch.arange(9) % 3
    x = torch.randn(9, 5, generator=torch.Generator().manual_seed(0))
    rows = noise.row_gradients(model, x, y)
    loss = nn.functional.cross_entropy(model(x), y)
    whole = torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))])
    assert rows.shape == (9, 18)
    assert torch.allclose(rows.mean(0), whole, atol=1e-6)


@pytest.mark.parametrize("replace", [True, False])
def test_counts(replace):
    counts = noise.batch_counts(30, 12, replace, torch.Generator().manual_seed(3))
    assert torch.equal(counts.sum(1), torch.full((noise.DRAWS,), 12.0))
    assert (counts.max() > 1) == replace
    error = counts.mean(0).std() * 5
    assert (counts.mean(0) - 12 / 30).abs().max() < error + 0.2  # unbiased: every row alike


def test_the_batch_gradient_is_unbiased():
    g = noise.digit_gradients()
    centered = g - g.mean(0)
    total = float((centered**2).sum(1).mean())
    counts = noise.batch_counts(len(g), 16, False, torch.Generator().manual_seed(4))
    bias = (counts @ centered / 16).mean(0).square().sum()
    assert float(bias) < 1.5 * total / 16 / noise.DRAWS  # what is left is chance


@pytest.mark.proves(
    "mini-batches-sampling", kind="search", range="B = 1…1600", n="400", tolerance="4 SE"
)
def test_both_formulas_and_not_the_other():
    """Each sampling follows its formula; from 256 rows on the other one is rejected."""
    total, found = noise.measured_noise()
    rows = len(noise.digit_gradients())
    for i, batch in enumerate(noise.BATCHES):
        finite = (rows - batch) / (rows - 1)
        for replace, theory in ((True, 1.0), (False, finite)):
            mean, error = (float(v) * batch / total for v in found[replace][i])
            assert error < 0.05 * theory
            assert abs(mean - theory) < 4 * error
            if batch >= 256:  # the wrong formula is rejected
                other = finite if replace else 1.0
                assert abs(mean - other) > 4 * error


def test_rejects_a_batch_that_is_too_large():
    with pytest.raises(ValueError, match="Received: batch=31"):
        noise.batch_counts(30, 31, False, torch.Generator())


def test_figure_and_values(values):
    figure = noise.plot_variance()
    measured = [line for line in figure.axes[0].lines if line.get_marker() in "os"]
    assert len(measured) == 2
    with_, without = (np.array(line.get_ydata()) for line in measured)
    assert without[-1] < 0.2 * with_[-1]
    assert values("mini_batches_noise")["ratio"]["with", 64][0] == pytest.approx(1, abs=0.1)
    plt.close(figure)


@pytest.mark.proves("mini-batches-estimate", kind="fact", n="20000", tolerance="4 SE")
def test_the_variance_of_a_batch_is_estimated_from_its_rows():
    """g.var(0) / len(g) is an unbiased estimate of the variance of a mini-batch gradient."""
    generator = torch.Generator().manual_seed(3)
    rows = torch.randn(50, 2, generator=generator, dtype=torch.float64).exp()
    chosen = torch.randint(50, (20000, 5), generator=generator)
    batches = rows[chosen]  # with replacement
    estimates = torch.stack([g.var(0) / len(g) for g in batches])
    true = rows.var(0, correction=0) / 5
    error = estimates.std(0) / len(estimates) ** 0.5
    assert (abs(estimates.mean(0) - true) < 4 * error).all()
    biased = batches.var(1, correction=0) / 5
    assert (abs(biased.mean(0) - true) > 8 * error).all()
    assert torch.allclose(batches.mean(1).var(0), true, rtol=0.05)
