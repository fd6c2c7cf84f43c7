"""Where tanh is linear, weight gradients are equal in layers of equal width.

E[(∂loss/∂w)²] = d_D p_0 (n Var(w))^(D - 1), the same for every layer.

Glorot and Bengio (2010), equations (5), (6), (7) and (14).
"""

# --8<-- [start:imports]
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:moments]
def layer_moments(
    gain: float,
    depth: int,
    width: int,
    networks: int,
    input_moment: float = 1.0,
) -> dict[str, np.ndarray]:
    """Return second moments per layer of deep tanh networks, at one input.

    The gradient at the last pre-activation is an independent standard normal
    vector; back-propagation below it uses the real weights.

    Args:
        gain: width * Var(w), the squared gain of a linear layer.
        depth: Number of layers.
        width: Units per layer, also the number of inputs.
        networks: Number of independent networks.
        input_moment: Mean of the squared inputs.

    Returns:
        Arrays of shape (networks, depth), layers 1 to depth: "h" the input
        of a layer, "delta" its gradient in z, "weight" its gradient in W.

    Raises:
        ValueError: If depth is less than 1.

    >>> moments = layer_moments(1.0, 3, 100, 50, input_moment=1e-4)
    >>> round(float(moments["h"].mean()) / 1e-4, 1)
    1.0
    """
    if depth < 1:
        raise ValueError(f"depth must be at least 1. Received: depth={depth}")
    rng = np.random.default_rng(SEED)
    std = np.sqrt(gain / width)
    h = rng.standard_normal((networks, width, 1)) * np.sqrt(input_moment)
    inputs, weights, slopes = [], [], []
    for _ in range(depth):
        weight = std * rng.standard_normal((networks, width, width))
        inputs.append(np.mean(h**2, axis=(1, 2)))
        weights.append(weight)
        h = np.tanh(weight @ h)
        slopes.append(1 - h**2)
    delta = rng.standard_normal((networks, width, 1))
    deltas = [np.mean(delta**2, axis=(1, 2))]
    for layer in range(depth - 1, 0, -1):
        delta = slopes[layer - 1] * (weights[layer].mT @ delta)
        deltas.append(np.mean(delta**2, axis=(1, 2)))
    p, d = np.stack(inputs, 1), np.stack(deltas[::-1], 1)
    return {"h": p, "delta": d, "weight": d * p}


# --8<-- [end:moments]


if __name__ == "__main__":
    # --8<-- [start:demo]
    depth, width, std, networks = 20, 256, 0.01, 20
    moments = layer_moments(width * std**2, depth, width, networks)
    delta, weight = np.sqrt(moments["delta"]), np.sqrt(moments["weight"])
    predicted = std * width**0.5
    print(f"predicted factor per layer  {predicted:.3f}")
    samples = {
        "ratio": (delta[:, 0] / delta[:, -1]) ** (1 / (depth - 1)),
        "decades": np.log10(delta[:, -1] / delta[:, 0]),
        "spread": weight.max(axis=1) / weight.min(axis=1),
    }
    measured = {}
    for name, x in samples.items():
        mean, error = x.mean(), x.std(ddof=1) / networks**0.5
        measured[name] = (mean, error)
        print(f"{name:27s} {mean:.4f} ± {error:.4f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_layers]
def plot_layers() -> Figure:
    """Draw the three second moments by layer for n Var(w) = 0.5 and 2."""
    depth, p0 = 20, 1e-9
    layer = np.arange(1, depth + 1)
    figure, axes = plt.subplots(2, 1, figsize=(5.6, 6.0), sharex=True)
    for axis, gain in zip(axes, (0.5, 2.0), strict=True):
        moments = layer_moments(gain, depth, 100, 100, p0)
        series = {
            "input of the layer": (moments["h"] / p0, gain ** (layer - 1)),
            "gradient in z": (moments["delta"], gain ** (depth - layer)),
            "gradient in W": (
                moments["weight"] / p0,
                np.full(depth, gain ** (depth - 1)),
            ),
        }
        for index, (name, (measured, predicted)) in enumerate(series.items()):
            axis.plot(layer, predicted, "--", c=f"C{index}", lw=1)
            axis.plot(
                layer,
                measured.mean(axis=0),
                "os^"[index],
                c=f"C{index}",
                ms=4,
                label=name,
            )
        axis.set(title=f"n·Var(w) = {gain:g}", yscale="log")
        axis.set_ylabel("second moment")
    axes[0].legend(loc="upper center")
    axes[1].set_xlabel("layer")
    axes[1].set_xticks([1, 5, 10, 15, 20])
    return figure


if __name__ == "__main__":
    plot_layers()
    plt.show()
# --8<-- [end:plot_layers]
