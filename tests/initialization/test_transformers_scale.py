"""What blocks add at step 0 when all weights have one standard deviation."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn

from x0.initialization import transformers_scale as module


def test_the_mlp_branch_of_pytorch_modules():
    generator = torch.Generator().manual_seed(0)
    width, std, sample = 64, 0.08, []
    for _ in range(60):
        first, last = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        for layer in (first, last):
            nn.init.normal_(layer.weight, std=std, generator=generator)
            nn.init.zeros_(layer.bias)
        x = torch.rms_norm(torch.randn(1, width, generator=generator), (width,))
        with torch.no_grad():
            sample.append(last(nn.functional.gelu(first(x))).square().mean().item())
    theory = module.branch_moments(width * std**2)[1]
    error = np.std(sample) / math.sqrt(len(sample))
    assert abs(np.mean(sample) - theory) < 4 * error
    assert error < 0.05 * theory
    assert abs(np.mean(sample) - 2 * theory) > 4 * error


@pytest.mark.claim("A-48")
def test_the_stream_of_gpt_blocks():
    added = sum(module.branch_moments(module.WIDTH * module.STD**2))
    for scaled in (False, True):
        r = module.gpt_stream(scaled)[-1, :, 0]
        theory = module.STD**2 + module.BLOCKS * added / (24 if scaled else 1)
        error = float(r.std()) / math.sqrt(len(r))
        assert abs(float(r.mean()) - theory) < 4 * error
        assert error < 0.05 * theory
        assert abs(float(r.mean()) - theory / 2) > 4 * error


def test_attention_averages_more_tokens_and_adds_less():
    r = module.gpt_stream(False).mean(1)
    first = r[1] - r[0]
    assert (first[1:] < first[:-1]).all()
    assert module.branch_moments(0.3, 4)[0] == pytest.approx(0.3**2 / 4)


def test_the_width_decides():
    narrow, wide = (module.branch_moments(n * 0.02**2) for n in (768, 12288))
    assert narrow[1] < 0.2
    assert wide[1] > 40


def test_figure_and_values(values, printed):
    """With the factor the curve lies more than a decade lower from the first branch on."""
    fig = module.plot_stream()
    plain, scaled = (np.asarray(line.get_ydata()) for line in fig.axes[0].lines[1::2])
    assert plain[0] == pytest.approx(scaled[0])
    assert (plain[1:] > 10 * scaled[1:]).all()
    assert plain[2] - plain[0] > 100 * plain[0]  # the first block drowns the embedding
    assert 3 < (scaled[2] - scaled[0]) / scaled[0] < 10  # several times
    for theory, measured in zip(fig.axes[0].lines[::2], fig.axes[0].lines[1::2], strict=True):
        ratio = np.asarray(measured.get_ydata()) / np.asarray(theory.get_ydata())
        assert np.abs(np.log(ratio)).max() < 0.15
    plt.close(fig)
    assert values("transformers_scale")["n_v"][768] == pytest.approx(0.3072)
    growth = module.branch_moments(0.64)[1] / module.branch_moments(0.3072)[1]
    assert values("transformers_scale")["growth"] == pytest.approx(growth)
    fourth, apart = (values("transformers_scale")[key] for key in ("fourth", "apart"))
    assert fourth["first"] == pytest.approx(apart, rel=0.3)
    assert fourth["later"] > 2 * apart
    assert len(printed("transformers_scale").splitlines()) == 3
