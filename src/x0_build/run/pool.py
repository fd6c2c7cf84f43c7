"""A fresh process for each module, with a limit of time and memory.

A fork server imports the libraries once: twelve small modules took 3.7 s that way and 28.9 s when
each process imported for itself.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, as_completed
from pathlib import Path
from typing import Any

from x0_build.project import Problem
from x0_build.run.job import Job, Outcome

SECONDS = float(os.environ.get("X0_SECONDS", 600))  # for one module
MEMORY = 8 * 2**30  # bytes that one module may use, besides the libraries
# Results must depend neither on the number of cores nor on a random order of sets.
SURROUNDINGS = {
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
    "VECLIB_MAXIMUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "MPLBACKEND": "Agg",
    "PYTHONDONTWRITEBYTECODE": "1",
    "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES",  # macOS: a fork without exec is meant
}


def run(jobs: Sequence[Job], workers: int | None = None) -> Iterator[tuple[Job, Outcome]]:
    """Run jobs, each in a process of its own; yield them as they end."""
    if not jobs:
        return
    with _pool(workers) as schedule:
        waiting = {schedule(_work, job): job for job in jobs}
        for future in as_completed(waiting):
            job = waiting[future]
            try:
                yield job, future.result()
            except Exception as error:
                yield job, Outcome(problems=[_died(job, error)])


def capability() -> str:
    """Return PyTorch's CPU capability, on which floating-point results depend."""
    with _pool(1) as schedule:
        return str(schedule(_capability).result())


def _work(job: Job) -> Outcome:
    from x0_build.run import worker

    here = os.getpid()
    outcome = worker.run(job)
    if os.getpid() != here:  # the module forked, and this is the child
        os._exit(0)
    return outcome


def _capability() -> str:
    import torch

    return str(torch.backends.cpu.get_cpu_capability())


def _died(job: Job, error: BaseException) -> Problem:
    if isinstance(error, TimeoutError):
        message = f"the module runs for more than {SECONDS:g} s"
        remedy = "make it smaller, or find the loop that does not end"
    elif code := getattr(error, "exitcode", None):
        message = f"its process died (exit code {code})"
        remedy = "look above for its last words; a negative code is a signal: "
        remedy += "-9 is often too little memory"
    else:
        message = f"the build itself fails to run it: {error!r}"
        remedy = "this is no fault of the module: look into src/x0_build/run"
    return Problem(job.file, 1, message, remedy)


@contextlib.contextmanager
def _pool(workers: int | None) -> Iterator[Callable[..., Future[Any]]]:
    """Start the fork server and a pool; end what is left of its processes."""
    from multiprocessing import forkserver
    from unittest.mock import patch

    from pebble import ProcessPool

    context = multiprocessing.get_context("forkserver")
    libraries = ["torch", "sklearn.datasets", "matplotlib.pyplot", "x0_build.run.worker"]
    context.set_forkserver_preload([*libraries, "pebble.pool.process"])
    path = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]
    inherited = {**SURROUNDINGS, "PYTHONPATH": os.pathsep.join(filter(None, path))}
    with patch.dict(os.environ, inherited):
        forkserver.ensure_running()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    started = context.SimpleQueue()
    main = sys.modules["__main__"]
    # Otherwise each child imports the calling program (mkdocs, pytest) once more.
    sys.modules["__main__"] = types.ModuleType("__main__")
    pool = ProcessPool(workers or cores or 1, 1, _start, (started,), context)
    try:
        yield lambda call, *args: pool.schedule(call, args, timeout=SECONDS)
        pool.close()  # type: ignore[no-untyped-call]
        pool.join()
    finally:
        pool.stop()  # type: ignore[no-untyped-call]
        pool.join()
        sys.modules["__main__"] = main
        while not started.empty():
            _end(started.get())


def _end(group: int) -> None:
    """Kill what a worker left behind, but nothing that has got its number since."""
    with contextlib.suppress(OSError):
        try:
            ours = os.getsid(group) == os.getsid(0)
        except ProcessLookupError:  # its leader has ended
            ours = True
        if ours:
            os.killpg(group, signal.SIGKILL)


def _start(started: Any) -> None:
    """Prepare a process: its children are found by its group, its memory is limited."""
    os.setpgid(0, 0)
    started.put(os.getpid())
    with contextlib.suppress(OSError, ValueError, ImportError):
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        most = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
