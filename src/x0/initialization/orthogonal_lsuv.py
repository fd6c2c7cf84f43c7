"""LSUV divides the weight of each layer by the std of its output on one batch.

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

    A layer that runs more than once is measured the first time. Buffers stay
    as they are; other changes of a forward pass are not undone.

    Raises:
        ValueError: a parameter has no numbers (lazy, meta), or the batch is
            empty.

    >>> found = output_variances(nn.Linear(1, 1), torch.zeros(3, 1))
    >>> list(found), round(found[""], 6)
    ([''], 0.0)
    """
    for name, p in model.named_parameters():
        if nn.parameter.is_lazy(p) or p.is_meta:
            raise ValueError(f"{name} has no numbers. Received: {type(p)}")
    if not batch.numel():
        raise ValueError(f"The batch is empty. Received: {tuple(batch.shape)}")
    names = {module: name for name, module in model.named_modules()}
    found: dict[str, float] = {}

    def note(module: nn.Module, _: object, z: Tensor) -> None:
        if z.numel():  # an expert may get no sample
            variance = float(z.detach().var(correction=0))
            found.setdefault(names[module], variance)

    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    layers = [module for module in names if isinstance(module, LAYERS)]
    hooks = [layer.register_forward_hook(note) for layer in layers]
    try:
        with torch.no_grad(), torch.compiler.set_stance("force_eager"):
            model(batch.clone())
    finally:
        for hook in hooks:
            hook.remove()
        for buffer, value in buffers:
            buffer.data.copy_(value)
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
        model: weights of LAYERS change, biases stay. Layers that do not run
            on the batch stay as they are. The model is measured in eval
            mode, and its mode is restored.
        batch: what the model is called with.
        tol: largest |Var(z) - 1| that is accepted.
        max_steps: divisions per layer before giving up.
        generator: source of randomness.

    Returns:
        The number of divisions of each layer, in the order of execution.

    Raises:
        ValueError: a layer's output is constant or not finite (dead), or
            max_steps are not enough; a weight is complex or wrapped
            (weight_norm, spectral_norm), or shared with a layer that undoes
            its variance; tol or max_steps is not positive. The weights are
            then as before.

    >>> generator = torch.Generator().manual_seed(0)
    >>> model = nn.Sequential(nn.Linear(8, 8, bias=False), nn.ReLU())
    >>> lsuv_(model, 3 * torch.randn(64, 8, generator=generator))
    {'0': 1}
    """
    if not 0 < tol < math.inf or max_steps < 1:
        raise ValueError(f"Expected positive. Received: {tol=}, {max_steps=}")
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        steps = dict.fromkeys(output_variances(model, batch), 0)
        layers = dict(model.named_modules())
        weights = {
            name: layers[name]._parameters.get("weight") for name in steps
        }
        for name, weight in weights.items():
            if weight is None or not weight.is_floating_point():
                raise ValueError(f"Not a plain weight. Received: {name!r}")
        before = {name: weight.clone() for name, weight in weights.items()}
        try:
            for weight in weights.values():
                wide = torch.empty(weight.shape, device=weight.device)
                weight.copy_(nn.init.orthogonal_(wide, generator=generator))
            for name in steps:
                steps[name] = unit_variance_(
                    model, batch, name, weights[name], tol, max_steps
                )
            for name, variance in output_variances(model, batch).items():
                if not abs(variance - 1) <= tol:
                    raise ValueError(
                        "A later layer moved it: a weight is shared. "
                        f"Received: {name!r}, {variance=:.3g}"
                    )
        except ValueError:
            for name, weight in weights.items():
                weight.copy_(before[name])
            raise
    finally:
        for module, mode in modes.items():
            module.training = mode
    return steps


def unit_variance_(
    model: nn.Module,
    batch: Tensor,
    name: str,
    weight: Tensor,
    tol: float,
    max_steps: int,
) -> int:
    """Divide the weight of one layer until its output has variance 1."""
    steps = 0
    variance = output_variances(model, batch)[name]
    while not abs(variance - 1) <= tol:
        if not 0 < variance < math.inf:
            raise ValueError(
                f"Layer {name!r} is dead or has overflowed. "
                f"Received: {variance=}"
            )
        if steps == max_steps:
            raise ValueError(
                f"Layer {name!r} keeps another variance (a bias?). "
                f"Received: {variance=}, {max_steps=}"
            )
        weight /= math.sqrt(variance)
        steps += 1
        variance = output_variances(model, batch)[name]
    return steps


# --8<-- [end:lsuv]


if __name__ == "__main__":
    # --8<-- [start:demo]
    x = torch.tensor(load_digits().data[:256] / 16, dtype=torch.float32)
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
        after = list(output_variances(model, x).values())[-1]
        row = f"{type(activation).__name__:<12}{before:26.0e}{after:7.2f}"
        print(f"{row}{max(steps.values()):11d}")
    # --8<-- [end:demo]
