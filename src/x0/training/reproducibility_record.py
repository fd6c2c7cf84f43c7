"""A result is complete with its configuration, versions, data and machine.

record = configuration + code version + hash of the data + environment
"""

# --8<-- [start:imports]
import hashlib
import json
import platform
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits

# --8<-- [end:imports]


# --8<-- [start:record]
def data_hash(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Return a hash of names, types, shapes and values of arrays.

    It is the same on every machine, and in any order of the arrays.

    Raises:
        ValueError: an array with objects, whose bytes are addresses, of
            records or long doubles, whose bytes have gaps, or one with a
            mask, which the bytes do not hold.

    >>> data_hash({"x": np.arange(3)})[:8]
    '0b91c9ed'
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.asarray(arrays[name], order="C")
        gaps = array.dtype.hasobject or array.dtype.char in "VgG"
        if gaps or np.ma.isMaskedArray(arrays[name]):
            raise ValueError(f"Gaps, or a mask. Received: {name=}")
        little = array.dtype.newbyteorder("<")
        header = json.dumps([name, little.str, array.shape])
        digest.update(header.encode())
        digest.update(array.astype(little).tobytes())
    return digest.hexdigest()


def git_commit() -> str:
    """Return the commit, with + if files have changed; else "unknown"."""
    try:
        commit, changed = (
            subprocess.run(
                ["git", *command], capture_output=True, text=True, check=True
            ).stdout.strip()
            for command in (["rev-parse", "HEAD"], ["status", "--porcelain"])
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit + ("+" if changed else "")


def run_record(
    config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> str:
    """Return a JSON text to save next to the results of a run.

    Args:
        config: everything that a user can set, seeds included.
        arrays: the data, after all preparation.

    Raises:
        TypeError: a setting that JSON cannot hold.
    """
    record = {
        "config": dict(config),
        "commit": git_commit(),
        "data": data_hash(arrays),
        "python": sys.version.split()[0],
        "numpy": np.__version__,
        "torch": torch.__version__,
        "platform": platform.platform(),
        "processor": platform.machine(),
        "threads": torch.get_num_threads(),
        "cuda": torch.version.cuda,
        "deterministic": torch.are_deterministic_algorithms_enabled(),
    }
    return json.dumps(record, indent=2, sort_keys=True)


# --8<-- [end:record]


if __name__ == "__main__":
    # --8<-- [start:demo]
    images, labels = load_digits(return_X_y=True)
    config = {"rate": 0.1, "epochs": 8, "seed": 0}
    record = json.loads(run_record(config, {"x": images, "y": labels}))
    keys = sorted(record)
    print("keys:", ", ".join(keys[:6]))
    print("      " + ", ".join(keys[6:]))
    print("config:", record["config"])
    print("digits:", record["data"][:16])
    images[0, 0] += 1
    changed = data_hash({"x": images, "y": labels})
    print("one pixel changed:", changed[:16])
    # --8<-- [end:demo]
