"""The rule: PyTorch as the oracle, the law of the draws, the documented errors."""

import math
import warnings

import numpy as np
import pytest
import torch

from x0.initialization import he

SHAPES = {
    "linear": (10, 7),
    "convolution": (8, 3, 5, 5),
    "transposed": (3, 8, 4, 4),
    "one-dimensional": (6, 2, 9),
}
NONLINEARITIES = [
    "linear",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "selu",
]
PAIRS = [
    (he.he_normal_, torch.nn.init.kaiming_normal_),
    (he.he_uniform_, torch.nn.init.kaiming_uniform_),
]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
def test_gain_is_pytorchs(nonlinearity):
    assert he.gain(nonlinearity) == torch.nn.init.calculate_gain(nonlinearity)
    for slope in (0, 0.2, math.sqrt(5), -1):
        ours = he.gain(nonlinearity, slope)
        assert ours == torch.nn.init.calculate_gain(nonlinearity, slope)


@pytest.mark.proves("he-draws", kind="call", range="4 shapes, fan_in and fan_out, slope 0, 0.3")
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "FAN_IN"])
@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=["normal", "uniform"])
def test_draws_equal_pytorchs(ours, theirs, mode, shape):
    """The arguments and the numbers are those of kaiming_normal_ and kaiming_uniform_."""
    for a, nonlinearity in [(0, "leaky_relu"), (0.3, "leaky_relu"), (0, "relu"), (0, "tanh")]:
        kwargs = {"a": a, "mode": mode, "nonlinearity": nonlinearity}
        mine, oracle = torch.empty(shape), torch.empty(shape)
        assert ours(mine, **kwargs, generator=generator(3)) is mine
        theirs(oracle, **kwargs, generator=generator(3))
        assert torch.equal(mine, oracle)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=["normal", "uniform"])
def test_positional_arguments_and_defaults_are_pytorchs(ours, theirs):
    mine, oracle = torch.empty(9, 5), torch.empty(9, 5)
    ours(mine, 0.1, "fan_out", "leaky_relu", generator(1))
    theirs(oracle, 0.1, "fan_out", "leaky_relu", generator(1))
    assert torch.equal(mine, oracle)
    ours(mine, generator=generator(2))
    theirs(oracle, generator=generator(2))
    assert torch.equal(mine, oracle)


def test_without_a_generator_the_global_state_is_used():
    state = torch.random.get_rng_state()
    try:
        torch.manual_seed(5)
        mine = he.he_normal_(torch.empty(6, 4))
        torch.manual_seed(5)
        oracle = torch.nn.init.kaiming_normal_(torch.empty(6, 4))
    finally:
        torch.random.set_rng_state(state)
    assert torch.equal(mine, oracle)


def test_a_parameter_is_filled_without_a_gradient():
    parameter = torch.nn.Parameter(torch.zeros(4, 4))
    he.he_uniform_(parameter, generator=generator())
    assert parameter.grad_fn is None
    assert parameter.requires_grad
    assert parameter.detach().abs().min() > 0


@pytest.mark.proves("he-empty", kind="call", range="3 shapes")
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (2, 0, 3)])
@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=["normal", "uniform"])
def test_a_tensor_without_elements_warns_and_stays(ours, theirs, shape):
    """A tensor without elements gives a warning, not an error."""
    for initialize in (ours, theirs):
        tensor = torch.empty(shape)
        with pytest.warns(UserWarning, match=r"[Zz]ero-element|without elements"):
            assert initialize(tensor) is tensor


def test_numpy_arrays_without_elements_are_empty():
    rng = np.random.default_rng(0)
    for draw in (he.he_normal, he.he_uniform):
        assert draw((3, 0), rng=rng).shape == (3, 0)


@pytest.mark.parametrize("initialize", [f for pair in PAIRS for f in pair])
@pytest.mark.parametrize(
    ("shape", "kwargs"),
    [
        ((3,), {}),
        ((), {}),
        ((3, 3), {"mode": "fan_average"}),
        ((3, 3), {"nonlinearity": "gelu"}),
        ((3, 3), {"a": True}),
        ((3, 3), {"a": "0.1"}),
    ],
)
def test_errors_are_pytorchs(initialize, shape, kwargs):
    tensor = torch.ones(shape)
    with pytest.raises(
        ValueError, match=r"Received|can not be|not supported|Unsupported|not a valid"
    ):
        initialize(tensor, **kwargs)
    assert torch.equal(tensor, torch.ones(shape))


def test_errors_say_what_was_received():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"Received: shape=\(3,\)"):
        he.he_normal((3,), rng=rng)
    with pytest.raises(ValueError, match="Received: mode='fan'"):
        he.he_uniform((3, 3), mode="fan", rng=rng)
    with pytest.raises(ValueError, match="Received: nonlinearity='gelu'"):
        he.gain("gelu")
    with pytest.raises(ValueError, match="Received: negative_slope=None"):
        he.gain("leaky_relu", None)


@pytest.mark.parametrize("draw", [he.he_normal, he.he_uniform])
@pytest.mark.parametrize("mode", ["fan_in", "fan_out"])
def test_numpy_draws_have_the_law(draw, mode):
    weight = draw(
        (128, 48, 3, 3), a=0.2, mode=mode, nonlinearity="leaky_relu", rng=np.random.default_rng(1)
    )
    assert weight.shape == (128, 48, 3, 3)
    fan = 48 * 9 if mode == "fan_in" else 128 * 9
    theory = 2 / (1.04 * fan)
    square = weight**2
    error = square.std() / math.sqrt(square.size)
    assert abs(square.mean() - theory) < 4 * error < 0.05 * theory
    wrong = 2 / fan
    assert abs(square.mean() - wrong) > 4 * error
    assert abs(weight.mean()) < 4 * math.sqrt(theory / weight.size)


def test_uniform_stays_below_its_bound_and_reaches_it():
    bound = math.sqrt(6 / 75)
    kernel = torch.empty(64, 3, 5, 5)
    he.he_uniform_(kernel, nonlinearity="relu", generator=generator())
    assert 0.99 * bound < kernel.abs().max() <= bound


@pytest.mark.claim("A-30")
@pytest.mark.claim("A-31")
def test_fan_in_variance_is_two_over_fan_in_and_a_std_is_its_root():
    assert he.he_std((64, 256)) ** 2 == pytest.approx(2 / 256)
    assert he.he_std((64, 256), mode="fan_out") ** 2 == pytest.approx(2 / 64)
    # The claim is of the layer: the second moment of its output over that of its input, and of the
    # gradient the other way round, is 1 for the fan that was chosen and for no other variance.
    for a in (0.0, 0.01, 0.25, 1.0):
        for mode, kept in (("fan_in", (1, 1 / 4)), ("fan_out", (4, 1))):
            std = he.he_std((64, 256), a=a, mode=mode, nonlinearity="leaky_relu")
            draws = generator(3)
            w = std * torch.randn(200, 64, 256, generator=draws)
            z = torch.randn(200, 1, 256, generator=draws)
            g = torch.randn(200, 1, 64, generator=draws)
            slope = torch.where(z > 0, 1.0, a)
            forward = ((z * slope) @ w.mT).square().mean((1, 2))
            backward = ((g @ w) * slope).square().mean((1, 2))
            for ratios, expected in zip((forward, backward), kept, strict=True):
                error = float(ratios.std()) / math.sqrt(200)
                assert abs(float(ratios.mean()) - expected) < 4 * error < 0.1 * expected
    # Read as N(mean, variance), the source's second argument sqrt(2 / n) would
    # make the next layer sqrt(n / 2) times too large.
    wrong = math.sqrt(2 / 256)
    assert wrong / he.he_std((64, 256)) ** 2 == pytest.approx(math.sqrt(128))


@pytest.mark.proves("he-defaults", kind="call", range="kaiming_uniform_, kaiming_normal_")
@pytest.mark.claim("A-46")
def test_kaiming_uniform_with_defaults_is_he_for_a_convolution():
    """Defaults give the draws of "relu"; the default slope of calculate_gain is 0.01."""
    conv = torch.nn.Conv2d(3, 32, kernel_size=5)
    default, relu, ours = (torch.empty_like(conv.weight) for _ in range(3))
    torch.nn.init.kaiming_uniform_(default, generator=generator(4))
    torch.nn.init.kaiming_uniform_(relu, nonlinearity="relu", generator=generator(4))
    he.he_uniform_(ours, nonlinearity="relu", generator=generator(4))
    assert torch.equal(default, relu)
    normal, by_name = torch.empty_like(relu), torch.empty_like(relu)
    torch.nn.init.kaiming_normal_(normal, generator=generator(4))
    torch.nn.init.kaiming_normal_(by_name, nonlinearity="relu", generator=generator(4))
    assert torch.equal(normal, by_name)
    gain = torch.nn.init.calculate_gain
    assert gain("leaky_relu") == gain("leaky_relu", 0.01) != gain("leaky_relu", 0)
    assert torch.equal(default, ours)
    assert default.abs().max() <= math.sqrt(6 / 75)
    # The constructor's own draw is not He: its bound is 1 / sqrt(75).
    assert conv.weight.abs().max() <= 1 / math.sqrt(75)
    assert default.abs().max() > 2 / math.sqrt(75)


@pytest.mark.proves("he-calls", kind="call", n="2 × 400,000 draws", tolerance="4 SE")
def test_the_calls_of_the_table(draws):
    """The PyTorch calls of the table draw, with variance 2 / fan_in, what their row says."""
    draws("initialization/he", 2)


def test_constructor_default_gives_a_third():
    assert 75 * he.he_std((32, 3, 5, 5), a=math.sqrt(5)) ** 2 == pytest.approx(1 / 3)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layer = torch.nn.Linear(400, 2000)
    square = layer.weight.detach().square() * 400
    error = square.std() / math.sqrt(square.numel())
    assert abs(square.mean() - 1 / 3) < 4 * error < 0.05 / 3


@pytest.mark.proves(
    "he-transposed",
    kind="call",
    range="stride 1…3, groups 1, 2, 4",
    tolerance="4 SE",
    effect="1 → 1 / (S Γ)",
)
@pytest.mark.parametrize(("stride", "groups"), [(1, 1), (2, 1), ((2, 3), 1), (1, 4), (2, 2)])
def test_the_root_of_stride_and_groups_repairs_a_transposed_convolution(stride, groups):
    """mode="fan_out", then w.mul_(sqrt(stride * groups)): q is kept; without it, lost."""
    layer = torch.nn.ConvTranspose2d(16, 16, 6, stride=stride, groups=groups, bias=False)
    count = math.prod(layer.stride) * groups
    source = generator(7)
    found = {True: [], False: []}
    for repair in found:
        for _ in range(60):
            with torch.no_grad():
                torch.nn.init.kaiming_normal_(
                    layer.weight, mode="fan_out", nonlinearity="linear", generator=source
                )
                if repair:
                    layer.weight.mul_(math.sqrt(math.prod(layer.stride) * layer.groups))
                h = torch.randn(1, 16, 14, 14, generator=source)
                z = layer(h)
                rows, columns = (6 * step for step in layer.stride)
                z = z[..., rows:-rows, columns:-columns]
            found[repair].append(float(z.square().mean()))
    for repair, x in found.items():
        theory = 1.0 if repair else 1 / count
        error = np.std(x, ddof=1) / math.sqrt(len(x))
        assert abs(np.mean(x) - theory) < 4 * error < 0.2 * theory


@pytest.mark.proves("he-complex", kind="call", range="1,000,000 weights", tolerance="1 %")
def test_complex_uniform_weights_get_twice_the_variance():
    """kaiming_normal_ splits the variance between the parts, kaiming_uniform_ gives it to both."""
    weight = torch.empty(1000, 1000, dtype=torch.complex64)
    for initialize, n_v in (
        (torch.nn.init.kaiming_normal_, 1.0),
        (torch.nn.init.kaiming_uniform_, 2.0),
    ):
        initialize(weight, nonlinearity="relu", generator=generator(11))
        for part in (weight.real, weight.imag):
            assert float(1000 * part.var()) == pytest.approx(n_v, rel=0.01)
    for ours in (he.he_normal_, he.he_uniform_):
        with pytest.raises(ValueError, match="real numbers"):
            ours(weight)


@pytest.mark.proves("he-slope", kind="call", range="nn.PReLU, nonlinearity relu, leaky_relu")
def test_prelu_starts_at_a_quarter_and_relu_ignores_a():
    """PReLU starts with the slope 0.25; nonlinearity="relu" ignores a, "leaky_relu" uses it."""
    assert float(torch.nn.PReLU().weight.detach()) == 0.25
    std = {
        (name, a): float(
            torch.nn.init.kaiming_uniform_(
                torch.empty(50, 50), a=a, nonlinearity=name, generator=generator(1)
            )
            .abs()
            .max()
        )
        for name in ("relu", "leaky_relu")
        for a in (0, 0.25)
    }
    assert std["relu", 0.25] == std["relu", 0] == std["leaky_relu", 0]
    assert std["leaky_relu", 0.25] == pytest.approx(std["relu", 0] / math.sqrt(1 + 0.25**2))


@pytest.mark.proves("he-border", kind="cause", effect="⅔ at the edge → 1 with circular padding")
def test_zero_padding_makes_q_smaller_at_the_border():
    """An output at the border reads fewer inputs; with padding that repeats, q is the same."""
    source = generator(8)
    for mode, smaller in (("zeros", True), ("circular", False)):
        layer = torch.nn.Conv2d(32, 64, 3, padding=1, bias=False, padding_mode=mode)
        edge, inside = [], []
        for _ in range(40):
            he.he_normal_(layer.weight, nonlinearity="relu", generator=source)
            with torch.no_grad():
                z = layer(torch.randn(1, 32, 12, 12, generator=source)).square().mean((0, 1))
            edge.append(float(z[0, 1:-1].mean()))
            inside.append(float(z[2:-2, 2:-2].mean()))
        ratio = np.array(edge) / np.array(inside)
        error = ratio.std(ddof=1) / math.sqrt(len(ratio))
        theory = 2 / 3 if smaller else 1.0
        assert abs(ratio.mean() - theory) < 4 * error + 0.01


def test_transposed_convolution_counts_its_output_channels_as_fan_in():
    layer = torch.nn.ConvTranspose2d(16, 4, kernel_size=3)
    assert layer.weight.shape == (16, 4, 3, 3)
    assert he.fans(layer.weight.shape) == (4 * 9, 16 * 9)


def test_demo_prints_what_the_page_shows(printed):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        text = printed("he")
    assert text.splitlines()[:3] == [
        "std of Linear(256, 256)      0.08839",
        "bound of Conv2d(3, 32, 5)    0.28284",
        "fan_in * Var(w), normal         2.0",
    ]
