"""What happens inside a lab's kernel: the figures' machinery, warnings as errors, named numbers.

`labs.py` runs `start` before a lab's first cell and `finish` after its last one. Both answer with
JSON in the kernel's own display channel, under MIME.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from IPython.display import display
from matplotlib import pyplot
from matplotlib.figure import Figure

from x0_build import figures, worker
from x0_build.labels import Labels
from x0_build.labs import MIME
from x0_build.paths import Project


def start(root: str, file: str, keys: list[str]) -> None:
    """Prepare the kernel: style, one thread, warnings as errors, figures in both languages.

    Args:
        root: The project's folder.
        file: The lab's source, relative to it.
        keys: The keys of the lab's figures, in the order in which it shows them.
    """
    import torch

    torch.set_num_threads(1)  # results must not depend on the number of cores
    figures.set_style()
    project = Project(Path(root))
    path = project.root / file
    job = worker.Job(
        stem=path.stem,
        name="__main__",
        path=path,
        file=file,
        source=path.read_text(encoding="utf-8"),
        src=project.src,
        labels=Labels.read(project),
    )
    waiting = iter(keys)
    pyplot.show = lambda *_, **__: _show(job, waiting)
    # A lab stands alone: it runs where no x0 is installed.
    sys.path[:] = [path for path in sys.path if Path(path).resolve() != project.src.resolve()]
    warnings.simplefilter("error")


def finish(namespace: Mapping[str, object]) -> None:
    """Send the lab's numbers: every global that is a number, or a pair (mean, standard error)."""
    warnings.simplefilter("ignore")  # those of the kernel's own end are nobody's fault
    values = {
        name: number
        for name, value in namespace.items()
        if not name.startswith("_") and (number := worker._value(value)) is not None
        if all(map(math.isfinite, number if isinstance(number, tuple) else [number]))
    }
    _send({"values": values, "seconds": time.process_time()})


def _show(job: worker.Job, keys: Iterator[str]) -> None:
    """Draw all open figures in both languages, as those of the snippet modules are drawn."""
    shown = [pyplot.figure(number) for number in pyplot.get_fignums()]
    for figure in shown:
        key = next(keys, None)
        if key is None:
            raise LookupError(
                "No Markdown cell below names this figure. "
                f"Write {{fig:{job.stem.replace('_', '-')}-<name>}} and a caption there."
            )
        outcome = worker.Outcome()
        # A failure is noted in the outcome; the cells that follow can still run.
        name = key.removeprefix(f"{job.stem.replace('_', '-')}-")
        with contextlib.suppress(worker._Failed):
            worker._Run(job, outcome).plot(f"plot_{name}", partial(_same, figure))
        _send(dataclasses.asdict(outcome))
    pyplot.close("all")


def _same(figure: Figure) -> Figure:
    return figure


def _send(answer: dict[str, object]) -> None:
    display({MIME: answer}, raw=True)  # type: ignore[no-untyped-call]
