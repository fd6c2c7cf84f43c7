"""Compare what functions give at the border of their arguments with what one finds by hand."""

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np


def names(call: Callable[..., Any]) -> str:
    """Return the names that a row of a table uses: the modules it calls, and what of them."""
    found, calls = dict[str, None](), [call]
    while calls:
        for name in calls.pop().__code__.co_names:
            helper = call.__globals__.get(name)
            if isinstance(helper, FunctionType) and name not in found:
                calls += [helper] * (helper.__module__ == call.__module__)
            found[name] = None
    return " ".join(found)


def parts(found: Any) -> list[Any]:
    """Return the numbers of nested tuples, lists, dicts, arrays and tensors, in order."""
    if isinstance(found, dict):
        found = list(found.values())
    if isinstance(found, tuple | list):
        return [number for part in found for number in parts(part)]
    return list(np.ravel(found.detach() if hasattr(found, "detach") else found))


def near(found: Any, expected: Any, tolerance: float = 1e-9) -> bool:
    """Return whether both hold the same numbers, up to rounding."""
    one, other = parts(found), parts(expected)
    return len(one) == len(other) and np.allclose(one, other, tolerance, 1e-12)
