"""Pre-norm: d_k and the share are 1/(k+1). Post-norm: 1 and 2^-k."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.initialization import transformers_norms as module


@pytest.mark.parametrize("post", [False, True])
def test_the_four_laws(post):
    count, width, networks = 6, 128, 300
    generator = torch.Generator().manual_seed(1)
    d, share = module.normed_stream(count, post, width, networks, generator)
    k = np.arange(count + 1)
    gradient = 1.0 + 0 * k if post else 1 / (k + 1)
    left = 0.5**k if post else 1 / (k + 1)
    for found, theory in ((d, gradient), (share, left + (1 - left) / width)):
        mean = found.mean(1).numpy()
        error = found.std(1).numpy() / np.sqrt(networks)
        assert (np.abs(mean - theory) < 4 * error + 0.02 * theory).all()  # finite width
        assert (error < 0.06 * theory).all()
    wrong = 1 / (k + 1) if post else 1.0 + 0 * k
    mean, error = d.mean(1).numpy(), d.std(1).numpy() / np.sqrt(networks)
    at = 0 if not post else count  # where the other law differs
    assert abs(mean[count - at] / mean[at] - wrong[count - at] / wrong[at]) > 4 * error[at]


def test_near_the_output_post_norm_has_the_larger_gradient():
    pre, post = (module.norm_means(p)[0] for p in (False, True))
    assert (post[-1] / pre[-1]).item() == pytest.approx(module.COUNT + 1, rel=0.1)
    assert pre[0].item() == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("post", [False, True])
def test_the_errors_are_those_of_a_mean(post):
    """Other networks, a quarter as many, give the same means and twice the error."""
    d, share, d_error, share_error = module.norm_means(post)
    other = module.normed_stream(
        module.COUNT,
        post,
        module.WIDTH,
        module.NETWORKS // 4,
        torch.Generator().manual_seed(7),
    )
    for mean, error, sample in ((d, d_error, other[0]), (share, share_error, other[1])):
        own = sample.std(1) / sample.shape[1] ** 0.5
        some = own > 1e-6  # the share of the input in itself is 1
        assert ((sample.mean(1) - mean).abs()[some] < 5 * torch.hypot(error, own)[some]).all()
        assert (own / error)[some].median().item() == pytest.approx(2, rel=0.3)


def test_normalize():
    x = torch.randn(3, 7, 1, generator=torch.Generator().manual_seed(0))
    expected = torch.rms_norm(x[..., 0], (7,), eps=0.0)
    torch.testing.assert_close(module.rms_normalize(x)[..., 0], expected)


def test_figure_and_values(values, printed):
    fig = module.plot_gradients()
    for ax in fig.axes:
        for theory, measured in zip(ax.lines[::2], ax.lines[1::2], strict=True):
            ratio = np.asarray(measured.get_ydata()) / np.asarray(theory.get_ydata())
            assert np.abs(np.log(ratio)).max() < 0.4
    plt.close(fig)
    left = values("transformers_norms")
    assert left["top"]["pre"][0] == pytest.approx(left["predicted_top"], rel=0.1)
    assert len(printed("transformers_norms").splitlines()) == 3
