"""A wrong scale acts once per layer, so its effect is exponential in depth.

|delta_(l-1)| = std * sqrt(fan_in) * |delta_l|, while |dL/dW| stays flat

Glorot and Bengio (2010), equations (6) and (14); linear regime of tanh.
"""

# --8<-- [start:imports]
import functools
import itertools
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from torch import Tensor, nn

SEED = 0
DEPTH, WIDTH, SAMPLES, NETWORKS = 20, 256, 64, 4
Convolution = nn.Conv1d | nn.Conv2d | nn.Conv3d
Transposed = nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d
Layer = nn.Linear | Convolution | Transposed
# --8<-- [end:imports]


# --8<-- [start:norms]
def gradient_norms(
    model: nn.Module, inputs: Tensor, targets: Tensor
) -> list[dict[str, float]]:
    """Return gradient norms at each linear or convolution layer, in order.

    Leaves parameters, their .grad, buffers and inputs as they are.

    Args:
        model: A classifier; maps inputs to logits.
        inputs: A batch, shape (samples, …).
        targets: Class indices, shape (samples,).

    Returns:
        For each call of such a layer: "delta", the gradient in its output,
        "weight", and "bias" (0 without a trained one). MultiheadAttention
        does not call its out_proj.

    Raises:
        ValueError: No such layer ran, or one has a weight without gradient:
            frozen, or made from others (weight_norm).

    >>> model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
    >>> norms = gradient_norms(model, torch.ones(5, 4), torch.zeros(5).long())
    >>> len(norms), sorted(norms[0])
    (2, ['bias', 'delta', 'weight'])
    """
    calls: list[tuple[Layer, Tensor]] = []

    def keep(layer: nn.Module, _: object, output: Tensor) -> Tensor:
        assert isinstance(layer, Layer)
        calls.append((layer, output))
        return output.clone()  # an in-place activation changes the copy

    layers = [m for m in model.modules() if isinstance(m, Layer)]
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    for layer in layers:
        weight = layer._parameters.get("weight")
        lazy = weight is not None and nn.parameter.is_lazy(weight)
        if weight is None or lazy or not weight.requires_grad:
            raise ValueError(f"No gradient in a weight. Received: {layer}")
    handles = [layer.register_forward_hook(keep) for layer in layers]
    try:
        with torch.compiler.set_stance("force_eager"):  # compiled: no hooks
            logits = model(inputs.clone())
    finally:
        for handle in handles:
            handle.remove()
        for buffer, value in buffers:
            buffer.data.copy_(value)
    if not calls:
        raise ValueError(f"No layer ran. Received: {type(model)}")
    loss = nn.functional.cross_entropy(logits, targets)
    wanted: list[Tensor] = []
    for layer, output in calls:
        bias = layer.bias
        if bias is None or not bias.requires_grad:
            bias = output
        wanted += [output, layer.weight, bias]
    found = torch.autograd.grad(loss, wanted, materialize_grads=True)
    norms = [float(g.norm()) for g in found]
    rows = zip(norms[::3], norms[1::3], norms[2::3], strict=True)
    result = [
        dict(zip(("delta", "weight", "bias"), r, strict=True)) for r in rows
    ]
    for (layer, _), row in zip(calls, result, strict=True):
        if layer.bias is None or not layer.bias.requires_grad:
            row["bias"] = 0.0
    return result


# --8<-- [end:norms]


# --8<-- [start:network]
def digit_batch() -> tuple[Tensor, Tensor]:
    """Return standardized images, shape (SAMPLES, 64), and their classes."""
    images, labels = load_digits(return_X_y=True)
    x = torch.tensor(images)
    x = (x - x.mean(0)) / x.std(0).clamp(min=1e-6)
    return x[:SAMPLES], torch.tensor(labels[:SAMPLES])


def deep_tanh(std: float | None, generator: torch.Generator) -> nn.Sequential:
    """Return a tanh network of DEPTH layers with zero biases.

    Args:
        std: Of all weights; None takes 1 / sqrt(fan_in).
        generator: Source of randomness.
    """
    widths = [64] + [WIDTH] * (DEPTH - 1) + [10]
    modules: list[nn.Module] = []
    for fan_in, fan_out in itertools.pairwise(widths):
        layer = nn.Linear(fan_in, fan_out, dtype=torch.float64)
        scale = fan_in**-0.5 if std is None else std
        nn.init.normal_(layer.weight, 0.0, scale, generator=generator)
        nn.init.zeros_(layer.bias)
        modules += [layer, nn.Tanh()]
    return nn.Sequential(*modules[:-1])


@functools.cache
def measure_norms(std: float | None) -> np.ndarray:
    """Return norms, shape (NETWORKS, 3, DEPTH): delta, weight, bias."""
    generator = torch.Generator().manual_seed(SEED)
    x, y = digit_batch()
    runs = []
    for _ in range(NETWORKS):
        norms = gradient_norms(deep_tanh(std, generator), x, y)
        runs.append(
            [[n[k] for n in norms] for k in ("delta", "weight", "bias")]
        )
    return np.array(runs)


# --8<-- [end:network]


if __name__ == "__main__":
    # --8<-- [start:demo]
    norms = np.array([measure_norms(std) for std in (0.01, None)])
    delta, weight = norms[:, :, 0], norms[:, :, 1]
    factor = (delta[..., 0] / delta[..., -1]) ** (1 / (DEPTH - 1))
    rows = {
        "delta, per layer": factor,
        "weight, max / min": weight.max(-1) / weight.min(-1),
        "weight, layer 1": weight[..., 0],
    }
    print("                     std 0.01   std 1/√n")
    for name, x in rows.items():
        small, xavier = x.mean(1)
        print(f"{name:<18}{small:11.1g}{xavier:11.1g}")

    error = factor[0].std(ddof=1) / math.sqrt(NETWORKS)
    small_factor = (factor[0].mean(), error)
    generator = torch.Generator().manual_seed(SEED)
    matrix = deep_tanh(0.01, generator).state_dict()["2.weight"]
    worst_case = torch.linalg.matrix_norm(matrix, 2)
    half_layers = 50 * math.log(2) / math.log(6)
    plateau = (0.5**-28 - 0.9**-28) / 28
    # --8<-- [end:demo]


# --8<-- [start:plot_gradients]
def plot_gradients() -> Figure:
    """Draw the norms of three gradients by layer for two scales."""
    layer = np.arange(1, DEPTH + 1)
    fig, axes = plt.subplots(
        2, figsize=(5.6, 5.6), sharex=True, layout="constrained"
    )
    for ax, std in zip(axes, (0.01, None), strict=True):
        norms = np.exp(np.log(measure_norms(std)).mean(0))
        factor = 1.0 if std is None else std * WIDTH**0.5
        for predicted in (
            norms[0, -1] * factor ** (DEPTH - layer),
            np.full(DEPTH, norms[1, -1]),
        ):
            ax.plot(layer, predicted, ls="--", lw=1, color="black")
        names = ("gradient in z", "gradient in W", "gradient in b")
        for i, name in enumerate(names):
            style = {"color": f"C{i + 1}", "label": name}
            ax.plot(layer, norms[i], "o^s"[i], ms=4, **style)
        ax.set(yscale="log", ylabel="norm of the gradient")
        ax.set_title("std 0.01" if std else "std 1/√n")
    axes[1].set(xlabel="layer", xticks=[1, 5, 10, 15, 20], ylim=(1e-4, 10))
    axes[1].legend(loc="lower right")
    return fig


if __name__ == "__main__":
    plot_gradients()
    plt.show()
# --8<-- [end:plot_gradients]
