"""Figure beyond-heads, LoRA at step 0, and the claims of the outlook."""

import copy
import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn

from x0.initialization import beyond, orthogonal_lsuv


@pytest.fixture(scope="module")
def found():
    return beyond.fine_tune_heads()


@pytest.mark.proves("beyond-zero", kind="fact", seeds=40, tolerance="10⁻⁶", effect="ln 5, 0")
def test_zero_head_starts_at_ln_c_and_leaves_the_features_alone(found):
    """A head of zero starts at ln C and sends no gradient to the features."""
    assert found["first"][0] == pytest.approx(math.log(5), abs=1e-6)
    assert (found["pull"][0] == 0).all()


def test_small_heads_obey_the_law_and_reject_the_wrong_one(found):
    for i, std in ((1, 0.01), (2, 0.03)):
        law = float(beyond.predicted_start(np.array(std))[1])
        pull = found["pull"][i]
        error = pull.std(ddof=1) / math.sqrt(beyond.HEADS)
        assert error < 0.05 * law
        assert abs(pull.mean() - law) < 4 * error
        assert abs(pull.mean() - law / 0.8) > 4 * error  # without 1 - 1/C


def test_first_loss_rises_as_predicted(found):
    excess = found["first"][2] - math.log(5)
    law = float(beyond.predicted_start(np.array(0.03))[0]) - math.log(5)
    error = excess.std(ddof=1) / math.sqrt(beyond.HEADS)
    assert abs(excess.mean() - law) < 4 * error
    assert excess.mean() > 2 * error


def test_large_heads_move_the_features_more(found):
    moved = found["moved"].mean(1)
    assert (np.diff(moved) > 0).all()
    assert moved[-1] > 5 * moved[0]
    assert found["last"][-1].mean() < found["last"][0].mean()


@pytest.mark.claim("A-63")
def test_new_parts_leave_the_pretrained_function_or_start_even():
    base, (x, y) = copy.deepcopy(beyond.pretrained_features()), beyond.digits_from(5, 10)
    lora = beyond.LowRankLinear(base, 2, torch.Generator().manual_seed(1))
    assert torch.equal(lora(x), base(x))
    loss = nn.functional.cross_entropy(lora(x), y)
    a, b = torch.autograd.grad(loss, [lora.a, lora.b])
    assert a.norm() == 0 < b.norm()
    assert not any(p.requires_grad for p in lora.base.parameters())
    head = beyond.zero_head_(nn.Linear(32, 5))
    out = head(base(x).relu())
    assert nn.functional.cross_entropy(out, y).item() == pytest.approx(math.log(5), abs=1e-6)
    assert beyond.zero_head_(nn.Linear(3, 2, bias=False)).weight.norm() == 0


def test_both_factors_zero_never_learn():
    base, (x, y) = copy.deepcopy(beyond.pretrained_features()), beyond.digits_from(5, 10)
    lora = beyond.LowRankLinear(base, 2)
    nn.init.zeros_(lora.a)
    loss = nn.functional.cross_entropy(lora(x), y)
    assert all(g.norm() == 0 for g in torch.autograd.grad(loss, [lora.a, lora.b]))


@pytest.mark.claim("A-58")
def test_he_does_not_suit_gelu():
    """The q-map of GELU with variance 2/n, by quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    q = [1.0]
    for _ in range(30):
        z = torch.tensor(math.sqrt(q[-1]) * nodes)
        square = nn.functional.gelu(z).numpy() ** 2
        q.append(2 * float((weights * square).sum() / weights.sum()))
    assert 0.02 < q[10] < 0.04
    assert 1e-8 < q[30] < 1e-7


@pytest.mark.claim("A-61")
def test_an_automatic_scheme_exists_and_works():
    x = torch.tensor(beyond.load_digits().data[:256] / 16).float()
    layers: list[nn.Module] = []
    for _ in range(20):
        layers += [nn.Linear(64, 64, bias=False), nn.ReLU()]
    model = nn.Sequential(*layers)
    steps = orthogonal_lsuv.lsuv_(model, x, generator=torch.Generator().manual_seed(0))
    assert max(steps.values()) == 1
    after = orthogonal_lsuv.output_variances(model, x)
    assert max(abs(v - 1) for v in after.values()) < 0.01


def test_rank_must_be_positive():
    with pytest.raises(ValueError, match="Received: rank=0"):
        beyond.LowRankLinear(nn.Linear(2, 2), 0)


def test_figure_and_output(found, values, printed):
    """The gradient is proportional to the standard deviation and departs from the line from 0.3 on."""
    fig = beyond.plot_heads()
    theory, points = fig.axes[1].lines
    for x, y in zip(points.get_xdata(), points.get_ydata(), strict=True):
        line = np.exp(np.interp(np.log(x), np.log(theory.get_xdata()), np.log(theory.get_ydata())))
        assert (abs(y / line - 1) < 0.1) == (x < 0.2)
    assert np.allclose(fig.axes[0].lines[1].get_ydata(), found["first"][1:].mean(1))
    assert np.allclose(fig.axes[1].lines[1].get_ydata() ** 2, found["pull"][1:].mean(1))
    plt.close(fig)
    assert "output changes by 0, gradient of A 0" in printed("beyond")
    assert values("beyond")["norm_b"] > 0.1
