"""The activation fixes fan_in * Var(w); branches, heads and gates come after.

fan_in * Var(w) = 1 (linear, tanh, SELU), 2 / (1 + slope^2) (ReLU family)

Glorot and Bengio (2010); He et al. (2015); Klambauer et al. (2017).
"""

# --8<-- [start:imports]
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:init]
SCALES = {  # fan_in * Var(w) and Var(b), without norm and skip
    "linear": (1.0, 0.0),
    "tanh": (1.0, 0.0),
    "softsign": (1.0, 0.0),
    "selu": (1.0, 0.0),
    "gelu": (1.98306, 0.17292),
    "silu": (1.98800, 0.55514),
    "sine": (2 / 900, 0.0),  # of sin(30 z)
    "sigmoid": (100.0, 0.0),
}


def hidden_scale(activation: str, slope: float = 0.0) -> float:
    """Return fan_in * Var(w) for a hidden layer.

    Args:
        activation: a key of SCALES, relu or leaky_relu; normalized for any
            activation between two norms.
        slope: negative slope of leaky_relu.

    Raises:
        ValueError: no row of the table has this activation, or the slope is
            not finite.

    >>> hidden_scale("leaky_relu", 1.0)
    1.0
    """
    if activation in SCALES:
        return SCALES[activation][0]
    known = activation in ("relu", "leaky_relu", "normalized")
    if known and math.isfinite(slope):
        return 2 / (1 + slope * slope)
    raise ValueError(
        "Put a norm before this activation, or use another one. "
        f"Received: {activation=}, {slope=}"
    )


CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
LAYERS = (nn.Linear, *CONVOLUTIONS, *TRANSPOSED)
TABLES = (nn.Embedding, nn.EmbeddingBag)
RECURRENT = (nn.RNNBase, nn.RNNCellBase)
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
INSTANCE_NORMS = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)
OTHER_NORMS = (nn.LayerNorm, nn.RMSNorm, nn.GroupNorm, nn.SyncBatchNorm)
NORMS = (*OTHER_NORMS, *BATCH_NORMS, *INSTANCE_NORMS)
KNOWN = (*LAYERS, *TABLES, *RECURRENT, *NORMS, nn.MultiheadAttention)


@torch.no_grad()
def follows(module: Any) -> bool:
    """Tell whether the weight takes on what is assigned to it.

    With parametrizations.weight_norm it does, with spectral_norm it is
    divided, and the weight_norm of torch.nn.utils writes over it.
    """
    if not is_parametrized(module, "weight"):
        return isinstance(module.weight, nn.Parameter)
    state = {key: x.clone() for key, x in module.state_dict().items()}
    wanted = 1 + 2 * module.weight
    try:
        module.weight = wanted
        return torch.allclose(module.weight, wanted, rtol=1e-2)
    except (RuntimeError, ValueError):
        return False
    finally:
        module.load_state_dict(state)


@torch.no_grad()
def write_(module: Any, weight: Tensor) -> None:
    """Set the weight of a layer, through weight_norm if that is there."""
    if not is_parametrized(module, "weight"):
        module.weight.copy_(weight)
    elif weight.any():
        module.weight = weight
    else:  # zeros have no direction: set the length to 0
        next(iter(module.parametrizations.weight.parameters())).zero_()


def check_numbers(model: nn.Module) -> None:
    """Raise ValueError unless parameters hold numbers that can be drawn.

    Integers may stand in a module of one's own, not in a layer.
    """
    if next(model.parameters(), None) is None:  # as after quantization
        raise ValueError(f"No parameters. Received: {type(model)}")
    for name, p in model.named_parameters():
        if nn.parameter.is_lazy(p) or p.is_meta:
            raise ValueError(
                "Run a lazy model once, materialize a meta model first. "
                f"Received: {name} of {type(p).__name__}, {p.device}"
            )
        owner = model.get_submodule(name.rpartition(".")[0])
        whole = not (p.is_floating_point() or p.is_complex())
        if (whole and isinstance(owner, KNOWN)) or (
            not whole and p.element_size() < 2
        ):
            raise ValueError(
                "Initialize before the weights become float8 or integers. "
                f"Received: {name} of {p.dtype}"
            )


def stream_reader(branch: nn.Module) -> nn.Module | None:
    """Return the layer of a branch that reads a stream no ReLU has halved.

    >>> block = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2))
    >>> stream_reader(block) is block[0], stream_reader(block[1:])
    (True, None)
    """
    for module in branch.modules():
        if isinstance(module, LAYERS):
            return module
        if isinstance(module, (nn.ReLU, nn.LeakyReLU)):
            return None
    return None


@torch.no_grad()
def initialize_(
    model: nn.Module,
    activation: str,
    slope: float = 0.0,
    branches: Sequence[nn.Module] = (),
    head: nn.Linear | None = None,
    generator: torch.Generator | None = None,
) -> list[str]:
    """Initialize a model in place; norms keep what they have.

    Embeddings get N(0, 0.02^2) and keep a padding row of 0; a linear layer
    that shares the weight of an embedding leaves it at that. Biases become
    0 (1 in the forget gates of an LSTM), with gelu and silu those of hidden
    layers random, as in SCALES.

    Args:
        model: its layers of torch.nn change, told apart by their type.
        activation: of the hidden layers, see hidden_scale.
        slope: negative slope of leaky_relu.
        branches: residual branches; of each, the layer registered last
            feeds the addition and is divided by the root of their number,
            and a first layer that no ReLU precedes gets fan_in * Var(w) = 1.
        head: the output layer; its weight becomes 0.
        generator: source of randomness.

    Returns:
        Names of the parameters that were left alone: of modules of other
        types, and weights that cannot be assigned (see follows).

    Raises:
        ValueError: no row of the table has this activation; a parameter has
            no numbers, or there is none; a branch has no layer at its end;
            the head is tied to an embedding, which would become 0 with it;
            gelu or silu and a hidden layer without a bias.
    """
    scale = hidden_scale(activation, slope)
    spread = SCALES.get(activation, (1.0, 0.0))[1]
    for part in (model, *branches):
        check_numbers(part)
    tied = {id(m.weight) for m in model.modules() if isinstance(m, TABLES)}
    if head is not None and (id(head.weight) in tied or not follows(head)):
        raise ValueError(f"The head is tied or wrapped. Received: {head}")
    readers = {stream_reader(branch) for branch in branches}
    for module in model.modules():  # what attention returns was no ReLU's
        if isinstance(module, nn.MultiheadAttention):
            readers.add(module.out_proj)
    ends = [last_layer(branch) for branch in branches]
    skipped = {*readers, head}
    layers = [m for m in model.modules() if isinstance(m, LAYERS)]
    hidden = [
        m
        for m in layers
        if m not in skipped and follows(m) and id(m.weight) not in tied
    ]
    if spread and any(m.bias is None for m in hidden):
        raise ValueError(f"Biases are needed. Received: {activation=}, {model}")
    done: set[int] = set()
    for module in model.modules():
        if isinstance(module, LAYERS) and not follows(module):
            continue
        if isinstance(module, LAYERS) and id(module.weight) not in tied:
            layer_(module, 1 if module in readers else scale, generator)
            if spread and module.bias is not None and module not in skipped:
                module.bias.normal_(0, math.sqrt(spread), generator=generator)
        elif isinstance(module, LAYERS) and module.bias is not None:
            module.bias.zero_()
        elif isinstance(module, TABLES):
            module.weight.normal_(0, 0.02, generator=generator)
            if module.padding_idx is not None:
                module.weight[module.padding_idx].zero_()
        elif isinstance(module, RECURRENT):
            recurrent_(module, generator)
        elif isinstance(module, nn.MultiheadAttention):
            attention_(module, generator)
        if isinstance(module, KNOWN):
            own = isinstance(module, nn.MultiheadAttention)
            done |= {id(p) for p in module.parameters(recurse=not own)}
    for end in dict.fromkeys(ends):  # a shared branch comes several times
        write_(end, end.weight / math.sqrt(len(branches)))
    if head is not None:
        write_(head, torch.zeros_like(head.weight))
    return [k for k, p in model.named_parameters() if id(p) not in done]


@torch.no_grad()
def layer_(
    module: Any, scale: float, generator: torch.Generator | None = None
) -> None:
    """Fill a linear or convolution layer: fan_in * Var(w) = scale, bias 0."""
    reads: float = module.weight[0].numel()  # (out, in, *kernel)
    if isinstance(module, TRANSPOSED):  # (in, out, *kernel), strided
        reads = module.weight[:, 0].numel() / module.groups
        reads /= math.prod(module.stride)
    new = torch.empty_like(module.weight)
    std = math.sqrt(scale / reads)
    write_(module, new.normal_(0, std, generator=generator))
    if module.bias is not None:
        module.bias.zero_()


def last_layer(branch: nn.Module) -> Any:
    """Return the layer registered last, whose output is added.

    Raises:
        ValueError: there is none, or its weight cannot be assigned.
    """
    layers = [m for m in branch.modules() if isinstance(m, LAYERS)]
    if not layers or not follows(layers[-1]):
        raise ValueError(f"No layer to scale at the end. Received: {branch}")
    return layers[-1]


@torch.no_grad()
def attention_(
    module: nn.MultiheadAttention, generator: torch.Generator | None = None
) -> None:
    """Fill q, k and v by Xavier, each by itself, and set the bias to 0."""
    for name, p in module.named_parameters(recurse=False):
        if p.dim() == 2:  # q, k and v may be stacked in one parameter
            for part in torch.split(p, module.embed_dim):
                nn.init.xavier_normal_(part, generator=generator)
        elif name == "in_proj_bias":
            p.zero_()


@torch.no_grad()
def recurrent_(
    module: nn.RNNBase | nn.RNNCellBase,
    generator: torch.Generator | None = None,
) -> None:
    """Fill each gate: orthogonal recurrence, Xavier input, bias 0.

    The forget gate of an LSTM gets the bias 1, once: its two biases add up.
    """
    for name, parameter in module.named_parameters(recurse=False):
        if name.startswith("bias"):
            parameter.zero_()
            if isinstance(module, (nn.LSTM, nn.LSTMCell)) and "hh" in name:
                parameter.chunk(4)[1].fill_(1)
            continue
        for gate in torch.split(parameter, module.hidden_size):
            if name.startswith("weight_hh"):
                wider = torch.promote_types(gate.dtype, torch.float32)
                draw = torch.empty_like(gate, dtype=wider)  # not in bfloat16
                gate.copy_(nn.init.orthogonal_(draw, generator=generator))
            else:
                nn.init.xavier_normal_(gate, generator=generator)


# --8<-- [end:init]


if __name__ == "__main__":
    # --8<-- [start:demo]
    generator = torch.Generator().manual_seed(SEED)
    lstm = nn.LSTM(64, 128)
    branches = [nn.Sequential(nn.Linear(128, 256), nn.ReLU()) for _ in "1234"]
    for branch in branches:
        branch.append(nn.Linear(256, 128))
    head = nn.Linear(128, 10)
    model = nn.Sequential(nn.Embedding(500, 64), lstm, *branches, head)
    initialize_(
        model, "relu", branches=branches, head=head, generator=generator
    )

    first, *_, last = (p for p in branches[0].parameters() if p.dim() > 1)
    n_v = [128 * first.var().item(), 256 * last.var().item()]
    x = y = torch.randn(500, 128, generator=generator)
    for branch in branches:
        y = y + branch(y).detach()
    stream = (y.square().mean() / x.square().mean()).item()
    biases = lstm.get_parameter("bias_ih_l0") + lstm.get_parameter("bias_hh_l0")
    forget = biases[128:256].mean().item()
    logits = head(x)
    loss = nn.functional.cross_entropy(logits, torch.arange(500) % 10).item()
    print(f"branch, first weight: fan_in * Var(w) {n_v[0]:.1f}")
    print(f"branch, last weight:  fan_in * Var(w) {n_v[1]:.1f}")
    print(f"four branches multiply the stream by {stream:.1f}")
    print(f"forget gate, sum of both biases {forget:.0f}")
    print(f"cross-entropy at step 0 {loss:.4f}")
    # --8<-- [end:demo]
