import numpy as np
import pytest
import torch

from x0.initialization.why_angles import STARTS, WIDTH, measure_angles, square_weights


@pytest.fixture(scope="module")
def angles():
    return {k: dict(zip(STARTS, v, strict=True)) for k, v in measure_angles().items()}


@pytest.mark.claim("B-06")
@pytest.mark.proves("why-angles", kind="fact", seeds=6)
def test_each_angle_separates_starts_that_another_cannot(angles):
    """For each of the five numbers two starts differ in it that agree in another."""
    # symmetry: a constant start keeps some signal, but one unit
    assert np.all(angles["units"]["constant"] == 1)
    assert np.all(angles["signal"]["constant"] > 0.005)
    # variance: std 0.01 has all units, but no signal
    assert np.all(angles["units"]["std 0.01"] == WIDTH)
    assert np.all(angles["signal"]["std 0.01"] < 1e-15)
    # spectrum: Gaussian and orthogonal have the same signal and another spectrum
    ratio = angles["signal"]["Gaussian"].mean() / angles["signal"]["orthogonal"].mean()
    assert 0.7 < ratio < 1.4
    spectrum = angles["spectrum"]
    assert spectrum["orthogonal"].min() > 2 * spectrum["Gaussian"].max()
    # optimization: random starts of the right scale train
    loss = angles["loss"]
    assert max(loss["Gaussian"].max(), loss["orthogonal"].max()) < 0.5
    assert min(loss["constant"].min(), loss["zero"].min(), loss["std 0.01"].min()) > 1.2
    # seeds: only random starts vary
    assert loss["Gaussian"].std() > 1e-3 > loss["constant"].std()


def test_starts_have_the_stated_law():
    generator = torch.Generator().manual_seed(1)
    orthogonal = square_weights("orthogonal", generator)[0, 0]
    assert torch.allclose(orthogonal @ orthogonal.mT, torch.eye(WIDTH), atol=1e-5)
    for start in ("Gaussian", "orthogonal"):
        w = square_weights(start, generator)
        assert float(w.square().mean()) * WIDTH == pytest.approx(1, abs=0.02)


@pytest.mark.proves("why-constant", kind="fact", n=5, tolerance="1e-6")
def test_a_constant_start_sees_the_mean_of_the_pixels_only():
    """From a constant start each unit of each layer is a function of the mean of the pixels."""
    weights = square_weights("constant", torch.Generator())[:, 0]
    x = torch.randn(5, WIDTH, generator=torch.Generator().manual_seed(2))
    h, mean = x, x.mean(1, keepdim=True)
    for w in weights:
        h, mean = torch.tanh(h @ w.mT), torch.tanh(mean)
    assert torch.allclose(h, mean.expand_as(h), atol=1e-6)


def test_start_is_checked():
    with pytest.raises(ValueError, match="Received: start='one'"):
        square_weights("one", torch.Generator())


def test_orthogonal_weights_keep_most_directions(values):
    assert values("why_angles")["spectrum"]["orthogonal"][0] > 0.8
    assert values("why_angles")["spectrum"]["Gaussian"][0] < 0.4
