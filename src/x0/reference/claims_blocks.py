"""A block of code that borrows a name from an earlier one fails alone.

    run_code(block) names the exception; run_code(earlier + block) may not raise

Three small defects of the sources, each reproduced in a line of our own.
"""

# --8<-- [start:imports]
import textwrap
from typing import Any

import torch
from torch import Tensor, nn

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:run]
def run_code(*blocks: str) -> str:
    """Run blocks in order in a namespace of their own.

    Returns:
        Type and message of the exception that stops them, else "no error".

    >>> run_code("x = 1", "y = x")
    'no error'
    >>> run_code("y = x")
    "NameError: name 'x' is not defined"
    """
    namespace: dict[str, Any] = {}
    for block in blocks:
        try:
            exec(block, namespace)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
    return "no error"


# --8<-- [end:run]


# --8<-- [start:convolution]
def convolution(generator: torch.Generator) -> nn.Conv2d:
    """Return a convolution with He's variance, for the ReLU behind it.

    >>> layer = convolution(torch.Generator().manual_seed(0))
    >>> layer.bias.abs().max().item()
    0.0
    """
    layer = nn.Conv2d(3, 32, kernel_size=5)
    nn.init.kaiming_uniform_(
        layer.weight, nonlinearity="relu", generator=generator
    )
    assert isinstance(layer.bias, Tensor)
    nn.init.zeros_(layer.bias)
    return layer


# --8<-- [end:convolution]


if __name__ == "__main__":
    # --8<-- [start:demo]
    setup = "import numpy\nw, step = numpy.zeros((1, 1)), numpy.ones((100, 1))"
    defects = {
        "a name from elsewhere, alone": ["layer = nn.Linear(2, 2)"],
        "the same after its import": [
            "from torch import nn",
            "layer = nn.Linear(2, 2)",
        ],
        "a call before its definition": ["w = descend(100)"],
        "a step of another shape, in place": [setup, "w -= step"],
        "the same out of place": [setup, "w = w - step"],
    }
    for name, blocks in defects.items():
        print(name)
        print(textwrap.indent(textwrap.fill(run_code(*blocks)), "    "))

    layer = convolution(torch.Generator().manual_seed(SEED))
    bound, default = (6 / 75) ** 0.5, 75**-0.5
    largest = layer.weight.abs().max().item()
    print(f"He: bound {bound:.4f}, largest weight {largest:.4f}, bias 0")
    print(f"constructor: bound {default:.4f} for weight and bias")
    # --8<-- [end:demo]
