"""Two second moments per layer tell what is wrong with an initialization.

factor = (median growth per layer) ^ (number of layers - 1)

Hooks on every module collect E[h^2], E[delta^2] and dead or saturated units.
"""

# --8<-- [start:imports]
import math
import warnings
from collections.abc import Callable
from itertools import combinations
from statistics import median
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

SEED = 0
LIMIT = 1e3  # factor of a second moment over the whole depth
DEAD = 0.8  # share of units that are 0 for the whole batch
SATURATED = 0.5  # share of outputs within 2.5 % of the range from a bound
BOUNDS = {nn.Tanh: (-1, 1), nn.Sigmoid: (0, 1), nn.Softsign: (-1, 1)}
PAGES = {
    "dead": "initialization/biases",
    "blocked": "initialization/choosing",  # by a zero head or branch
    "saturated": "initialization/lecun",
    "exploding": "initialization/why",
    "vanishing": "initialization/why",
    "healthy": "initialization/choosing",
}
# --8<-- [end:imports]


# --8<-- [start:diagnose]
class Layer(NamedTuple):
    """What one module showed; the moments are means over its outputs."""

    name: str
    module: nn.Module
    signal: float  # second moment of the output
    gradient: float  # second moment of the loss gradient at the output
    dead: float  # share of units that are 0 for every sample
    saturated: float  # share of outputs close to a bound


class Diagnosis(NamedTuple):
    """A verdict, the page to read, and the layers in the order of use."""

    verdict: str
    page: str
    layers: list[Layer]


def diagnose(
    model: nn.Module,
    batch: Tensor | tuple[Tensor, ...],
    loss: Callable[[Any], Tensor],
    kinds: tuple[type[nn.Module], ...] = (),
) -> Diagnosis:
    """Run one batch forward and backward and judge every layer.

    Parameters, their .grad and all buffers stay as they were.

    Args:
        model: any module; activations must be modules to be seen as such.
        batch: its input, or a tuple of inputs, samples first.
        loss: maps the output of the model to a scalar.
        kinds: module types to watch; all without children if empty.

    Raises:
        ValueError: none of the watched modules ran, or none has a gradient.
    """
    inputs = batch if isinstance(batch, tuple) else (batch,)
    # A leaf that requires a gradient carries it to the first module.
    inputs = tuple(
        x.detach().clone().requires_grad_(x.is_floating_point()) for x in inputs
    )
    outputs: dict[nn.Module, Tensor] = {}
    gradients: dict[nn.Module, Tensor] = {}
    dead: dict[nn.Module, float] = {}

    def forward(module: nn.Module, args: Any, output: Any) -> None:
        first = output[0] if isinstance(output, tuple) else output
        h = outputs[module] = first.detach().double()
        dead[module] = 0.0
        if args and args[0].shape == h.shape:  # 0 made of what was not 0
            made = (h == 0).all(dim=0) & (args[0] != 0).any(dim=0)
            dead[module] = made.double().mean().item()

    def backward(module: nn.Module, _: Any, grad_output: Any) -> None:
        if grad_output[0] is not None:
            gradients[module] = grad_output[0].detach().double()

    names = {module: name for name, module in model.named_modules()}
    watched = [
        m
        for m in names
        if (isinstance(m, kinds) if kinds else not any(m.children()))
    ]
    in_place = [m for m in names if getattr(m, "inplace", False) is True]
    buffers = {k: b.clone() for k, b in model.named_buffers()}
    hooks = []
    for module in watched:
        hooks.append(module.register_forward_hook(forward))
        hooks.append(module.register_full_backward_hook(backward))
    try:
        for module in in_place:  # backward hooks forbid in-place changes
            module.inplace = False
        every: list[Tensor] = [*model.parameters(), *inputs]
        wanted = [x for x in every if x.requires_grad]
        with torch.enable_grad(), warnings.catch_warnings():
            # an embedding has no input with a gradient; its output has one
            warnings.filterwarnings("ignore", "Full backward hook is firing")
            value = loss(model(*inputs))
            torch.autograd.grad(value, wanted, allow_unused=True)
    finally:
        for hook in hooks:
            hook.remove()
        for module in in_place:
            module.inplace = True
        with torch.no_grad():
            for key, buffer in model.named_buffers():
                buffer.copy_(buffers[key])
    layers = []
    for module, h in outputs.items():
        if module not in gradients:
            continue
        low, high = BOUNDS.get(type(module), (-math.inf, math.inf))
        margin = 0.025 * (high - low)
        close = (h < low + margin) | (h > high - margin)
        layers.append(
            Layer(
                name=names[module],
                module=module,
                signal=h.square().mean().item(),
                gradient=gradients[module].square().mean().item(),
                dead=dead[module],
                saturated=close.double().mean().item()
                if margin < math.inf
                else 0.0,
            )
        )
    if not layers:
        raise ValueError(f"No layer to judge. Received: {kinds=}")
    verdict = judge(layers)
    return Diagnosis(verdict, PAGES[verdict], layers)


# --8<-- [end:diagnose]


# --8<-- [start:judge]
def growth_factor(moments: list[float]) -> float:
    """Return the median growth per layer to the power of the steps.

    Medians ignore single jumps, such as a pooling layer: the median over
    neighbors one in the middle, that over all pairs layers that alternate.

    >>> round(growth_factor([1.0, 0.5, 0.25, 1e-9, 0.0625]), 6)
    0.0625
    """
    if len(moments) < 2:
        return 1.0
    if min(moments) == 0:
        return 0.0
    logs = list(enumerate(map(math.log, moments)))
    pairs = list(combinations(logs, 2))
    slopes = [(b - a) / (j - i) for (i, a), (j, b) in pairs]
    steps = [b - a for (i, a), (j, b) in pairs if j == i + 1]
    growth = min(median(slopes), median(steps), key=abs)
    return math.exp(min(growth * (len(moments) - 1), 700))


def judge(layers: list[Layer]) -> str:
    """Return the first verdict that fits, in the order of PAGES."""
    weights = [
        layer
        for layer in layers
        if any(p.dim() > 1 for p in layer.module.parameters())
    ]
    others = [layer for layer in layers if layer not in weights]
    zero = any(
        name.endswith("weight") and not p.any()
        for layer in layers
        for name, p in layer.module.named_parameters()
    )
    hidden = weights[:-1] or weights  # the head has a scale of its own
    signal = growth_factor([layer.signal for layer in hidden])
    gradient = growth_factor([layer.gradient for layer in reversed(hidden)])
    moments = [m for layer in layers for m in layer[2:4]]
    found = {
        "dead": max((x.dead for x in others), default=0) > DEAD,
        "blocked": zero and min(layer.gradient for layer in layers) == 0,
        "saturated": max(layer.saturated for layer in layers) > SATURATED,
        "exploding": max(signal, gradient) > LIMIT
        or not all(map(math.isfinite, moments)),
        "vanishing": min(signal, gradient) < 1 / LIMIT,
        "healthy": True,
    }
    return next(verdict for verdict in PAGES if found[verdict])


# --8<-- [end:judge]


# --8<-- [start:models]
def chain(
    activation: type[nn.Module], std: float, bias: float = 0.0, depth: int = 15
) -> nn.Sequential:
    """Return 64-64-...-10 with weights from N(0, std^2 / 64)."""
    generator = torch.Generator().manual_seed(SEED)
    layers: list[nn.Module] = []
    for index in range(depth):
        linear = nn.Linear(64, 64 if index < depth - 1 else 10)
        nn.init.normal_(linear.weight, 0, std / 8, generator=generator)
        nn.init.constant_(linear.bias, bias)
        layers += [linear, activation()]
    return nn.Sequential(*layers[:-1])


MODELS = {
    "ReLU, He": chain(nn.ReLU, math.sqrt(2)),
    "ReLU, std 0.01": chain(nn.ReLU, 0.08),
    "ReLU, 2 × He": chain(nn.ReLU, 2 * math.sqrt(2)),
    "tanh, std 1": chain(nn.Tanh, 8),
    "ReLU, bias −6": chain(nn.ReLU, math.sqrt(2), bias=-6),
}


def run(model: nn.Module) -> Diagnosis:
    """Diagnose a model on a batch of normal inputs and ten classes."""
    generator = torch.Generator().manual_seed(SEED + 1)
    batch = torch.randn(100, 64, generator=generator)
    target = torch.arange(100) % 10
    return diagnose(
        model, batch, lambda out: nn.functional.cross_entropy(out, target)
    )


# --8<-- [end:models]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print the verdict on five models, and the layers of a healthy one."""
    values: dict[str, float | tuple[float, float]] = {}
    for name, model in MODELS.items():
        verdict, page, layers = run(model)
        print(f"{name:15} {verdict:10} {page}")
        values[f"{verdict}_dead"] = max(layer.dead for layer in layers)
        values[f"{verdict}_saturated"] = max(x.saturated for x in layers)
    print("\nReLU, He        signal  gradient  dead")
    for layer in run(MODELS["ReLU, He"]).layers[:6]:
        kind = f"{layer.name} {type(layer.module).__name__}"
        print(f"{kind:14} {layer.signal:7.1f}", end="")
        print(f"  {layer.gradient:8.0e}  {layer.dead:4.0%}")
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]


# --8<-- [start:plot_profiles]
def plot_profiles() -> Figure:
    """Draw the moments of the five models at their linear layers."""
    figure, axes = plt.subplots(
        2, 1, figsize=(5.6, 6.2), sharex=True, layout="constrained"
    )
    for index, (name, model) in enumerate(MODELS.items()):
        layers = [x for x in run(model).layers if type(x.module) is nn.Linear]
        style = f"{'osD^v'[index]}-"
        for axis, moments in zip(
            axes,
            ([x.signal for x in layers], [x.gradient for x in layers]),
            strict=True,
        ):
            shown = [(i, m) for i, m in enumerate(moments, 1) if m > 0]
            axis.plot(*zip(*shown, strict=True), style, label=name, ms=4, lw=1)
    axes[0].set(yscale="log", ylabel="second moment q")
    axes[1].set(yscale="log", ylabel="gradient d", xlabel="layer")
    axes[0].legend(fontsize="small", ncols=2)
    axes[1].set_xticks(range(1, 16, 2))
    return figure


if __name__ == "__main__":
    plot_profiles()
    plt.show()
# --8<-- [end:plot_profiles]
