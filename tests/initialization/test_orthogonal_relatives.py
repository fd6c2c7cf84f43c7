"""eye_, dirac_ and sparse_ against torch.nn.init."""

import inspect
import math

import pytest
import torch

from x0.initialization import orthogonal_relatives as module


@pytest.mark.parametrize("name", ["eye_", "dirac_", "sparse_"])
def test_signatures_are_pytorchs(name):
    mine = inspect.signature(getattr(module, name)).parameters.values()
    oracle = inspect.signature(getattr(torch.nn.init, name)).parameters.values()
    assert [(p.name, p.default) for p in mine] == [(p.name, p.default) for p in oracle]


@pytest.mark.parametrize("shape", [(3, 3), (2, 5), (5, 2), (0, 3)])
def test_eye(shape):
    mine, oracle = torch.full(shape, 7.0), torch.full(shape, 7.0)
    assert module.eye_(mine) is mine
    assert torch.equal(mine, torch.nn.init.eye_(oracle))


@pytest.mark.parametrize(
    ("shape", "groups"),
    [
        ((3, 16, 5), 1),
        ((4, 3, 3, 3), 1),
        ((4, 3, 4, 2), 1),
        ((6, 2, 3, 3), 3),
        ((6, 4, 3, 1, 3), 2),
        ((2, 3, 2, 2, 2), 1),
    ],
)
def test_dirac(shape, groups):
    mine, oracle = torch.full(shape, 7.0), torch.full(shape, 7.0)
    assert module.dirac_(mine, groups) is mine
    assert torch.equal(mine, torch.nn.init.dirac_(oracle, groups))


@pytest.mark.parametrize("init", [module, torch.nn.init])
def test_errors_are_pytorchs(init):
    for f, shape, rest in (
        (init.eye_, (2, 2, 2), ()),
        (init.sparse_, (3,), (0.5,)),
        (init.dirac_, (3, 3), ()),
        (init.dirac_, (3, 3, 3), (2,)),
    ):
        with pytest.raises(ValueError, match=r"Received|supported|divisible"):
            f(torch.ones(shape), *rest)


def test_parameters_keep_their_flag():
    for f, shape in ((module.eye_, (2, 2)), (module.dirac_, (2, 2, 3))):
        parameter = torch.nn.Parameter(torch.zeros(shape))
        f(parameter)
        assert parameter.requires_grad
        assert parameter.grad_fn is None


@pytest.mark.parametrize("sparsity", [0.0, 0.25, 0.31, 1.0])
@pytest.mark.parametrize("init", [module, torch.nn.init])
def test_sparse_has_exactly_so_many_zeros_per_column(init, sparsity):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        w = init.sparse_(torch.empty(100, 300), sparsity, std=0.2)
    zeros = (w == 0).sum(0)
    assert zeros.unique().tolist() == [math.ceil(sparsity * 100)]
    rest = w[w != 0]
    if len(rest):
        square = rest.double().square()
        error = float(square.std()) / math.sqrt(len(square))
        assert abs(float(square.mean()) - 0.04) < 4 * error < 0.05 * 0.04
    # Each row is hit as often as any other.
    rows = (w == 0).double().mean(1)
    assert float((rows - sparsity).abs().max()) < 5 * math.sqrt(0.25 / 300)


@pytest.mark.proves("orthogonal-sparse", kind="call")
def test_a_seeded_generator_repeats_ours_and_not_pytorchs():
    """With the same seed two calls of PyTorch's sparse_ differ, those of the version of this page do not."""

    def draw(init, seed):
        torch.manual_seed(seed)
        w = torch.empty(9, 9)
        return init.sparse_(w, 0.5, generator=torch.Generator().manual_seed(0))

    with torch.random.fork_rng():
        assert torch.equal(draw(module, 1), draw(module, 2))
        assert not torch.equal(draw(torch.nn.init, 1), draw(torch.nn.init, 2))


def test_what_is_shown(printed):
    out = printed("orthogonal_relatives")
    assert "convolution with dirac_ leaves x: True" in out
    assert "repeats with a seeded generator: False" in out
    assert "non-zeros per column: {20}" in out
