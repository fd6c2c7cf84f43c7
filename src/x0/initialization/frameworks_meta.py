"""to_empty allocates a model of the meta device without initializing it.

Each layer must be reset, children first; what has no reset stays garbage.
"""

# --8<-- [start:imports]
import itertools

import torch
from torch import nn

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:materialize]
@torch.no_grad()
def materialize_(model: nn.Module, device: str = "cpu") -> list[str]:
    """Allocate a meta-device model in place, reset its layers, name the rest.

    Resets run children first, as constructors do: MultiheadAttention sets
    the bias of its out_proj to 0 after out_proj has drawn one.

    Returns:
        Parameters and buffers that no layer sets. They hold NaN, so that a
        forgotten one cannot pass for a value.

    >>> with torch.device("meta"):
    ...     model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    >>> materialize_(model), model[0].weight.device.type
    ([], 'cpu')
    """
    model.to_empty(device=device)
    for tensor in itertools.chain(model.parameters(), model.buffers()):
        if tensor.is_floating_point():
            tensor.fill_(torch.nan)
    for module in reversed(list(model.modules())):
        for name in ("reset_parameters", "_reset_parameters"):
            if hasattr(module, name):
                getattr(module, name)()
    named = itertools.chain(model.named_parameters(), model.named_buffers())
    return [name for name, tensor in named if tensor.isnan().any()]


# --8<-- [end:materialize]


# --8<-- [start:model]
class TiedModel(nn.Module):
    """Attention between an embedding and a head that shares its weight."""

    def __init__(self) -> None:
        """Build the parts; positions is a buffer with computed values."""
        super().__init__()
        self.embedding = nn.Embedding(500, 16)
        self.token = nn.Parameter(torch.zeros(16))
        self.attention = nn.MultiheadAttention(16, 4)
        self.norm = nn.LayerNorm(16)
        self.head = nn.Linear(16, 500, bias=False)
        self.head.weight = self.embedding.weight
        self.register_buffer("positions", torch.arange(16.0).sin())


# --8<-- [end:model]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print what is left after materializing, and whether the tie held."""
    with torch.device("meta"):
        model = TiedModel()
    before = model.head.weight is model.embedding.weight
    with torch.random.fork_rng(devices=[]):
        generator = torch.Generator().manual_seed(SEED)
        torch.set_rng_state(generator.get_state())
        left = materialize_(model)
    after = model.head.weight is model.embedding.weight
    print("still without a value:", ", ".join(left))
    print("weights tied on meta:", before, "- after to_empty:", after)
    values = {
        "left": float(len(left)),
        "embedding": float(model.embedding.weight.detach().std()),
        "head": float(model.head.weight.detach().std()),
    }
    print(f"std of embedding and head: {values['embedding']:.1f}, ", end="")
    print(f"{values['head']:.2f}")
    return dict(values)


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]
