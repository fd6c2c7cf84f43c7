"""The ports, loaded once."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest
from ports import Port


@pytest.fixture(scope="session")
def port() -> Callable[..., Port]:
    """Return files of numerics by their names."""
    return functools.cache(Port)
