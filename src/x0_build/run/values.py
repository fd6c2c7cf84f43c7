"""The numbers that a module leaves under its names: collected, stored, and found by a path."""

from __future__ import annotations

import ast
import math
import sys
from collections.abc import Mapping
from typing import Any

# A number, or numbers in lists, tuples and dicts; None is what a list holds besides numbers.
Tree = Any
MOST = 5000  # numbers under one name


def collect(namespace: Mapping[str, object]) -> dict[str, Tree]:
    """Return what is a number, or holds some, under each public name."""
    trees = {name: _tree(value) for name, value in namespace.items() if name[0] != "_"}
    return {name: tree for name, tree in trees.items() if 0 < _count(tree) <= MOST}


def _tree(value: Any, depth: int = 0) -> Tree:
    """Return a value as plain numbers, lists, tuples and dicts; None if it is none of them."""
    if isinstance(value, int | float):
        wide = float(value) if isinstance(value, float) else int(value)  # NumPy's double too
        return None if isinstance(value, bool) else wide
    if not isinstance(value, dict | list | tuple | range):
        return _array(value)
    if len(value) > MOST or depth > 8:
        return None
    if isinstance(value, dict):
        found = {_key(key): _tree(item, depth + 1) for key, item in value.items()}
        return {key: item for key, item in found.items() if key is not None and _count(item)}
    items = [_tree(item, depth + 1) for item in value]
    return tuple(items) if isinstance(value, tuple) else items


def _array(value: Any) -> Tree:
    """Return the numbers of NumPy's and PyTorch's arrays and scalars."""
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy and isinstance(value, numpy.ndarray | numpy.generic):
        if value.dtype.kind in {*"iuf"} and value.size <= MOST:
            return (value.astype("float64") if value.dtype.kind == "f" else value).tolist()
    elif torch and isinstance(value, torch.Tensor) and value.numel() <= MOST:
        odd = value.is_quantized or value.is_sparse or value.is_meta or value.is_complex()
        return None if odd or value.dtype == torch.bool else value.detach().tolist()
    return None


def _key(key: Any) -> Any:
    """Return a key as the literal that a page can write; None if there is none."""
    if isinstance(key, tuple):
        parts = tuple(map(_key, key))
        return None if None in parts else parts
    plain = key if isinstance(key, bool | str) else _tree(key)
    finite = isinstance(plain, int | float) and math.isfinite(plain)
    return plain if finite or isinstance(plain, str) else None


def _count(tree: Tree) -> int:
    if isinstance(tree, dict | list | tuple):
        return sum(map(_count, tree.values() if isinstance(tree, dict) else tree))
    return int(tree is not None)


def encode(tree: Tree) -> object:
    """Return what JSON can hold: keys become literals, a tuple an object with the key ""."""
    if isinstance(tree, dict):
        return {repr(key): encode(item) for key, item in tree.items()}
    if isinstance(tree, list | tuple):
        items = [encode(item) for item in tree]
        return {"": items} if isinstance(tree, tuple) else items
    return tree


def decode(stored: Any) -> Tree:
    """Return what `encode` was given."""
    if isinstance(stored, dict):
        if "" in stored:
            return tuple(decode(item) for item in stored[""])
        return {ast.literal_eval(key): decode(item) for key, item in stored.items()}
    return [decode(item) for item in stored] if isinstance(stored, list) else stored


def number(tree: Mapping[str, Tree], path: str) -> float | tuple[float, float]:
    """Return the number, or the pair (mean, standard error), that a path leads to.

    >>> number({"fixed": {0.9: (1.5, 0.1)}, "steps": [3, 4, 5]}, "fixed[0.9]")
    (1.5, 0.1)

    Raises:
        KeyError: There is none, or it is not finite; the message names what there is.
    """
    try:
        node, steps = ast.parse(path, mode="eval").body, []
        while isinstance(node, ast.Subscript):
            steps.append(ast.literal_eval(node.slice))
            node = node.value
        found, place = tree[node.id], node.id  # type: ignore[attr-defined]
    except (SyntaxError, ValueError, AttributeError):
        raise KeyError(f"“{path}” is no name with literals in brackets") from None
    except KeyError as missing:
        raise KeyError(f"there is no “{missing.args[0]}”; there are {_inside(tree)}") from None
    for step in reversed(steps):
        try:
            found, place = found[step], f"{place}[{step!r}]"
        except (LookupError, TypeError):
            raise KeyError(f"{place} has no [{step!r}]; it has {_inside(found)}") from None
    pair = found if isinstance(found, list | tuple) and len(found) == 2 else (found,)
    if not all(isinstance(item, int | float) for item in pair):
        raise KeyError(f"{place} is no number; it has {_inside(found)}")
    if not all(map(math.isfinite, pair)):
        raise KeyError(f"{place} is {found}, which is not finite")
    return (pair[0], pair[1]) if len(pair) == 2 else pair[0]


def _inside(tree: Tree) -> str:
    sequence = range(len(tree)) if isinstance(tree, list | tuple) else ()
    keys = [*(tree if isinstance(tree, Mapping) else sequence)]
    shown = [key if isinstance(key, str) and key.isidentifier() else repr(key) for key in keys]
    return ", ".join(shown[:12]) + (", …" if len(shown) > 12 else "") or "nothing"
