"""Results: run the modules whose results are not stored, once for both languages."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

from x0_build.data.labels import Labels, MissingLabelError
from x0_build.project import BuildError, Problem, Project
from x0_build.run import lab, pool
from x0_build.run.job import Job, Outcome
from x0_build.run.module import Module, modules
from x0_build.run.store import LIBRARIES, Result, Store, fingerprint


def load(project: Project, *, stale: bool = False) -> dict[str, Result]:
    """Return by stem what is stored and fits today's sources, without executing anything.

    Args:
        project: Where the modules are.
        stale: Take what no longer fits as well.
    """
    book = _Sources.read(project)
    return _read(book, book.modules, book.store.environment(), stale=stale)


def execute(
    project: Project,
    *,
    jobs: int | None = None,
    progress: bool = True,
    stems: Collection[str] | None = None,
) -> dict[str, Result]:
    """Run the modules that changed and return all results by stem.

    Args:
        project: Where the modules are; results go to its build/run.
        jobs: How many modules run at once; by default one per core.
        progress: Say what runs.
        stems: Only these modules.

    Raises:
        BuildError: Everything that went wrong. Modules without a problem are stored all the
            same; one with a problem keeps its former results and runs again next time.
    """
    book = _Sources.read(project)
    wanted = {stem: x for stem, x in book.modules.items() if stems is None or stem in stems}
    results = _read(book, wanted, book.store.environment())
    gone = book.store.strangers(book.modules.values())
    if gone or results.keys() != wanted.keys():
        with book.store.locked():
            book.store.remove(book.store.strangers(book.modules.values()))
            results = _run(book, wanted, jobs, progress=progress)
    elif progress:
        print(f"Modules: {len(wanted)} unchanged.", flush=True)
    results = {stem: results[stem] for stem in wanted}
    if problems := _shared_keys(project, results):
        raise BuildError(problems)
    return results


@dataclass(frozen=True)
class _Sources:
    project: Project
    store: Store
    modules: dict[str, Module]
    labs: dict[str, lab.Lab]
    labels: Labels

    @classmethod
    def read(cls, project: Project) -> _Sources:
        found = modules(project)
        return cls(project, Store(project), found, lab.read(project), Labels.read(project))

    def what_runs(self, module: Module, text: str) -> object:
        """The text of a lab is not executed: only its code, and the names of its figures."""
        if module.stem not in self.labs:
            return text
        shown = self.labs[module.stem].shown
        return [[[x.source for x in code], [key for key, _ in keys]] for code, keys in shown]


def _read(
    book: _Sources, wanted: dict[str, Module], environment: dict[str, str], *, stale: bool = False
) -> dict[str, Result]:
    results = {}
    for stem, module in wanted.items():
        if not (stored := book.store.read(module)):
            continue
        result, known = stored
        try:  # the texts that the figures contained, as today's labels translate them
            labels = {text: book.labels.translate(text) for text in result.labels}
        except MissingLabelError:
            labels = {}
        source = book.what_runs(module, book.project.text(module.path))
        if stale or known == fingerprint(source, environment, labels):
            results[stem] = result
    return results


def _run(
    book: _Sources, wanted: dict[str, Module], jobs: int | None, *, progress: bool
) -> dict[str, Result]:
    """Run what is stale, while nobody else does; return all results."""
    environment = book.store.environment(pool.capability)
    versions = {name: environment[name] for name in ("python", *LIBRARIES)}
    results = _read(book, wanted, environment)
    stale = [module for stem, module in wanted.items() if stem not in results]
    former = {module.stem: stored[0] for module in stale if (stored := book.store.read(module))}
    # The longest first, so that no core idles at the end; what is new may take long.
    stale.sort(key=lambda x: -former[x.stem].seconds if x.stem in former else -float("inf"))
    if progress:
        print(f"Modules: {len(stale)} to run, {len(results)} unchanged.", flush=True)
    problems: list[Problem] = []
    for job, outcome in pool.run([_job(book, module) for module in stale], jobs):
        stem, bad = job.module.stem, outcome.problems
        problems += bad
        if not bad:
            results[stem] = _result(job, outcome, versions)
            source = book.what_runs(job.module, job.source)
            book.store.write(results[stem], fingerprint(source, environment, outcome.labels))
        if progress:
            word = "failed" if bad else "ran   "
            print(f"  {word} {stem} ({outcome.seconds:.1f} s)", flush=True)
    if problems:
        raise BuildError(problems)
    return results


def _job(book: _Sources, module: Module) -> Job:
    file, text = book.project.relative(module.path), book.project.text(module.path)
    src = book.project.src.resolve()
    return Job(module, file, text, src, book.labels, book.labs.get(module.stem))


def _result(job: Job, outcome: Outcome, versions: dict[str, str]) -> Result:
    drawn = json.dumps(outcome.figures, ensure_ascii=False)
    printed, figures = tuple(outcome.outputs), tuple(outcome.figures)
    given = (printed, outcome.values, figures, outcome.labels, versions, round(outcome.seconds, 3))
    sections = tuple(outcome.sections)
    return Result(job.module, *given, cached=False, drawn=drawn, sections=sections)


def _shared_keys(project: Project, results: dict[str, Result]) -> list[Problem]:
    """Find keys that two modules give: `xavier.plot_depth_gain`, `xavier_depth.plot_gain`."""
    owners: dict[str, Module] = {}
    return [
        Problem(
            project.relative(result.module.path),
            1,
            f"figure {key} is also drawn by {project.relative(other.path)}",
            "rename one of the two plot functions",
        )
        for result in results.values()
        for key in result.figures
        if (other := owners.setdefault(key, result.module)) is not result.module
    ]
