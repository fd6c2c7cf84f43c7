"""The loop of the page: killed at any step, it ends with the bits of a run that was not."""

import signal
import subprocess
import sys
import time

import pytest
import torch

from x0.training import reproducibility_loop as loop

SETTINGS = loop.Settings(steps=30, warmup=5, every=4, batch=16)
CHILD = """
import sys, time
from pathlib import Path
import torch
from x0.training import reproducibility_loop as loop
torch.manual_seed(0)
run, _, _ = loop.digits_run(loop.Settings(steps=30, warmup=5, every=4, batch=16))
step = run.train_step
def slow():
    step()
    time.sleep(0.02)
run.train_step = slow
loop.train_to_end(run, Path(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    torch.manual_seed(0)
    run, _, _ = loop.digits_run(SETTINGS)
    loop.train_to_end(run, tmp_path_factory.mktemp("whole") / "run.pt")
    return run


def same(a, b):
    pairs = zip(a.model.state_dict().values(), b.model.state_dict().values(), strict=True)
    best = zip(a.best_weights.values(), b.best_weights.values(), strict=True)
    return all(torch.equal(x, y) for rows in (pairs, best) for x, y in rows)


@pytest.mark.proves(
    "reproducibility-resume", kind="search", range="killed after steps 1…29, and by SIGKILL"
)
def test_a_killed_run_ends_with_the_same_bits(whole, tmp_path):
    """From one seed and on the same threads, a killed and resumed run ends with the bits of one that was not killed."""
    for until in range(1, SETTINGS.steps):
        path = tmp_path / f"{until}.pt"
        torch.manual_seed(0)
        killed, _, _ = loop.digits_run(SETTINGS)
        loop.train_to_end(killed, path, until)
        assert killed.step == until
        assert not same(killed, whole)
        torch.manual_seed(5 if path.exists() else 0)  # the checkpoint decides, if there is one
        resumed, _, _ = loop.digits_run(SETTINGS)
        loop.train_to_end(resumed, path)
        assert same(resumed, whole)
        assert resumed.best == whole.best
    path = tmp_path / "killed.pt"
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)])
    while not path.exists():
        time.sleep(0.01)
    time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    resumed, _, _ = loop.digits_run(SETTINGS)
    loop.train_to_end(resumed, path)
    assert same(resumed, whole)


def test_the_end_is_validated_and_saved(whole, tmp_path):
    path = tmp_path / "run.pt"
    torch.manual_seed(0)
    run, _, _ = loop.digits_run(SETTINGS)
    loop.train_to_end(run, path)
    assert SETTINGS.steps % SETTINGS.every
    assert torch.load(path, weights_only=True)["step"] == SETTINGS.steps
    assert run.best <= run.validate()
    finished, _, _ = loop.digits_run(SETTINGS)
    loop.train_to_end(finished, path)
    assert same(finished, whole)


@pytest.mark.parametrize("left_out", ["optimizer", "scheduler", "random", "step"])
def test_each_part_of_the_state_is_needed(whole, tmp_path, left_out):
    path = tmp_path / "run.pt"
    torch.manual_seed(0)
    killed, _, _ = loop.digits_run(SETTINGS)
    loop.train_to_end(killed, path, 14)
    state = torch.load(path, weights_only=True)
    fresh, _, _ = loop.digits_run(SETTINGS)
    empty = {
        "optimizer": fresh.optimizer.state_dict(),
        "scheduler": fresh.scheduler.state_dict(),
        "random": torch.Generator().manual_seed(5).get_state(),
        "step": 0,
    }
    torch.save({**state, left_out: empty[left_out]}, path)
    loop.train_to_end(fresh, path)
    assert not same(fresh, whole)


def test_the_rows_of_an_epoch_are_each_used_once():
    settings = loop.Settings(batch=10)
    rows = torch.cat([loop.rows_of_step(step, 100, settings) for step in range(10)])
    assert sorted(rows.tolist()) == list(range(100))
    assert not torch.equal(
        loop.rows_of_step(0, 100, settings), loop.rows_of_step(10, 100, settings)
    )


def test_each_seed_has_an_order_of_its_own():
    orders = {
        tuple(loop.rows_of_step(0, 100, loop.Settings(seed=seed)).tolist())
        for seed in (0, 1, 2, 2**31, 2**32)
    }
    assert len(orders) == 5


def test_only_matrices_decay_and_the_rate_rises_and_falls(whole):
    decay = {
        p.ndim: group["weight_decay"]
        for group in whole.optimizer.param_groups
        for p in group["params"]
    }
    assert decay == {2: 0.1, 1: 0.0}
    factors = [loop.rate_factor(step, SETTINGS) for step in range(31)]
    assert max(factors) == factors[4] == factors[5] == 1
    assert factors[30] == 0
    assert sorted(factors[:5]) == factors[:5]
    assert sorted(factors[5:], reverse=True) == factors[5:]


@pytest.mark.proves("reproducibility-precision", kind="call")
def test_default_precisions_of_matrix_products():
    """Matrix products take float32 by default, cuDNN's convolutions may take TF32."""
    assert torch.get_float32_matmul_precision() == "highest"
    assert torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32
    assert torch.finfo(torch.bfloat16).eps / 2 == 2**-8


@pytest.mark.proves("reproducibility-whole", kind="call", range="cut after 0, 10, 5000 bytes")
def test_a_kill_during_writing_leaves_the_old_checkpoint(whole, tmp_path, monkeypatch):
    """A checkpoint that is cut off while it is written leaves the one before as it was."""
    path = tmp_path / "run.pt"
    whole.save(path)
    before, write = path.read_bytes(), torch.save
    for size in (0, 10, 5000):

        def cut(state, part, size=size):
            write(state, part)
            part.write_bytes(part.read_bytes()[:size])
            raise KeyboardInterrupt

        monkeypatch.setattr(torch, "save", cut)
        with pytest.raises(KeyboardInterrupt):
            whole.save(path)
        assert path.read_bytes() == before
    monkeypatch.undo()
    fresh, _, _ = loop.digits_run(SETTINGS)
    fresh.load(path)
    assert same(fresh, whole)


def test_a_batch_larger_than_the_data_is_refused():
    assert len(loop.rows_of_step(3, 64, loop.Settings(batch=64))) == 64
    with pytest.raises(ValueError, match="samples=63"):
        loop.rows_of_step(0, 63, loop.Settings(batch=64))
