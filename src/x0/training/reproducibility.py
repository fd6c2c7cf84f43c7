"""Each purpose draws from a stream of its own, made from one seed and a name.

stream = generator(seed, name): a new stream moves none of the others

NumPy's SeedSequence mixes seed and name so that streams are independent.
"""

# --8<-- [start:imports]
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:streams]
def stream_entropy(seed: int, name: str) -> np.random.SeedSequence:
    """Return the entropy of a named stream.

    Two pairs share one only if a seed is 2**32 or more or a name holds NUL.

    Raises:
        ValueError: a negative seed, or an empty name.
    """
    if seed < 0 or not name:
        raise ValueError(f"Received: {seed=}, {name=}")
    return np.random.SeedSequence([seed, *name.encode()])


def numpy_stream(seed: int, name: str) -> np.random.Generator:
    """Return NumPy's generator for a purpose such as "augmentation".

    >>> a, b = numpy_stream(0, "split"), numpy_stream(0, "split")
    >>> bool(a.random() == b.random())
    True
    """
    return np.random.default_rng(stream_entropy(seed, name))


def torch_stream(seed: int, name: str) -> torch.Generator:
    """Return PyTorch's generator, for init, order or DataLoader(generator=)."""
    state = stream_entropy(seed, name).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0] >> np.uint64(1)))


def python_stream(seed: int, name: str) -> random.Random:
    """Return a generator of the standard library."""
    state = stream_entropy(seed, name).generate_state(1, np.uint64)
    return random.Random(int(state[0]))


# --8<-- [end:streams]


# --8<-- [start:globals]
@contextmanager
def global_streams(seed: int) -> Iterator[None]:
    """Seed the global streams inside a block, and restore them after it.

    For code that takes no generator: dropout, third-party augmentation. The
    streams of random, NumPy and PyTorch (with all CUDA devices) are set.

    Args:
        seed: of all three.
    """
    python, array = random.getstate(), np.random.get_state()
    try:
        devices = range(torch.cuda.device_count())
        with torch.random.fork_rng(devices=devices):
            random.setstate(random.Random(seed).getstate())
            np.random.set_state(np.random.RandomState(seed).get_state())
            fresh = torch.Generator().manual_seed(seed)
            torch.set_rng_state(fresh.get_state())
            if torch.cuda.is_available():
                torch.cuda.manual_seed_all(seed)
            yield
    finally:
        random.setstate(python)
        np.random.set_state(array)


# --8<-- [end:globals]


if __name__ == "__main__":
    # --8<-- [start:demo]
    one = torch.Generator().manual_seed(SEED)  # one stream for everything
    torch.randn(10, generator=one)  # weights
    order = torch.randperm(1000, generator=one)
    one.manual_seed(SEED)
    torch.randn(11, generator=one)  # one weight more
    kept = (order == torch.randperm(1000, generator=one)).sum()
    print(f"one stream:   {kept:4d} of 1000 places of the order unchanged")

    orders = []
    for weights in (10, 11):
        torch.randn(weights, generator=torch_stream(SEED, "weights"))
        stream = torch_stream(SEED, "order")
        orders.append(torch.randperm(1000, generator=stream))
    named = (orders[0] == orders[1]).sum()
    print(f"named stream: {named:4d} of 1000")

    masks = []
    for _ in range(2):
        with global_streams(SEED):
            masks.append(torch.nn.functional.dropout(torch.ones(100)))
    print("dropout repeats:", torch.equal(*masks))
    first = numpy_stream(SEED, "split").integers(100, size=4)
    print("split:", *first, "| augmentation:", end=" ")
    print(*numpy_stream(SEED, "augmentation").integers(100, size=4))
    print("python:", python_stream(SEED, "names").randrange(100))
    # --8<-- [end:demo]
