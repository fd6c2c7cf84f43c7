"""What settles and what adds up, against dense networks and the prediction."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.initialization import mean_field_fluctuations as module


def std_error(samples):
    """Return the standard deviation of samples and its standard error."""
    x = np.asarray(samples)
    centered = (x - x.mean()) ** 2
    std = math.sqrt(centered.mean())
    return std, centered.std() / math.sqrt(len(x)) / (2 * std)


@pytest.mark.parametrize("name", ["ReLU, He", "tanh, critical", "SELU, LeCun"])
def test_the_chain_has_the_distribution_of_dense_networks(name):
    """Real matrices and automatic differentiation: the same spread of ln q and ln d."""
    phi, weight, bias, q = module.NETWORKS[name]
    width, depth, count = 24, 6, 3000
    generator = torch.Generator().manual_seed(1)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    z = (math.sqrt(q) * normal(count, width, 1)).requires_grad_()
    layers = [z]
    for _ in range(depth - 1):
        matrix = math.sqrt(weight / width) * normal(count, width, width)
        z = matrix @ phi(z) + math.sqrt(bias) * normal(count, width, 1)
        layers.append(z)
    delta = normal(count, width, 1)
    dense = torch.autograd.grad(layers[-1], layers, delta)
    dense_s = weight * phi(layers[-2].detach()).square().mean((1, 2)) + bias
    log_s, log_d = module.scale_chain(name, width, depth, count, generator)
    for x, y in (
        (dense_s.log(), log_s[-1]),
        (dense[0].square().mean((1, 2)).log(), log_d[0]),
        (dense[2].square().mean((1, 2)).log(), log_d[2]),
    ):
        (a, ea), (b, eb) = std_error(x), std_error(y)
        assert abs(a - b) < 4 * math.hypot(ea, eb)
        error = math.hypot(float(x.std()), float(y.std())) / math.sqrt(count)
        assert abs(float(x.mean() - y.mean())) < 4 * error


def test_networks_start_at_fixed_points():
    x = torch.linspace(-10, 10, 4000, dtype=torch.float64)
    density = torch.exp(-(x**2) / 2)
    density /= density.sum()
    for phi, weight, bias, q in module.NETWORKS.values():
        after = weight * float(density @ phi(math.sqrt(q) * x) ** 2) + bias
        assert after == pytest.approx(q, rel=1e-5)


@pytest.mark.proves(
    "mean-field-settles",
    kind="cause",
    range="width 100, layers 20 and 80; width 50, 200, layer 40; 400 and 600 networks",
    effect='0.8: {val:mean_field_fluctuations.s_spread["ReLU, biases"][80]:.2f}; 1: {val:mean_field_fluctuations.s_spread["ReLU, He"][80]:.2f}',
)
def test_ln_s_settles_where_chi_par_is_below_one(values):
    """chi_par < 1: the level does not depend on depth; 1, ReLU: it adds up; > 1: it is amplified."""
    spread = values("mean_field_fluctuations")["s_spread"]
    for name, by_layer in spread.items():
        chi, level = module.settled(name)
        error = 4 / math.sqrt(2 * module.COUNT)
        if chi < 0.99:
            for x in by_layer.values():
                assert abs(x / level - 1) < error + 0.1
            assert abs(by_layer[80] / by_layer[20] - 1) < 2 * error
        else:
            assert by_layer[80] > (1.8 if "critical" not in name else 1) * by_layer[20]
    assert spread["ReLU, He"][80] == pytest.approx(math.sqrt(5 * 79 / 100), rel=0.15)
    assert spread["GELU, 2.352"][80] > 5 * spread["ReLU, He"][80]
    assert module.settled("ReLU, biases")[0] == pytest.approx(0.8, abs=1e-6)
    # and the level goes like one over the root of the width
    generator = torch.Generator().manual_seed(2)
    for width in (50, 200):
        log_s, _ = module.scale_chain("ReLU, biases", width, 40, 600, generator)
        std, error = std_error(log_s[-1])
        assert abs(std - module.settled("ReLU, biases", width)[1]) < 4 * error + 0.1 * std


@pytest.mark.proves(
    "mean-field-gradient-adds", kind="search", range="7 networks, width 100, 80 layers", n=400
)
def test_ln_d_adds_up_in_every_network(values):
    """The standard deviation of ln d keeps growing towards the input in all seven networks."""
    assert len(module.NETWORKS) == 7
    for name, (_, d) in module.spreads().items():
        quarters = d[[78, 59, 39, 19, 0]]
        assert np.all(np.diff(quarters) > 0), name
        assert quarters[-1] > 1.5 * quarters[1], name
    spread = values("mean_field_fluctuations")["d_spread"]
    for name, by_layer in spread.items():
        if module.settled(name)[0] < 0.99:
            assert by_layer[1] > 5 * module.settled(name)[1]


@pytest.mark.proves(
    "finite-width-tanh", kind="fact", n=400, range="width 100, 20 and 80 layers", tolerance="4 SE"
)
def test_tanh_settles_with_gain_five_thirds_and_not_with_gain_one(monkeypatch):
    """ln s of tanh settles at gain 5/3 and grows at gain 1; ln d grows at both."""
    monkeypatch.setitem(module.NETWORKS, "tanh, LeCun", (torch.tanh, 1.0, 0.0, 1.0))
    for name, settles in (("tanh, gain 5/3", True), ("tanh, LeCun", False)):
        generator = torch.Generator().manual_seed(3)
        log_s, log_d = module.scale_chain(name, 100, 80, 400, generator)
        (early, a), (late, b) = std_error(log_s[19]), std_error(log_s[79])
        assert (abs(late - early) < 4 * math.hypot(a, b)) == settles
        assert (late > 1.7 * early) != settles
        (upper, a), (lower, b) = std_error(log_d[59]), std_error(log_d[0])
        assert lower - upper > 4 * math.hypot(a, b)


@pytest.mark.proves("mean-field-fluctuations", kind="caption", n=400)
def test_figure_four_settle_one_walks_one_runs_away():
    """ln s: four level, ReLU by the root, GELU runs away. ln d: all grow, five to about 2."""
    figure = module.plot_layers()
    above, below = (
        {line.get_label(): line.get_ydata() for line in axis.lines if len(line.get_xdata()) > 70}
        for axis in figure.axes
    )
    level = [n for n in above if n in module.NETWORKS and module.settled(n)[0] < 0.99]
    assert len(level) == 4
    for name in level:
        assert np.ptp(np.log(above[name][20:])) < 0.35
    walk = above["predicted"]
    assert np.abs(np.log(above["ReLU, He"][5:] / walk[5:])).max() < 0.2
    assert above["GELU, 2.352"][-1] > 10
    lines = list(below.values())
    assert len(lines) == 6
    assert all(line[0] > 1.2 * line[40] > line[60] for line in lines)
    assert sum(1.6 < line[0] < 2.4 for line in lines) == 5
    plt.close(figure)


@pytest.mark.proves(
    "mean-field-draw",
    kind="ratio",
    seeds=600,
    effect='{val:mean_field_networks.measured["GELU, critical"][0]:.2f} → {val:mean_field_fluctuations.typical[500]:.2f}',
)
def test_the_miss_of_critical_gelu_was_mostly_a_draw(values):
    """600 networks of width 500 lie within 0.05 of the prediction, 20 networks 0.14 below."""
    prediction = values("mean_field_networks")["predicted"]["GELU, critical"][0]
    seen, error = values("mean_field_networks")["measured"]["GELU, critical"][0]
    typical = values("mean_field_fluctuations")["typical"]
    for mean, error_of_mean in typical.values():
        assert error_of_mean < 0.02
        assert abs(mean - prediction) < 0.05
    assert seen < prediction - 0.1
    assert abs(seen - prediction) < 3 * error
    assert (prediction - typical[500][0]) < 0.5 * (prediction - seen)
    # all rows of the table are below three standard errors
    left = values("mean_field_networks")
    shown = [("tanh, ordered", 0), ("tanh, ordered", 2), ("tanh, gain 5/3", 0)]
    shown += [("tanh, gain 5/3", 1), ("tanh, gain 5/3", 2), ("ReLU, He", 1)]
    shown += [("GELU, He", 0), ("GELU, critical", 0)]
    for name, row in shown:
        mean, error = left["measured"][name][row]
        assert abs(mean - left["predicted"][name][row]) < 3 * error
