"""to_empty allocates a model of the meta device without initializing it.

Each layer must be reset, children first; what has no reset stays garbage.
"""

# --8<-- [start:imports]
import torch
from torch import nn

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:materialize]
@torch.no_grad()
def materialize_(model: nn.Module, device: str = "cpu") -> list[str]:
    """Allocate a meta-device model in place, reset its layers, name the rest.

    Resets run children first, as constructors do: MultiheadAttention sets
    the bias of its out_proj to 0 after out_proj has drawn one. A parameter
    that modules share stays shared, with the draw of the first of them.

    Args:
        model: on the meta device; lazy modules have run once before.
        device: where to.

    Returns:
        Parameters and buffers that no layer sets. They hold NaN, integers
        the least number and booleans False, so that a forgotten one cannot
        pass for a value.

    Raises:
        ValueError: some parameter is not on the meta device, and would lose
            its numbers, or has no shape yet; torch knows no such device.

    >>> with torch.device("meta"):
    ...     model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    >>> materialize_(model), model[0].weight.device.type
    ([], 'cpu')
    """
    try:
        torch.empty(0, device=device)
    except (AssertionError, RuntimeError) as error:
        raise ValueError(f"No such device. Received: {device=}") from error
    names: dict[nn.Parameter, list[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names.setdefault(parameter, []).append(name)
        if nn.parameter.is_lazy(parameter) or not parameter.is_meta:
            raise ValueError(
                "All parameters must be on the meta device, with a shape. "
                f"Received: {name} on {parameter.device}"
            )
    model.to_empty(device=device)
    for first, *others in names.values():  # to_empty gave each its own
        for other in others:
            holder, _, own = other.rpartition(".")
            setattr(
                model.get_submodule(holder), own, model.get_parameter(first)
            )
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    for tensor in tensors.values():
        if tensor.is_floating_point() or tensor.is_complex():
            tensor.fill_(torch.nan)
        elif tensor.dtype == torch.bool:
            tensor.fill_(False)
        else:
            tensor.fill_(torch.iinfo(tensor.dtype).min)
    filled = {name: tensor._version for name, tensor in tensors.items()}
    for module in reversed(list(model.modules())):
        for name in ("reset_parameters", "_reset_parameters"):
            if hasattr(module, name):
                getattr(module, name)()
    return [  # the version counts the writes
        name
        for name, tensor in tensors.items()
        if tensor._version == filled[name] or tensor.isnan().any()
    ]


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


if __name__ == "__main__":
    # --8<-- [start:demo]
    with torch.device("meta"):
        model, plain = TiedModel(), TiedModel()
    plain.to_empty(device="cpu")
    tied = plain.head.weight is plain.embedding.weight
    print("tied after to_empty alone:", tied)
    torch.manual_seed(SEED)
    left = materialize_(model)
    tied = model.head.weight is model.embedding.weight
    print("tied after materialize_:", tied)
    print("still without a value:", ", ".join(left))
    # --8<-- [end:demo]
