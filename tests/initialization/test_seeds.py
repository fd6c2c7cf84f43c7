"""Figures seeds-spread and seeds-pairs: both seeds count, and common seeds cancel."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.initialization import seeds


@pytest.fixture(scope="module")
def accuracy():
    return seeds.study()


def test_each_source_alone_spreads_the_accuracy(accuracy):
    assert accuracy.shape == (4, 30)
    assert (accuracy.std(axis=1, ddof=1) > 0.2).all()
    assert (accuracy.mean(axis=1) > 94).all()


@pytest.mark.proves("seeds-order", kind="ratio", seeds=30, tolerance="2 SE")
def test_here_the_order_moves_more_than_the_initialization(accuracy):
    """The data order spreads the accuracies more than the initialization does, at a rate of 0.05."""
    init, order = accuracy[:2].std(axis=1, ddof=1)
    error = np.hypot(init, order) / math.sqrt(2 * 29)
    assert order - init > 2 * error


@pytest.mark.proves("seeds-interaction", kind="fact", seeds=30, tolerance="2 SE")
def test_variances_add_within_their_uncertainty(values):
    """The interaction is compatible with zero; one as large as the variance of the initialization would be too."""
    interaction, error = values("seeds")["interaction"]
    assert abs(interaction) < 2 * error
    # The study rejects that the total is the smaller part alone.
    std = {name: r["std"][0] for name, r in values("seeds")["reports"].items()}
    assert std["init only"] ** 2 < error
    assert std["both"] ** 2 - std["init only"] ** 2 > 2 * error


@pytest.mark.proves("seeds-grid", kind="ratio", seeds=20, effect="0.3 : 0.1", tolerance="2 SE")
def test_a_grid_of_seeds_shows_the_interaction():
    """With 20 initializations times 20 orders the interaction's variance exceeds that of the initialization's effect."""
    n = 20
    init, order = np.divmod(np.arange(n * n), n)
    grid = seeds.train_together((1001 + init).tolist(), (2001 + order).tolist()).reshape(n, n)

    def parts(cells):
        """Unbiased variances of the effect of the initialization and of the interaction."""
        rows, columns = cells.shape
        rest = cells - cells.mean(1, keepdims=True) - cells.mean(0) + cells.mean()
        interaction = (rest**2).sum() / ((rows - 1) * (columns - 1))
        return cells.mean(1).var(ddof=1) - interaction / columns, interaction

    init_alone, interaction = parts(grid)
    error = math.hypot(  # jackknife over initializations and over orders
        *(
            (n - 1)
            * np.std([np.subtract(*parts(np.delete(grid, i, axis))) for i in range(n)], ddof=1)
            / math.sqrt(n)
            for axis in (0, 1)
        )
    )
    assert interaction - init_alone > 2 * error


def test_common_seeds_cancel(values):
    assert values("seeds")["correlation"] > 0.8
    assert values("seeds")["saved"] > 4
    difference, error = values("seeds")["pairs"]
    assert abs(difference) < 3 * error


def test_test_set_is_as_noisy_as_the_seeds(values):
    std = values("seeds")["reports"]["both"]["std"][0]
    assert values("seeds")["test_set"] == pytest.approx(std, rel=0.5)


def test_one_network_alone_gives_the_same_accuracy():
    both = seeds.train_together([0, 5, 6], [0, 7, 8], xavier=1)
    for k, xavier in ((1, 0), (2, 1)):
        alone = seeds.train_together([[0, 5, 6][k]], [[0, 7, 8][k]], xavier=xavier)
        assert alone[0] == pytest.approx(both[k], abs=0.6)  # two of 360 images


def test_arms_differ_in_scale_only():
    weight = seeds.stacked_networks([3, 3], xavier=1)[0].detach()
    assert torch.allclose(weight[0] * math.sqrt(64 / 96), weight[1])
    many = seeds.stacked_networks(list(range(40)), xavier=0)[0].detach()
    square = many.square() * 64
    error = float(square.std()) / math.sqrt(square.numel())
    assert abs(float(square.mean()) - 2) < 4 * error < 0.1


def test_error_of_the_standard_deviation():
    rng = np.random.default_rng(0)
    stds = [seeds.report(rng.normal(0, 2, 30))["std"] for _ in range(4000)]
    found, stated = np.std([s for s, _ in stds]), np.mean([e for _, e in stds])
    error = found / math.sqrt(2 * 4000)
    assert abs(found - stated) < 4 * error + 0.01 * found  # the formula is asymptotic
    assert abs(found - 2 / math.sqrt(30)) > 10 * error  # not the error of the mean


@pytest.mark.proves("seeds-power", kind="fact", n=40000, tolerance="1 %", effect="50 %, 79 %")
def test_two_standard_errors_are_found_half_the_time():
    """A true difference of 2 standard errors exceeds 2 in half of the studies, one of 2.8 in about 4 of 5."""
    rng = np.random.default_rng(4)
    found = {k: (rng.normal(k, 1, 40_000) > 2).mean() for k in (2.0, 2.8)}
    assert found[2.0] == pytest.approx(0.5, abs=0.01)
    assert found[2.8] == pytest.approx(0.788, abs=0.01)


@pytest.mark.proves("seeds-stream", kind="cause", effect="same order : another order")
def test_a_global_seed_ties_the_data_order_to_the_network():
    """With one global stream another layer changes the data order; with a generator of its own not."""
    orders = {}
    with torch.random.fork_rng(devices=[]):
        for own in (False, True):
            for layers in (1, 2):
                torch.manual_seed(0)
                generator = torch.Generator().manual_seed(1) if own else None
                torch.nn.Sequential(*(torch.nn.Linear(4, 4) for _ in range(layers)))
                loader = torch.utils.data.DataLoader(range(100), 100, True, generator=generator)
                orders[own, layers] = next(iter(loader)).tolist()
    assert orders[False, 1] != orders[False, 2]
    assert orders[True, 1] == orders[True, 2]


@pytest.mark.proves("seeds-sampler", kind="call", range="2, 4")
def test_the_sampler_of_all_ranks_needs_one_seed():
    """DistributedSampler: with one seed the ranks share the samples, with a seed each some are missing."""
    sampler = torch.utils.data.distributed.DistributedSampler
    for ranks in (2, 4):
        seen = {}
        for own in (False, True):
            shares = [
                list(sampler(range(200), ranks, rank, seed=rank if own else 7))
                for rank in range(ranks)
            ]
            assert {len(share) for share in shares} == {200 // ranks}
            seen[own] = {sample for share in shares for sample in share}
        assert len(seen[False]) == 200
        assert len(seen[True]) < 180


def test_pairing_needs_common_seeds():
    a = np.array([1.0, 4.0, 9.0])
    assert seeds.paired(a, a + 1) == (-1.0, 0.0)
    with pytest.raises(ValueError, match=r"Seeds differ\. Received"):
        seeds.paired(a, a[:2])


def test_errors():
    with pytest.raises(ValueError, match=r"at least 2 seeds\. Received: \[1\.\]"):
        seeds.report(np.ones(1))
    with pytest.raises(ValueError, match="Received: 1 init, 2 order"):
        seeds.train_together([0], [0, 1])


def test_figures_show_every_seed(accuracy):
    spread, pairs = seeds.plot_spread(), seeds.plot_pairs()
    rows = [line for line in spread.axes[0].lines if len(line.get_xdata()) == 30]
    for line, results in zip(rows, accuracy[:3], strict=True):
        assert np.allclose(line.get_xdata(), results)
    assert len(pairs.axes[0].lines[0].get_xdata()) == 30
    plt.close(spread)
    plt.close(pairs)


def test_the_arms_of_the_study_share_no_seed(monkeypatch):
    """One seed fixed at a time, then both drawn; each of the three sets is new."""
    calls = []

    def together(init, order, xavier):
        calls.append((init, order, xavier))
        return np.zeros(len(init))

    monkeypatch.setattr(seeds, "train_together", together)
    seeds.study.__wrapped__()
    ((init, order, xavier),) = calls
    n = seeds.SEEDS
    assert xavier == n
    assert set(order[:n]) == set(init[n : 2 * n]) == {0}
    assert init[2 * n :] == order[2 * n :]
    drawn = [*init[:n], *order[n : 2 * n], *init[2 * n : 3 * n], 0]
    assert len(set(drawn)) == 3 * n + 1
