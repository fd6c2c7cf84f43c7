"""LSUV measures the output of each layer on one batch and divides by it.

W <- W / sqrt(Var(z)), layer by layer, until |Var(z) - 1| < tol

Mishkin and Matas (2016), "All you need is a good init".
"""

# --8<-- [start:imports]
import math

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

SEED = 0
LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
# --8<-- [end:imports]


# --8<-- [start:lsuv]
def output_variances(model: nn.Module, batch: Tensor) -> dict[str, float]:
    """Return Var(z) of each layer of LAYERS, in the order of execution.

    A layer that runs more than once is measured the first time.

    >>> output_variances(nn.Linear(1, 1), torch.zeros(3, 1))
    {'': 0.0}
    """
    names = {module: name for name, module in model.named_modules()}
    found: dict[str, float] = {}

    def note(module: nn.Module, _: object, z: Tensor) -> None:
        found.setdefault(names[module], float(z.detach().var(correction=0)))

    layers = [module for module in names if isinstance(module, LAYERS)]
    hooks = [layer.register_forward_hook(note) for layer in layers]
    try:
        model(batch)
    finally:
        for hook in hooks:
            hook.remove()
    return found


@torch.no_grad()
def lsuv_(
    model: nn.Module,
    batch: Tensor,
    tol: float = 0.01,
    max_steps: int = 10,
    generator: torch.Generator | None = None,
) -> dict[str, int]:
    """Initialize model in place: orthogonal weights, then unit variances.

    Args:
        model: any module; weights of LAYERS change, biases stay. Layers that
            do not run on the batch stay as they are. The model is measured
            in eval mode, and its mode is restored.
        batch: what the model is called with.
        tol: largest |Var(z) - 1| that is accepted.
        max_steps: divisions per layer before giving up.
        generator: source of randomness.

    Returns:
        The number of divisions of each layer, in the order of execution.

    Raises:
        ValueError: a layer's output is constant or not finite (dead), or
            max_steps are not enough.

    >>> generator = torch.Generator().manual_seed(0)
    >>> model = nn.Sequential(nn.Linear(8, 8, bias=False), nn.ReLU())
    >>> lsuv_(model, 3 * torch.randn(64, 8, generator=generator))
    {'0': 1}
    """
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        steps = dict.fromkeys(output_variances(model, batch), 0)
        layers = dict(model.named_modules())
        for name in steps:
            weight = layers[name].weight
            assert isinstance(weight, Tensor)
            nn.init.orthogonal_(weight, generator=generator)
        for name in steps:
            weight = layers[name].weight
            assert isinstance(weight, Tensor)
            variance = output_variances(model, batch)[name]
            while not abs(variance - 1) <= tol:
                if not 0 < variance < math.inf:
                    raise ValueError(
                        f"Layer {name!r} is dead or has overflowed. "
                        f"Received: {variance=}"
                    )
                if steps[name] == max_steps:
                    raise ValueError(
                        f"Layer {name!r} keeps another variance (a bias?). "
                        f"Received: {variance=}, {max_steps=}"
                    )
                weight /= math.sqrt(variance)
                steps[name] += 1
                variance = output_variances(model, batch)[name]
    finally:
        for module, mode in modes.items():
            module.training = mode
    return steps


# --8<-- [end:lsuv]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print Var(z) of deep nets on digits before and after LSUV."""
    x = torch.tensor(load_digits().data[:256] / 16, dtype=torch.float32)
    values: dict[str, float | tuple[float, float]] = {}
    print("20 layers   Var(z) of the last, before  after  divisions")
    for activation in (nn.ReLU(), nn.GELU(), nn.Tanh()):
        layers: list[nn.Module] = []
        for _ in range(20):
            layers += [nn.Linear(64, 64, bias=False), activation]
        model = nn.Sequential(*layers)
        generator = torch.Generator().manual_seed(SEED)
        for p in model.parameters():
            nn.init.xavier_normal_(p, generator=generator)
        before = list(output_variances(model, x).values())[-1]
        steps = lsuv_(model, x, generator=generator)
        after = list(output_variances(model, x).values())
        name = type(activation).__name__
        values[f"before_{name.lower()}"] = before
        values[f"steps_{name.lower()}"] = max(steps.values())
        worst = max(abs(v - 1) for v in after)
        values[f"worst_{name.lower()}"] = worst
        row = f"{name:<12}{before:26.0e}{after[-1]:7.2f}"
        print(f"{row}{max(steps.values()):11d}")
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]
