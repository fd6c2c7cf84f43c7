"""In a deep tanh network the weight scale decides where the units end up.

Var(w) = 1 / width is what Xavier gives to equal widths.

Glorot and Bengio (2010), who looked at histograms of tanh activations.
"""

# --8<-- [start:imports]
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:activations]
def tanh_activations(
    std: float, depth: int, width: int, batch: int, rng: np.random.Generator
) -> np.ndarray:
    """Return the activations of one tanh network with N(0, std²) weights.

    Args:
        std: Standard deviation of every weight; biases are zero.
        depth: Number of layers.
        width: Units per layer, also the number of inputs.
        batch: Number of standard normal inputs.
        rng: Source of randomness.

    Returns:
        Array of shape (depth, batch, width).

    Raises:
        ValueError: If std is negative.

    >>> rng = np.random.default_rng(0)
    >>> tanh_activations(0.1, 3, 100, 5, rng).shape
    (3, 5, 100)
    """
    if std < 0:
        raise ValueError(f"std must not be negative. Received: std={std}")
    activation = rng.standard_normal((batch, width))
    layers = []
    for _ in range(depth):
        weight = std * rng.standard_normal((width, width))
        activation = np.tanh(activation @ weight.T)
        layers.append(activation)
    return np.stack(layers)


def three_scales() -> dict[str, np.ndarray]:
    """Return the activations for a small, the Xavier and a large scale."""
    width = 512
    scales = {"σ = 0.01": 0.01, "σ = 1/√n": width**-0.5, "σ = 1": 1.0}
    rng = np.random.default_rng(SEED)
    return {
        name: tanh_activations(std, 10, width, 100, rng)
        for name, std in scales.items()
    }


# --8<-- [end:activations]


if __name__ == "__main__":
    # --8<-- [start:demo]
    rms, saturated = {}, {}
    for name, layers in three_scales().items():
        last = layers[-1]
        rms[name] = np.sqrt(np.mean(last**2))
        saturated[name] = np.mean(np.abs(last) > 0.99)
        print(f"{name:9s} layer 10: rms {rms[name]:.1e}, ", end="")
        print(f"share of |h| > 0.99: {saturated[name]:.2f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_histograms]
def plot_histograms() -> Figure:
    """Draw the share of units by activation in layers 1, 2, 5 and 10."""
    bins = np.linspace(-1, 1, 62)  # an odd number of bins: one centred at 0
    figure, axes = plt.subplots(3, 1, figsize=(5.6, 6.6), sharex=True)
    styles = ["-", "--", "-.", ":"]
    for axis, (label, layers) in zip(axes, three_scales().items(), strict=True):
        for index, layer in enumerate((1, 2, 5, 10)):
            count, _ = np.histogram(layers[layer - 1], bins)
            axis.stairs(
                count / layers[layer - 1].size,
                bins,
                color=f"C{index}",
                ls=styles[index],
                lw=1.5,
                label=f"layer {layer}",
            )
        axis.set(title=label, ylabel="share of units", yscale="log")
        axis.set_ylim(1e-3, 1.5)
    axes[0].legend()
    axes[-1].set_xlabel("activation")
    return figure


if __name__ == "__main__":
    plot_histograms()
    plt.show()
# --8<-- [end:plot_histograms]
