"""The initializer: PyTorch as the oracle, the law of the draws, the errors."""

import math

import numpy as np
import pytest
import torch

from x0.initialization import orthogonal as module

SHAPES = [(4, 4), (3, 7), (7, 3), (6, 2, 3), (2, 3, 3, 3), (1, 5), (5, 1), (2, 2, 2, 2, 2)]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("gain", [1, math.sqrt(2)])
def test_draws_are_semi_orthogonal_for_every_shape(shape, gain):
    numpy = module.orthogonal(shape, gain, rng=np.random.default_rng(1))
    mine = torch.empty(shape, dtype=torch.float64)
    assert module.orthogonal_(mine, gain, generator(1)) is mine
    for w in (mine.numpy(), numpy):
        assert w.shape == shape
        flat = w.reshape(shape[0], -1)
        small = flat @ flat.T if flat.shape[0] <= flat.shape[1] else flat.T @ flat
        assert np.allclose(small, gain**2 * np.eye(len(small)), atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_draws_equal_pytorchs(shape):
    mine, oracle = torch.empty(shape), torch.empty(shape)
    module.orthogonal_(mine, 0.7, generator(3))
    torch.nn.init.orthogonal_(oracle, 0.7, generator(3))
    assert torch.allclose(mine, oracle, atol=1e-6)


def test_a_parameter_is_filled_without_a_gradient():
    parameter = torch.nn.Parameter(torch.zeros(4, 4))
    module.orthogonal_(parameter, generator=generator())
    assert parameter.grad_fn is None
    assert parameter.requires_grad


def test_the_global_generator_is_used_by_default():
    with torch.random.fork_rng():
        torch.manual_seed(5)
        mine = module.orthogonal_(torch.empty(4, 3))
        torch.manual_seed(5)
        oracle = torch.nn.init.orthogonal_(torch.empty(4, 3))
    assert torch.allclose(mine, oracle, atol=1e-6)


@pytest.mark.proves("orthogonal-calls", kind="call", range="6 × 6, 4 × 9, 9 × 4", tolerance="10⁻⁵")
def test_the_call_of_the_table(table):
    """The PyTorch call of the table gives a semi-orthogonal matrix times its gain."""
    rows = [row for row in table("initialization/orthogonal", "frameworks") if row[0] == "PyTorch"]
    assert len(rows) == 2
    for _, call in rows:
        for shape in ((6, 6), (4, 9), (9, 4)):
            w = torch.empty(shape)
            eval(call.strip("`"), {"torch": torch, "math": math, "w": w})
            expected = torch.full((min(shape),), math.sqrt(2))
            torch.testing.assert_close(torch.linalg.svdvals(w), expected, rtol=1e-5, atol=0)


@pytest.mark.parametrize("f", [module.orthogonal_, torch.nn.init.orthogonal_])
def test_errors_and_no_ops_are_pytorchs(f):
    for shape in ((), (3,)):
        with pytest.raises(ValueError, match=r"2 or more dimensions|at least 2 dimensions"):
            f(torch.ones(shape))
    empty = torch.empty(0, 3)
    assert f(empty) is empty
    meta = torch.empty(3, 3, device="meta")
    assert f(meta) is meta


@pytest.mark.proves("orthogonal-half", kind="call", range="float16, bfloat16")
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_drawn_in_float32_which_pytorch_refuses(dtype):
    """orthogonal_ raises a RuntimeError for float16 and bfloat16."""
    w = module.orthogonal_(torch.empty(3, 3, dtype=dtype)).double()
    assert torch.allclose(w @ w.T, torch.eye(3).double(), atol=0.05)
    with pytest.raises(RuntimeError):  # its QR needs float32 or float64
        torch.nn.init.orthogonal_(torch.empty(3, 3, dtype=dtype))


def test_numpy_errors_say_what_was_received():
    with pytest.raises(ValueError, match=r"Received: shape=\(3,\)"):
        module.orthogonal((3,), rng=np.random.default_rng(0))


@pytest.mark.parametrize("draw", ["torch", "mine", "numpy"])
def test_entries_have_mean_zero_and_variance_one_over_the_larger_fan(draw):
    rng, g = np.random.default_rng(0), generator()
    stack = []
    for _ in range(3000):
        if draw == "numpy":
            stack.append(module.orthogonal((3, 5), rng=rng))
        else:
            f = module.orthogonal_ if draw == "mine" else torch.nn.init.orthogonal_
            stack.append(f(torch.empty(3, 5), generator=g).double().numpy())
    w = np.array(stack)
    for i, j in ((0, 0), (2, 4)):
        entry = w[:, i, j]
        assert abs(entry.mean()) < 4 * entry.std() / math.sqrt(3000)
        square = entry**2
        error = square.std() / math.sqrt(3000)
        assert abs(square.mean() - 1 / 5) < 4 * error < 0.05 * 4 / 5
        assert abs(square.mean() - 1 / 3) > 4 * error  # the smaller fan
    cross = w[:, 0, 0] * w[:, 0, 1]
    assert abs(cross.mean()) < 4 * cross.std() / math.sqrt(3000)
    # Uncorrelated, not independent: squares of one row add up to 1.
    assert np.allclose((w**2).sum(2), 1)


def test_without_the_sign_fix_the_first_entry_has_a_sign():
    raw = module.first_entries(16, 4000, fix=False, rng=np.random.default_rng(3))
    fixed = module.first_entries(16, 4000, fix=True, rng=np.random.default_rng(3))
    assert raw.max() < 0
    # q_11 is minus the absolute first entry of a uniform unit vector.
    theory = -4 * math.gamma(8) / (math.sqrt(math.pi) * math.gamma(8.5))
    error = raw.std() / math.sqrt(len(raw))
    assert abs(raw.mean() - theory) < 4 * error < 0.05 * abs(theory)
    assert abs(fixed.mean()) < 4 * fixed.std() / math.sqrt(len(fixed))


def test_expanding_layers_lose_mean_square():
    g = generator(2)
    x = torch.randn(256, 64, generator=g)
    up = module.orthogonal_(torch.empty(256, 64), generator=g)
    z = x @ up.T
    assert torch.allclose(z.square().sum(1), x.square().sum(1), rtol=1e-4)
    assert float(z.square().mean() / x.square().mean()) == pytest.approx(1 / 4, rel=1e-4)


def test_what_is_shown(values, printed):
    corners = values("orthogonal")["corners"]
    assert corners["raw"][0] < -0.7
    assert abs(corners["fixed"][0]) < 4 * corners["fixed"][1]
    lines = printed("orthogonal").splitlines()
    assert lines[1].split()[2:] == ["0.0", "0.0", "1.00"]
    assert lines[3].split()[3:] == ["0.0", "0.25"]
