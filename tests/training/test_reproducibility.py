"""Streams: repeatable, independent, and without a trace in the global state."""

import os
import random
import subprocess
import sys

import numpy as np
import pytest
import torch

from x0.training import reproducibility as repro


def test_streams_repeat_and_differ_by_name_and_seed():
    makers = {
        repro.numpy_stream: lambda g: g.integers(2**60),
        repro.python_stream: lambda g: g.getrandbits(60),
        repro.torch_stream: lambda g: torch.randint(2**60, (), generator=g).item(),
    }
    for make, draw in makers.items():
        keys = [(0, "a"), (1, "a"), (0, "b"), (0, "ab"), (0, "order")]
        first, again = ([draw(make(*key)) for key in keys] for _ in range(2))
        assert first == again
        assert len(set(first)) == len(keys)


def test_named_streams_are_uncorrelated():
    a, b = (repro.numpy_stream(7, name).standard_normal(100_000) for name in "ab")
    assert abs((a * b).mean()) < 4 / 100_000**0.5


def test_one_stream_for_all_couples_what_should_not_be(values):
    shown = values("reproducibility")
    assert shown["kept"] < 10  # one more weight, another order of the data
    assert shown["named"] == 1000


@pytest.mark.proves("reproducibility-same", kind="call", n="2 × 50")
def test_the_same_seed_gives_the_same_bits_on_one_cpu():
    """On one CPU, in one thread, one seed gives the same bits; the order of a set of strings needs PYTHONHASHSEED."""

    def trained():
        with repro.global_streams(0):
            model = torch.nn.Sequential(
                torch.nn.Linear(32, 64), torch.nn.ReLU(), torch.nn.Dropout(), torch.nn.Linear(64, 1)
            )
            optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
            for _ in range(50):
                optimizer.zero_grad()
                model(torch.randn(128, 32)).square().mean().backward()
                optimizer.step()
            return torch.nn.utils.parameters_to_vector(model.parameters()).detach()

    assert torch.equal(trained(), trained())
    command = [sys.executable, "-c", "print(list(set('abcdefgh')))"]
    orders = [
        subprocess.check_output(command, env={**os.environ, "PYTHONHASHSEED": seed})
        for seed in ("1", "2", "1")
    ]
    assert orders[0] == orders[2] != orders[1]


@pytest.mark.proves("reproducibility-index", kind="call")
def test_the_gradient_of_indexing_can_change_on_a_cpu():
    """PyTorch lists the gradient of indexing a CPU tensor; one thread or the mode fixes its bits."""
    told = " ".join((torch.use_deterministic_algorithms.__doc__ or "").split())
    assert "__getitem__` when attempting to differentiate a CPU tensor" in told
    rows = torch.randint(100, (20_000,), generator=torch.Generator().manual_seed(0))
    factors = torch.randn(20_000, 8, generator=torch.Generator().manual_seed(1))

    def gradient():
        w = torch.zeros(100, 8, requires_grad=True)
        (w[rows] * factors).sum().backward()
        return w.grad

    before = torch.get_num_threads()
    try:
        for threads, fixed in ((1, False), (2, True)):
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(fixed)
            first = gradient()
            assert all(torch.equal(gradient(), first) for _ in range(20))
    finally:
        torch.use_deterministic_algorithms(False)
        torch.set_num_threads(before)


@pytest.mark.proves("reproducibility-streams", kind="call")
def test_the_streams_of_the_table_leave_the_global_ones_alone():
    """random.Random, default_rng, torch.Generator and DataLoader(generator=) repeat and touch no global stream."""

    def torch_stream(seed):
        return torch.Generator().manual_seed(seed)

    def order(seed):
        loader = torch.utils.data.DataLoader(
            list(range(50)), shuffle=True, generator=torch_stream(seed)
        )
        return [int(x) for x in loader]

    for draw in (
        lambda seed: random.Random(seed).random(),
        lambda seed: np.random.default_rng(seed).random(),
        lambda seed: torch.rand((), generator=torch_stream(seed)).item(),
        order,
    ):
        first = draw(7)
        before = draw_globals()  # moves the global streams
        state = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()
        assert draw(7) == first != draw(8)
        assert random.getstate() == state[0]
        assert (np.random.get_state()[1] == state[1]).all()
        assert torch.equal(torch.get_rng_state(), state[2])
        assert draw_globals() != before


@pytest.mark.proves("reproducibility-sampler", kind="call", range="1…5 processes, 3 epochs")
def test_shares_of_processes():
    """Shares of one permutation, filled up by repeated rows; the same without set_epoch, and for equal seed + epoch;
    mean gradients are the whole's, with other last bits for another number of processes, but not behind BatchNorm or for unequal tokens."""
    data = list(range(60))
    uneven = [
        row
        for rank in range(4)
        for row in torch.utils.data.DistributedSampler(range(10), num_replicas=4, rank=rank)
    ]
    assert len(uneven) == 12  # two rows come twice
    assert set(uneven) == set(range(10))

    def share(rank, processes, seed, epoch):
        sampler = torch.utils.data.DistributedSampler(
            data, num_replicas=processes, rank=rank, seed=seed
        )
        if epoch is not None:
            sampler.set_epoch(epoch)
        return list(sampler)

    for processes in (1, 2, 3, 4, 5):
        orders = set()
        for epoch in (0, 1, 2):
            shares = [share(rank, processes, 7, epoch) for rank in range(processes)]
            assert sorted(row for part in shares for row in part) == data
            orders.add(str(shares))
            assert share(0, processes, 7, None) == share(0, processes, 7, None)
        assert len(orders) == 3
    assert share(0, 2, 7, 1) == share(0, 2, 8, 0)  # it draws from seed + epoch
    mixed = share(0, 2, 7, 0) + share(1, 2, 8, 0)  # a seed of its own on each process
    assert len(set(mixed)) < 60
    x, w = torch.randn(60, 3), torch.ones(3, requires_grad=True)
    (whole,) = torch.autograd.grad((x @ w).square().mean(), w)
    averaged = []
    for processes in (2, 3, 4, 5):
        parts = [x[share(rank, processes, 7, 0)] for rank in range(processes)]
        means = [torch.autograd.grad((part @ w).square().mean(), w)[0] for part in parts]
        averaged.append(torch.stack(means).mean(0))
        assert torch.allclose(averaged[-1], whole, atol=1e-5)
    assert not all(torch.equal(gradient, averaged[0]) for gradient in averaged)

    def behind_norm(rows):
        z = torch.nn.functional.batch_norm(rows * w, None, None, training=True)
        return torch.autograd.grad(z.sum(1).exp().mean(), w)[0]

    parts = [behind_norm(x[share(rank, 2, 7, 0)] + 1) for rank in range(2)]
    whole = behind_norm(x + 1)
    assert not torch.allclose(torch.stack(parts).mean(0), whole, atol=1e-5)

    def over_tokens(rows, valid):
        losses = (rows @ w).square()
        return torch.autograd.grad((losses * valid).sum() / valid.sum(), w)[0]

    shares = [share(rank, 2, 7, 0) for rank in range(2)]
    for counts, equal in (((10, 10), True), ((2, 30), False)):
        valid = torch.zeros(60)
        for rows, count in zip(shares, counts, strict=True):
            valid[rows[:count]] = 1
        mean = torch.stack([over_tokens(x[rows], valid[rows]) for rows in shares]).mean(0)
        assert torch.allclose(mean, over_tokens(x, valid), atol=1e-5) == equal


def draw_globals():
    return random.random(), np.random.rand(), torch.rand(()).item()


def test_global_streams_repeat_and_leave_no_trace():
    before = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()
    with repro.global_streams(3):
        first = draw_globals()
    with repro.global_streams(3):
        assert draw_globals() == first
    with repro.global_streams(4):
        assert draw_globals() != first
    assert random.getstate() == before[0]
    assert (np.random.get_state()[1] == before[1]).all()
    assert torch.equal(torch.get_rng_state(), before[2])


def test_the_state_returns_after_an_error():
    before = random.getstate(), torch.get_rng_state()

    def fail():
        with repro.global_streams(3):
            draw_globals()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert random.getstate() == before[0]
    assert torch.equal(torch.get_rng_state(), before[1])


def test_inside_the_block_the_streams_are_those_of_the_usual_calls():
    with repro.global_streams(5):
        ours = draw_globals()
    theirs = (
        random.Random(5).random(),
        np.random.RandomState(5).rand(),
        torch.rand((), generator=torch.Generator().manual_seed(5)).item(),
    )
    assert ours == theirs


def test_errors():
    with pytest.raises(ValueError, match="Received: seed=-1"):
        repro.numpy_stream(-1, "a")
    with pytest.raises(ValueError, match="name=''"):
        repro.torch_stream(0, "")


@pytest.mark.claim("C-41")
def test_global_draws_depend_on_the_past_and_one_gradient_is_enough():
    # A function that draws its start from the global stream gives another start
    # when something else has drawn before; a generator passed in does not.
    def start(rng=None):
        return (np.random if rng is None else rng).standard_normal(2)

    with repro.global_streams(0):
        alone = start()
    with repro.global_streams(0):
        np.random.rand()
        later = start()
    assert not np.array_equal(alone, later)
    assert np.array_equal(start(np.random.default_rng(0)), start(np.random.default_rng(0)))

    # Evaluating the residual's gradient once for both parameters gives the same step.
    calls = []
    x, y = np.linspace(0, 1, 5), np.linspace(2, 5, 5)

    def gradient(prediction):
        calls.append(1)
        return -2 / len(y) * (y - prediction)

    twice = (gradient(x) * x).sum(), gradient(x).sum()
    assert len(calls) == 2
    once = gradient(x)
    assert len(calls) == 3
    assert twice == ((once * x).sum(), once.sum())


@pytest.mark.proves("reproducibility-ranks", kind="search", range="seeds 0…19, ranks 0…7")
def test_the_generators_of_processes_differ():
    """[seed, rank + 1] gives different numbers for each pair, seed + rank repeats them, and [seed, 0] is seed; the
    integers for PyTorch differ too."""
    pairs = [(seed, rank) for seed in range(20) for rank in range(8)]
    drawn = {np.random.default_rng([seed, rank + 1]).random() for seed, rank in pairs}
    alone = {np.random.default_rng(seed).random() for seed in range(20)}
    assert len(drawn | alone) == len(pairs) + 20
    assert alone == {np.random.default_rng([seed, 0]).random() for seed in range(20)}
    integers = {
        int(np.random.SeedSequence([seed, rank + 1]).generate_state(1)[0]) for seed, rank in pairs
    }
    assert len(integers) == len(pairs)
    added = [np.random.default_rng(seed + rank).random() for seed, rank in pairs]
    assert len(set(added)) == 27
    assert added[pairs.index((0, 1))] == added[pairs.index((1, 0))]
