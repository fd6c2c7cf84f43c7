"""model.apply visits modules: a function that asks for types misses parameters.

Fill a copy with NaN, apply the function: what is still NaN was missed.
"""

# --8<-- [start:imports]
import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:untouched]
@torch.no_grad()
def untouched(
    model: nn.Module, function: Callable[[nn.Module], None]
) -> list[str]:
    """Return the parameters that model.apply(function) does not set.

    The model itself stays as it is. The function must draw from the global
    generator or set constants; its draws are undone.

    Raises:
        ValueError: model has no parameters, one of them has no real numbers
            (lazy, meta, int8), or it cannot be copied (the old weight_norm).

    >>> def zero(module):
    ...     if isinstance(module, nn.Linear):
    ...         nn.init.zeros_(module.weight)
    >>> untouched(nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2)), zero)
    ['0.bias', '1.weight', '1.bias']
    """
    for name, p in model.named_parameters():
        real = p.is_floating_point() or p.is_complex()
        if nn.parameter.is_lazy(p) or p.is_meta or not real:
            raise ValueError(f"A parameter has no numbers. Received: {name}")
    try:
        probe = copy.deepcopy(model)
    except RuntimeError as error:
        raise ValueError(f"No copy. Received: {type(model)}") from error
    if next(probe.parameters(), None) is None:
        raise ValueError(f"The model has no parameters. Received: {model}")
    for parameter in probe.parameters():
        parameter.fill_(torch.nan)
    devices = range(torch.cuda.device_count())
    with torch.random.fork_rng(devices=devices):
        probe.apply(function)
    return [n for n, p in probe.named_parameters() if p.isnan().any()]


# --8<-- [end:untouched]


# --8<-- [start:common]
def common(module: nn.Module) -> None:
    """Initialize as many code bases do: by the type of the module."""
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    elif isinstance(module, nn.LayerNorm):
        nn.init.ones_(module.weight)
        nn.init.zeros_(module.bias)


class Model(nn.Module):
    """A small network with the parts that common does not reach."""

    def __init__(self) -> None:
        """Build the parts; nothing here is meant to be trained."""
        super().__init__()
        self.token = nn.Parameter(torch.zeros(1, 16))
        self.embedding = nn.Embedding(50, 16)
        self.attention = nn.MultiheadAttention(16, 4)
        self.memory = nn.LSTM(16, 16)
        self.normed = weight_norm(nn.Linear(16, 16))
        self.norm = nn.LayerNorm(16)
        self.head = nn.Linear(16, 50)


# --8<-- [end:common]


# --8<-- [start:copies]
def encoder_copies(layers: int = 3) -> tuple[Tensor, Tensor]:
    """Return one weight of the first and last layer of TransformerEncoder.

    >>> bool(torch.equal(*encoder_copies()))
    True
    """
    with torch.random.fork_rng(devices=[]):
        generator = torch.Generator().manual_seed(SEED)
        torch.set_rng_state(generator.get_state())
        layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
        encoder = nn.TransformerEncoder(layer, layers)
    found = dict(encoder.named_parameters())
    last = f"layers.{layers - 1}.linear1.weight"
    return found["layers.0.linear1.weight"], found[last]


# --8<-- [end:copies]


if __name__ == "__main__":
    # --8<-- [start:demo]
    print("not set by model.apply:")
    for name in untouched(Model(), common):
        print(f"  {name}")
    same = torch.equal(*encoder_copies())
    print("all layers of TransformerEncoder equal:", same)
    # --8<-- [end:demo]
