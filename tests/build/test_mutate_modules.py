"""What is changed in a module to see whether its tests notice, and what is not."""

from pathlib import Path

import pytest

import mutate_modules
from mutate_modules import Mutant, draw, mutants

SOURCE = '''"""A module."""

import numpy as np

LIMIT = 3


def mean(x: "list[float]", seed: int = 0, scale: float = 2.0) -> float:
    """Return 3 + 4.

    >>> 5 + 6
    11
    """
    if not x:
        raise ValueError(f"{len(x) + 7}")
    rng = np.random.default_rng(8 + 9)
    pairs: "dict[int, 1]" = dict(zip(x, x, strict=True))
    return scale * sum(x) / len(x) + 0.0 * rng.normal() + 1e-9 * 64 + min(pairs) ** 2


def plotted(x: float) -> "Figure":
    axes = plt.figure(figsize=(5, 6))
    return axes.plot(x + 1)


if __name__ == "__main__":
    print(mean([1 + 2]))
'''


@pytest.fixture
def found(tmp_path: Path) -> list[Mutant]:
    path = tmp_path / "some_module.py"
    path.write_text(SOURCE, encoding="utf-8")
    return list(mutants(path))


def test_what_computes_is_changed_and_nothing_else(found: list[Mutant]) -> None:
    assert {mutant.change for mutant in found} >= {
        "2.0 → 3.0",  # what a caller gets who says nothing
        "not x → (x)",
        "1e-9 → 1e-06",
        "64 → 32",
        "0.0 → 1.0",
        "2 → 3",
        "min → max",
        "min(pairs) ** 2 → ((min(pairs)) * (2))",
    }
    # No seeds, annotations, texts, messages, checks of zip; nothing of figures or the main part.
    text = " ".join(mutant.change for mutant in found)
    assert {mutant.function for mutant in found} == {"mean"}
    assert not any(part in text for part in ("7", "8 +", "11", "True", "5", "LIMIT"))


def test_each_change_is_valid_python_and_another_program(found: list[Mutant]) -> None:
    programs = [mutant.apply() for mutant in found]
    for program in programs:
        compile(program, "some_module.py", "exec")
    assert len({*programs, SOURCE}) == len(programs) + 1


def test_a_call_of_math_is_exchanged_for_one_that_exists(tmp_path: Path) -> None:
    path = tmp_path / "other.py"
    path.write_text("def f(x):\n    return math.sqrt(x) + (x * x).sum() + np.exp(x)\n")
    changes = {m.change for m in mutants(path)}
    assert {"math.sqrt → (math).fabs", "(x * x).sum → (x * x).mean"} <= changes
    assert "np.exp → (np).abs" in changes


def test_sizes_of_experiments_and_zeros_that_are_added_stay(tmp_path: Path) -> None:
    """Half the points, draws or steps are no error; a bound, a patience and small numbers count."""
    path = tmp_path / "sized.py"
    path.write_text(
        "def f(x, steps: int = 20, patience: int = 30, rate: float = 40.0):\n"
        "    grid = np.linspace(-50, 60, 70)\n"
        "    for _ in range(80):\n"
        "        grid = grid @ torch.randn(90, 9, 1).numpy() / 110\n"
        "    return nn.Linear(120, 130)(grid + 0 * x)\n"
    )
    changes = {mutant.change for mutant in mutants(path)}
    numbers = {int(c.split(" → ")[0]) for c in changes if c.split(" → ")[0].isdecimal()}
    assert numbers == {30, 50, 60, 1, 110, 0}
    assert not any(change.startswith(("grid + 0", "0 * x")) for change in changes)


def test_the_tests_of_a_module_are_its_mirror_those_that_import_it_and_the_zoo() -> None:
    path = mutate_modules.ROOT / "src" / "x0" / "training" / "momentum.py"
    assert mutate_modules.tests_of(path)[:2] == [
        "tests/training/test_momentum.py",
        "tests/training/test_borders.py",
    ]
    assert mutate_modules.wider(path)[-1] == "[momentum."


def test_a_sample_is_the_same_for_a_seed_and_spares_what_is_explained() -> None:
    stems = ["choosing_layers", "mean_field"]
    chosen, possible = draw(stems, 50, 3)
    assert chosen == draw(stems, 50, 3)[0] != draw(stems, 50, 4)[0]
    assert possible > 200
    every, count = draw([], 10**6, 0)
    assert len(every) == count > 5000
    explained = mutate_modules.tomllib.loads(mutate_modules.EQUAL.read_text(encoding="utf-8"))
    assert all(reason for reason in explained.values())
    assert not explained.keys() & {mutant.name for mutant in every}
